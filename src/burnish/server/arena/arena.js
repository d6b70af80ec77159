"use strict";
const byId = (id) => document.getElementById(id);
const KEYS = { ArrowLeft: "left", ArrowRight: "right", ArrowDown: "tie", t: "tie", s: "skip", u: "undo" };
let voter = "", match = null, busy = false;

// What comes from the run is only ever text.
function write(id, text) { byId(id).textContent = text; }

function complain(text) {
  write("message", text);
  byId("message").hidden = !text;
}

function show(state) {
  match = state.done ? null : state.match;
  const enough = state.enough ? " · enough votes for an answer" : "";
  write("progress", `${state.voted} of ${state.total}${enough}`);
  byId("match").hidden = false;
  write("prompt", state.done ? "That was the last pair. Thank you!" : state.prompt);
  write("left", state.done ? "" : state.left || "(empty)");
  write("right", state.done ? "" : state.right || "(empty)");
  for (const button of document.querySelectorAll("[data-choice]")) button.disabled = state.done;
  window.scrollTo(0, 0);
}

// Whether the answer could be shown.
async function ask(what, body) {
  if (busy) return false;
  busy = true;
  try {
    const response = await fetch(what, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ voter, ...body }),
    });
    const state = await response.json();
    if (state.total === undefined) throw new Error(state.error);
    complain("");
    show(state);
    return true;
  } catch (error) {
    complain(`Not stored (${error.message}). Is burnish arena still running? Then try once more.`);
    return false;
  } finally {
    busy = false;
  }
}

function act(choice) {
  if (choice === "undo") ask("undo", {});
  else if (match) ask("vote", { match, choice });
}

byId("welcome").addEventListener("submit", async (event) => {
  event.preventDefault();
  voter = byId("name").value.trim();
  if (voter && (await ask("next", {}))) byId("welcome").hidden = true;
  else voter = "";  // a name that is refused can be mended
});
for (const button of document.querySelectorAll("[data-choice]")) {
  button.addEventListener("click", () => act(button.dataset.choice));
}
byId("undo").addEventListener("click", () => act("undo"));
document.addEventListener("keydown", (event) => {
  const choice = KEYS[event.key];
  if (!voter || !choice || event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
  event.preventDefault();
  act(choice);
});
