// Reviewing without waiting: the next pair is there already and is shown at once, while the decision is being saved.
"use strict";

const said = document.getElementById("said");
const PAST = { keep: "Kept", flip: "Flipped", drop: "Dropped", skip: "Skipped" };
const AROUND = ["progress", "last"]; // what changes beside a pair that is before the eyes already
let saving = Promise.resolve(); // one decision is under way at a time, so that no more than one can be lost
let waiting = false;

const keysAreOn = () => localStorage.getItem("shopglot-keys") !== "off";
const find = (id) => document.getElementById(id);
const decideForm = () => find("decide");

function describe(pair) {
  const spoken = pair.cloneNode(true);
  spoken.querySelectorAll("[aria-hidden]").forEach((part) => part.remove());
  return [...spoken.querySelectorAll("dt, dd")].map((part) => part.textContent.replace(/\s+/g, " ").trim()).join(". ");
}

function showProblem(words) {
  const notice = document.createElement("p");
  notice.className = "notice";
  notice.textContent = words;
  find("problem").replaceChildren(notice);
}

// Do something with the page that may take the focused button away, and focus the one in its place.
function keepingFocus(change) {
  const key = document.activeElement.getAttribute("aria-keyshortcuts");
  change();
  if (key && document.activeElement === document.body) document.querySelector(`[aria-keyshortcuts="${key}"]`)?.focus();
}

// Take the answered page in the place of this one; what is before the eyes stays if it is still the right pair.
function take(page, outcome) {
  const here = find("review");
  const there = page.getElementById("review");
  const key = (root) => root.querySelector("[name=pair]")?.value;
  const same = key(here) && key(here) === key(there);
  if (!same || !decideForm()) {
    keepingFocus(() => here.replaceChildren(...there.childNodes));
    find("use-keys").checked = keysAreOn();
    const pair = find("pair");
    said.textContent = `${outcome} ${pair ? describe(pair) : here.querySelector("h2")?.innerText ?? ""}`;
    return;
  }
  const version = (root) => root.querySelector("[name=version]").value;
  const parts = version(here) === version(there) ? AROUND : ["pair", ...AROUND];
  keepingFocus(() => parts.forEach((id) => find(id).replaceWith(page.getElementById(id))));
  decideForm().elements.held.value = there.querySelector("[name=held]").value;
  find("upcoming")?.remove();
  const upcoming = page.getElementById("upcoming");
  if (upcoming) decideForm().after(upcoming);
}

async function ask(form, body) {
  let answer;
  try {
    answer = await fetch(form.action, { method: "POST", body });
  } catch {
    throw new Error("The server cannot be reached; this was not saved. Decide again when it is back.");
  }
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  if (!page.getElementById("review")) {
    if (answer.ok) location.assign("/review"); // somebody has to sign in again
    const sentence = page.querySelector("main p")?.textContent ?? "The server did not say why.";
    throw new Error(`Not saved. ${sentence}`);
  }
  return { page, conflict: answer.status === 409 };
}

// Put the pair back that was not saved, as it was.
function putBack(pair, note, held) {
  find("pair")?.replaceWith(pair);
  find("note").value = note;
  decideForm().elements.held.value = held;
}

async function decide(choice) {
  const form = decideForm();
  if (!form || waiting) return;
  waiting = true;
  await saving;
  waiting = false;
  if (decideForm() !== form) return; // the answer before this one has brought another page
  const body = new URLSearchParams(new FormData(form));
  body.set("choice", choice);
  const pair = find("pair");
  const { note, held } = { note: find("note").value, held: form.elements.held.value };
  const next = find("upcoming")?.content.firstElementChild.cloneNode(true);
  find("problem").replaceChildren();
  if (next) {
    pair.replaceWith(next);
    find("upcoming").remove();
    find("note").value = "";
    said.textContent = `${PAST[choice]}. ${describe(next)}`;
    if (next.getBoundingClientRect().top < 0) next.scrollIntoView({ block: "start" });
  }
  saving = ask(form, body).then(
    ({ page, conflict }) => {
      if (conflict) find("pair")?.remove(); // so that the whole answer is taken
      take(page, conflict ? "Not saved, for another decision came in between." : `${PAST[choice]}.`);
    },
    (problem) => {
      if (next) putBack(pair, note, held);
      showProblem(problem.message);
    },
  );
}

async function undo() {
  const form = find("undo");
  if (waiting) return;
  waiting = true;
  await saving;
  waiting = false;
  if ("none" in find("last").dataset) {
    said.textContent = "There is nothing to undo.";
    return;
  }
  saving = ask(form, new URLSearchParams()).then(
    ({ page }) => {
      find("pair")?.remove();
      take(page, "Undone.");
    },
    (problem) => showProblem(problem.message),
  );
}

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.id === "undo") {
    event.preventDefault();
    undo();
  } else if (form.id === "decide" && !form.elements.back) {
    event.preventDefault();
    if (event.submitter) decide(event.submitter.value);
  }
});

// The letter of a key; on a keyboard of another script the one that stands in its place.
function letterOf(event) {
  const plain = /^[a-z?]$/i.test(event.key);
  return (plain ? event.key : /^Key[A-Z]$/.test(event.code) ? event.code.slice(3) : "").toLowerCase();
}

function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || event.isComposing) return;
  const typing = event.target.closest("textarea, input:not([type=checkbox]), select, [contenteditable]");
  if (typing) {
    if (event.key === "Escape") typing.blur();
    return;
  }
  const key = letterOf(event);
  const pressed = key && keysAreOn() && document.querySelector(`[aria-keyshortcuts="${CSS.escape(key)}"]`);
  if (key === "?" && keysAreOn()) find("keys").toggleAttribute("open");
  else if (pressed?.tagName === "TEXTAREA") pressed.focus();
  else if (pressed) pressed.click();
  else return;
  event.preventDefault();
}

document.addEventListener("keydown", onKey);
find("use-keys").checked = keysAreOn();
document.addEventListener("change", (event) => {
  if (event.target.id === "use-keys") localStorage.setItem("shopglot-keys", event.target.checked ? "on" : "off");
});
