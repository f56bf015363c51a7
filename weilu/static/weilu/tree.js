/* The tree of places and bodies: levels are fetched when opened, arrow keys move. Without it the marks are links. */
(() => {
  "use strict";
  const tree = document.querySelector("[data-tree]");
  if (!tree) return;
  const marks = () => [...tree.querySelectorAll("a.tree-mark")].filter((mark) => mark.offsetParent !== null);
  const level = (mark) => mark.closest("li").querySelector(":scope > .tree-level");
  const say = (mark, open) => {
    mark.setAttribute("aria-expanded", String(open));
    if (level(mark)) level(mark).hidden = !open;
  };
  const toggle = async (mark) => {
    const open = mark.getAttribute("aria-expanded") !== "true";
    if (open && !level(mark)) {
      if (mark.getAttribute("aria-busy")) return;
      mark.setAttribute("aria-busy", "true");
      let answer = null;
      try { answer = await fetch(mark.dataset.level, { headers: { "X-Requested-With": "fetch" } }); } catch { /* said below */ }
      mark.removeAttribute("aria-busy");
      if (!answer || !answer.ok || answer.redirected) { location.assign(mark.href); return; }
      const part = new DOMParser().parseFromString(await answer.text(), "text/html");
      mark.closest("li").append(part.querySelector(".tree-level"));
    }
    say(mark, open);
  };
  tree.addEventListener("click", (event) => {
    const mark = event.target.closest("a.tree-mark");
    if (!mark || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    toggle(mark);
  });
  tree.addEventListener("keydown", (event) => {
    const mark = event.target.closest("a.tree-mark");
    if (!mark || event.ctrlKey || event.metaKey || event.altKey) return;
    const open = mark.getAttribute("aria-expanded") === "true";
    const all = marks();
    const to = (other) => { if (other) other.focus(); };
    const deeds = {
      ArrowDown: () => to(all[all.indexOf(mark) + 1]),
      ArrowUp: () => to(all[all.indexOf(mark) - 1]),
      ArrowRight: () => (open ? to(level(mark)?.querySelector("a.tree-mark")) : toggle(mark)),
      ArrowLeft: () => (open ? toggle(mark) : to(mark.closest(".tree-level").parentElement.querySelector(":scope > .tree-row > a.tree-mark"))),
      Home: () => to(all[0]),
      End: () => to(all.at(-1)),
      " ": () => toggle(mark),
    };
    if (deeds[event.key]) { event.preventDefault(); deeds[event.key](); }
  });
})();

/* A panel that another part of the platform fills, with the reader's own rights there; without a script it is a link. */
(() => {
  "use strict";
  for (const panel of document.querySelectorAll("[data-panel]")) {
    fetch(panel.dataset.panel, { headers: { "X-Requested-With": "fetch" } }).then(async (answer) => {
      if (!answer.ok || answer.redirected) return;
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const found = page.querySelector("#panel");
      if (found) panel.replaceChildren(found);
    }).catch(() => { /* the link stays */ });
  }
})();
