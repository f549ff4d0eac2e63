// Keeps what is typed as a draft, saves with Ctrl+S, goes where the address says. Without it the form is saved with its button.
"use strict";
(() => {
  const form = document.getElementById("fill");
  const state = document.getElementById("draft-state");
  let timer = 0, changed = false, saving = false, checked = false, pause = 2000, running = null;

  form.addEventListener("input", () => {
    changed = true;
    window.clearTimeout(timer);
    timer = window.setTimeout(keep, pause);
  });
  // What was typed is never sent to where it would be lost: first the page asks whether the session still holds.
  form.addEventListener("submit", async (event) => {
    if (checked) return;
    event.preventDefault();
    if (saving) return;
    saving = true;
    window.clearTimeout(timer);
    if (running) running.abort();
    if (await holds()) {
      checked = true;
      form.requestSubmit(event.submitter);
    } else {
      saving = false;
    }
  });
  window.addEventListener("pageshow", () => { saving = checked = false; });
  window.addEventListener("beforeunload", (event) => { if (changed && !saving) event.preventDefault(); });
  document.addEventListener("visibilitychange", () => { if (document.visibilityState === "hidden" && changed && !saving) keep(); });
  document.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "s") {
      event.preventDefault();
      form.requestSubmit(form.querySelector("[name=act][value=save]"));
    }
  });
  goTo(window.location.hash.slice(1));

  async function keep() {
    if (saving) return;
    if (running) running.abort();
    const own = running = new AbortController();
    state.textContent = form.dataset.keeping;
    changed = false;
    try {
      const answer = await fetch(form.dataset.draft, { method: "POST", body: new FormData(form), headers: { Accept: "application/json" }, redirect: "manual", signal: own.signal });
      if (!answer.ok) throw new Error(String(answer.status));
      state.textContent = (await answer.json()).said;
      pause = 2000;
    } catch {
      changed = true;
      if (own.signal.aborted) return;
      if (await holds()) state.textContent = form.dataset.failed;
      pause = Math.min(pause * 2, 30000);
      if (!saving) timer = window.setTimeout(keep, pause);
    } finally {
      if (running === own) running = null;
    }
  }

  // Whether this person is signed in still; a token that ended is made anew.
  async function holds() {
    try {
      const answer = await fetch(form.dataset.ready, { headers: { Accept: "application/json" }, redirect: "manual" });
      if (answer.type === "opaqueredirect" || answer.status === 401 || answer.status === 403) return signedOut();
      if (!answer.ok) return true;
      const found = await answer.json();
      if (String(found.person) !== form.dataset.person) return signedOut();
      form.elements.csrf_token.value = found.token;
      return true;
    } catch {
      state.textContent = saving ? form.dataset.broken : form.dataset.failed;
      return false;
    }
  }

  function signedOut() {
    const link = document.createElement("a");
    link.href = form.dataset.signIn;
    link.target = "_blank";
    link.rel = "noopener";
    link.textContent = form.dataset.signInWords;
    state.replaceChildren(form.dataset.signedOut, " ", link);
    return false;
  }

  // After "Add a row" the first field of that row, after saving what was said; after a doubt the doubt.
  function goTo(name) {
    const unsaved = document.getElementById("unsaved");
    const anchor = unsaved || (name && document.getElementById(name));
    if (!anchor) return;
    const field = anchor.classList.contains("anchor") ? form.querySelector(`[name^="${CSS.escape(name)}-"]:not([readonly], [disabled])`) : anchor;
    if (field) field.focus();
  }
})();
