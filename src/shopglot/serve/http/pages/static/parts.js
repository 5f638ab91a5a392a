// Parts of a page that the server renders again: when the form changes, or every few seconds.
"use strict";

const WAIT = 180; // milliseconds without a change before the server is asked
const form = document.getElementById("ask");
const said = document.getElementById("said");
const here = document.getElementById("here");

const fields = () => new URLSearchParams(new FormData(form));

/** Return what the server says, as text to be shown; sign in again where the session has ended. */
const ask = async (address, body, signal) => {
  const answer = await fetch(address, { method: body ? "POST" : "GET", body, signal });
  if (answer.ok) return { html: await answer.text() };
  if (answer.status === 401) location.reload();
  const { error } = await answer.json();
  return { problem: error, again: Number(answer.headers.get("retry-after")) };
};

const notice = (sentence) => {
  const shown = document.createElement("p");
  shown.className = "notice";
  shown.textContent = sentence;
  return shown;
};

const key = (element) => element.getAttribute("aria-label") ?? element.value;

/** Put what the server rendered into a part; what was opened, scrolled to or in focus there stays so. */
const renew = (part, html) => {
  const kept = "button[name=words], .scroll";
  const before = new Map();
  for (const each of part.querySelectorAll(kept)) {
    const open = each.getAttribute("aria-expanded") === "true";
    before.set(key(each), { open, left: each.scrollLeft, focused: each === document.activeElement });
  }
  part.innerHTML = html;
  for (const each of part.querySelectorAll(kept)) {
    const was = before.get(key(each));
    if (was?.open) toggleWords(each);
    if (was?.focused) each.focus();
    each.scrollLeft = was?.left ?? 0;
  }
};

/** Return whether somebody marks text in a part, which would be lost. */
const marking = (part) => {
  const marked = document.getSelection();
  return !marked.isCollapsed && part.contains(marked.anchorNode);
};

/** Keep one part up to date; an answer that came too late for the latest question is dropped. */
const keep = (part) => {
  const wanted = part.dataset.fields?.split(" ");
  const every = 1000 * Number(part.dataset.every ?? 0);
  let asking = new AbortController();
  let latest = null;
  let timer;

  const body = () => {
    if (every) return undefined;
    const all = fields();
    return wanted ? new URLSearchParams([...all].filter(([name]) => wanted.includes(name))) : all;
  };
  const show = ({ html, problem, again }) => {
    if (html !== undefined) renew(part, html);
    else if (part.firstElementChild?.className === "notice") part.firstElementChild.textContent = problem;
    else part.prepend(notice(problem));
    if (again) timer = setTimeout(load, 1000 * again);
    const sentence = part.querySelector("[data-say]")?.textContent ?? problem;
    if (said && sentence && said.textContent !== sentence) said.textContent = sentence;
  };
  const load = async () => {
    asking.abort();
    asking = new AbortController();
    const { signal } = asking;
    part.setAttribute("aria-busy", "true");
    try {
      const answer = await ask(part.dataset.part, body(), signal);
      if (!signal.aborted) show(answer);
    } catch (error) {
      if (!signal.aborted) show({ problem: "The server cannot be reached." });
    }
    if (!signal.aborted) part.removeAttribute("aria-busy");
    if (every) timer = setTimeout(next, every);
  };
  const next = () => (document.hidden || marking(part) ? (timer = setTimeout(next, every)) : load());
  const changed = () => {
    const now = String(body());
    if (now === latest) return;
    latest = now;
    clearTimeout(timer);
    timer = setTimeout(load, WAIT);
  };

  if (every) timer = setTimeout(next, every);
  else form.addEventListener("input", changed);
  if (!every && !part.childElementCount) {
    latest = String(body());
    load();
  }
};

/** Open or close the words of a row below it. */
const toggleWords = async (button) => {
  const row = button.closest("li");
  const opened = row.querySelector(".under.opened");
  button.setAttribute("aria-expanded", String(!opened));
  if (opened) return opened.remove();
  const under = document.createElement("div");
  under.className = "under opened";
  under.setAttribute("aria-live", "polite");
  row.append(under);
  const asked = fields();
  asked.set("words", button.value);
  try {
    const { html, problem } = await ask("/pages/try/words", asked);
    if (html !== undefined) under.innerHTML = html;
    else under.replaceChildren(notice(problem));
  } catch {
    under.replaceChildren(notice("The server cannot be reached."));
  }
};

/** Write what is asked behind the # of the link, which browsers never send. */
const link = () => {
  if (here) here.href = `#${fields()}`;
};

const follow = () => {
  for (const [name, value] of new URLSearchParams(location.hash.slice(1))) {
    const field = document.getElementById(name === "task" ? `task-${value}` : name);
    if (!form.contains(field)) continue;
    if (["checkbox", "radio"].includes(field.type)) field.checked = true;
    else field.value = value;
  }
};

const changed = () => form.dispatchEvent(new Event("input"));

const pressed = (event) => {
  const button = event.target.closest("button[name]");
  if (!button) return;
  event.preventDefault();
  if (button.name === "words") toggleWords(button);
  else {
    document.getElementById(button.name).value = button.value;
    changed();
  }
};

if (form) {
  follow();
  link();
  form.addEventListener("input", link);
  form.addEventListener("submit", (event) => event.preventDefault());
  document.addEventListener("click", pressed);
  window.addEventListener("hashchange", () => (follow(), changed()));
}
document.querySelectorAll("[data-part]").forEach(keep);
