// Shows where an answer stands while it has the focus or the pointer; one key decides while a question has the focus.
"use strict";
(() => {
  const boxes = new Map(Array.from(document.querySelectorAll(".leaf rect"), (box) => [box.dataset.key, box]));
  const rows = new Map(Array.from(document.querySelectorAll(".answers-table tr[data-key]"), (row) => [row.dataset.key, row]));
  const beside = document.getElementById("leaves");
  let shown = "";

  function show(key, move) {
    if (!key || key === shown) return;
    boxes.get(shown)?.classList.remove("on");
    rows.get(shown)?.classList.remove("on");
    shown = key;
    rows.get(key)?.classList.add("on");
    const box = boxes.get(key);
    if (!box) return;
    box.classList.add("on");
    if (!move) return;
    const top = box.getBoundingClientRect().top - beside.getBoundingClientRect().top + beside.scrollTop;
    const calm = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
    beside.scrollTo({ top: Math.max(0, top - beside.clientHeight / 3), behavior: calm ? "auto" : "smooth" });
  }

  for (const part of document.querySelectorAll("[data-key]")) {
    if (part instanceof SVGElement) continue;
    part.addEventListener("focusin", () => show(part.dataset.key, true));
    part.addEventListener("pointerenter", () => show(part.dataset.key, true));
  }
  for (const [key, box] of boxes) box.addEventListener("click", () => { show(key, false); rows.get(key)?.scrollIntoView({ block: "center" }); });

  // Keys count only inside a question that has the focus, and never while somebody types.
  for (const question of document.querySelectorAll(".question")) {
    question.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches("input, select, textarea")) return;
      question.querySelector(`[data-press="${CSS.escape(event.key.toLowerCase())}"]`)?.click();
    });
  }
  // Somebody may have reached a question before this came: it is shown, and nobody is moved away from it.
  const here = document.activeElement?.closest("[data-key]");
  const first = document.querySelector(".question");
  if (here) show(here.dataset.key, true);
  else if (first && !window.location.hash && document.activeElement === document.body) first.focus({ preventScroll: true });
})();
