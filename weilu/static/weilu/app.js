/* What a script adds to pages that work without one: position, ticks, keys. Nothing is sent that a form would not send. */
(() => {
  "use strict";
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];

  // Filters apply when chosen; without a script there is a button.
  document.addEventListener("change", (event) => {
    if (event.target.matches("select[data-auto]")) event.target.form.requestSubmit();
    if (event.target.matches(".tick, [data-tick-all]")) {
      if (event.target.matches("[data-tick-all]")) all(".tick").forEach((box) => { box.checked = event.target.checked; });
      const count = all(".tick:checked").length;
      all("[data-tick-count]").forEach((place) => { place.textContent = count; });
      all("[data-needs-ticks]").forEach((button) => { button.disabled = count === 0; });
    }
  });
  all("[data-without-script]").forEach((node) => { node.hidden = true; });
  all("[data-with-script]").forEach((node) => { node.hidden = false; });

  // One press, one sending: the server would notice the second, the finger should too.
  document.addEventListener("submit", (event) => {
    const button = event.submitter;
    if (button && event.target.method === "post") setTimeout(() => { button.setAttribute("aria-disabled", "true"); button.classList.add("disabled"); }, 0);
  });
  window.addEventListener("pageshow", () => all("button.disabled").forEach((button) => { button.classList.remove("disabled"); button.removeAttribute("aria-disabled"); }));

  // Where am I: asked only on a press.
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-position]");
    if (!button) return;
    const say = document.querySelector("[data-position-says]");
    if (!navigator.geolocation) { say.textContent = say.dataset.failed; return; }
    say.textContent = say.dataset.asking;
    navigator.geolocation.getCurrentPosition((found) => {
      const target = new URL(button.dataset.position, location.href);
      target.searchParams.set("lat", found.coords.latitude.toFixed(6));
      target.searchParams.set("lng", found.coords.longitude.toFixed(6));
      location.assign(target);
    }, () => { say.textContent = say.dataset.failed; }, { enableHighAccuracy: true, timeout: 15000 });
  });

  // The clerk's queue: j and k move, Enter opens, x ticks, / searches. On a wide screen the matter opens beside the list.
  const links = () => all(".entry-link");
  const pane = document.querySelector("#pane");
  const wide = () => pane && matchMedia("(min-width: 1200px)").matches;
  const select = (link) => { links().forEach((other) => other.removeAttribute("aria-current")); link.setAttribute("aria-current", "true"); };
  const show = async (link) => {
    select(link);
    link.focus();
    const answer = await fetch(link.href, { headers: { "X-Requested-With": "fetch" } });
    if (!answer.ok || answer.redirected) { location.assign(link.href); return; }
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    pane.replaceChildren(...page.querySelectorAll("#matter"));
    pane.scrollTop = 0;
  };
  document.addEventListener("click", (event) => {
    const link = event.target.closest(".entry-link");
    if (link && wide() && !event.ctrlKey && !event.metaKey && !event.shiftKey) { event.preventDefault(); show(link); }
  });
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches("input:not([type=checkbox]), textarea, select")) return;
    if (event.key === "/") { const find = document.querySelector("#find"); if (find) { event.preventDefault(); find.focus(); } return; }
    const rows = links();
    if (!rows.length || !["j", "k", "x"].includes(event.key)) return;
    const at = rows.findIndex((link) => link === document.activeElement || link.hasAttribute("aria-current"));
    if (event.key === "x") { const tick = rows[at]?.closest(".entry").querySelector(".tick"); if (tick) tick.click(); return; }
    const next = rows[Math.max(0, Math.min(rows.length - 1, at + (event.key === "j" ? 1 : -1)))];
    if (wide()) show(next); else { select(next); next.focus(); }
  });
})();
