// Uploads file by file with a bar for each, and looks after work in the background. Without it the form sends all at once.
"use strict";
(() => {
  const form = document.getElementById("upload");
  const watched = document.getElementById("working");
  const AT_ONCE = 3;

  if (watched) watch(watched.dataset.watch);
  if (!form) return;

  const input = form.querySelector("input[type=file]");
  const list = document.getElementById("sending");
  const batch = Array.from(crypto.getRandomValues(new Uint8Array(6)), (byte) => byte.toString(16).padStart(2, "0")).join("");
  const queue = [];
  let running = 0, sent = 0, refused = 0;

  for (const name of ["dragenter", "dragover"]) form.addEventListener(name, (event) => { event.preventDefault(); form.classList.add("over"); });
  for (const name of ["dragleave", "drop"]) form.addEventListener(name, (event) => { event.preventDefault(); form.classList.remove("over"); });
  form.addEventListener("drop", (event) => add(event.dataTransfer.files));
  form.addEventListener("submit", (event) => {
    if (!input.files.length) return;
    event.preventDefault();
    add(input.files);
    input.value = "";
  });

  function add(files) {
    for (const file of files) {
      queue.push({ file, row: rowFor(file) });
    }
    next();
  }

  function rowFor(file) {
    const row = document.createElement("li");
    row.className = "receipt";
    const head = document.createElement("h2"), name = document.createElement("span"), state = document.createElement("span"), bar = document.createElement("progress"), text = document.createElement("p");
    name.textContent = file.name;
    state.className = "state running";
    state.textContent = form.dataset.sending;
    bar.max = 1;
    bar.value = 0;
    bar.setAttribute("aria-label", file.name);
    head.append(name, " ", state);
    row.append(head, bar, text);
    list.append(row);
    return { row, state, bar, text };
  }

  function next() {
    while (running < AT_ONCE && queue.length) send(queue.shift());
    if (running || queue.length || !sent) return;
    if (refused) goOn(); else window.location.assign(`${window.location.pathname}/${batch}`);
  }

  // What was refused stays in view; the way to the others stands above it.
  function goOn() {
    const on = document.getElementById("go-on");
    on.querySelector("a").href = `${window.location.pathname}/${batch}`;
    on.hidden = false;
    on.querySelector("a").focus();
  }

  function send({ file, row }) {
    running += 1;
    const request = new XMLHttpRequest(), data = new FormData();
    data.append("csrf_token", form.querySelector("[name=csrf_token]").value);
    data.append("batch", batch);
    data.append("files", file, file.name);
    request.open("POST", form.action || window.location.href);
    request.setRequestHeader("Accept", "application/json");
    request.responseType = "json";
    request.upload.addEventListener("progress", (event) => { if (event.lengthComputable) row.bar.value = event.loaded / event.total; });
    request.addEventListener("loadend", () => {
      running -= 1;
      const answer = request.response || {};
      if (request.status === 202) {
        sent += 1;
        row.bar.value = 1;
        row.state.textContent = form.dataset.taken;
      } else {
        refused += 1;
        row.bar.remove();
        row.state.className = "state failed";
        row.state.textContent = form.dataset.refused;
        row.text.textContent = answer.refused && answer.refused.length ? answer.refused[0].message : answer.message || form.dataset.failed;
      }
      next();
    });
    request.send(data);
  }

  function watch(url) {
    let pause = 600;
    const look = async () => {
      try {
        const answer = await fetch(url, { headers: { Accept: "application/json" } });
        if (!answer.ok) return;
        const found = await answer.json();
        for (const job of found.jobs) {
          const row = document.getElementById(`job-${job.id}`);
          if (!row) continue;
          if (row.dataset.state !== job.state && job.ended) { refresh(url); return; }
          const bar = row.querySelector("progress");
          if (bar && job.total > 1) { bar.max = job.total; bar.value = job.done; }
        }
        if (found.ended) { refresh(url); return; }
      } catch { /* the server may be starting again: look later */ }
      pause = Math.min(pause * 1.3, 4000);
      window.setTimeout(look, pause);
    };
    window.setTimeout(look, pause);
  }

  async function refresh(url) {
    const answer = await fetch(url, { headers: { Accept: "text/html" } });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    document.querySelector(".receipts").replaceWith(page.querySelector(".receipts"));
    const working = document.getElementById("working");
    if (!page.getElementById("working")) { if (working) working.remove(); } else watch(url);
  }
})();
