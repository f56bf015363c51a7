// A roster under way: the page looks how far it is, and shows itself anew when that is over.
"use strict";
(() => {
  const EVERY = 2000;
  const look = async () => {
    try {
      const answer = await fetch(location.href, { credentials: "same-origin" });
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const next = page.querySelector("[data-under-way]");
      if (!next) { location.reload(); return; }
      document.querySelector("[data-under-way]").replaceChildren(...next.childNodes);
    } catch { /* the network is away for a moment */ }
    setTimeout(look, EVERY);
  };
  setTimeout(look, EVERY);
})();
