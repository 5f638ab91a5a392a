// Parts of a page that the server renders again: when what is asked changes, or every few seconds.
"use strict";

const WAIT = 180; // milliseconds without a key before the server is asked

for (const part of document.querySelectorAll("[data-part]")) {
  const form = document.getElementById("ask");
  let asking = new AbortController();
  let timer;

  const load = async () => {
    asking.abort();
    asking = new AbortController();
    const { signal } = asking;
    part.setAttribute("aria-busy", "true");
    try {
      const answer = await fetch(part.dataset.part, { method: "POST", body: new URLSearchParams(new FormData(form)), signal });
      const text = await answer.text();
      if (signal.aborted) return;
      if (answer.ok) part.innerHTML = text;
      part.removeAttribute("aria-busy");
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  };

  form.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(load, WAIT);
  });
  load();
}
