// Keeps what is typed as a draft, saves with Ctrl+S, marks the row one is in. Without it the form is saved with its button.
"use strict";
(() => {
  const form = document.getElementById("fill");
  const state = document.getElementById("draft-state");
  let timer = 0, changed = false, saving = false, pause = 2000;

  form.addEventListener("input", () => {
    changed = true;
    window.clearTimeout(timer);
    timer = window.setTimeout(keep, pause);
  });
  form.addEventListener("submit", () => { saving = true; window.clearTimeout(timer); });
  window.addEventListener("beforeunload", (event) => { if (changed && !saving) event.preventDefault(); });
  document.addEventListener("visibilitychange", () => { if (document.visibilityState === "hidden" && changed && !saving) keep(); });
  document.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "s") {
      event.preventDefault();
      form.requestSubmit(form.querySelector("[name=act][value=save]"));
    }
  });

  async function keep() {
    if (saving) return;
    state.textContent = form.dataset.keeping;
    changed = false;
    try {
      const answer = await fetch(form.dataset.draft, { method: "POST", body: new FormData(form), headers: { Accept: "application/json" }, keepalive: false });
      if (!answer.ok) throw new Error(String(answer.status));
      const at = new Date((await answer.json()).at);
      state.textContent = `${form.dataset.kept} ${at.toLocaleTimeString(document.documentElement.lang, { hour: "2-digit", minute: "2-digit" })}`;
      pause = 2000;
    } catch {
      changed = true;
      state.textContent = form.dataset.failed;
      pause = Math.min(pause * 2, 30000);
      timer = window.setTimeout(keep, pause);
    }
  }
})();
