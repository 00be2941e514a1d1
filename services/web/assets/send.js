// Sends a form once. One that carries an idempotency key is sent by script, so that a broken connection costs nothing:
// the page stays, and the same key goes out again.

import { polite } from "./announce.js";

const TRIES_AFTER_MS = [0, 600, 1800];
const PATIENCE_MS = 15_000;
const UNREACHABLE = new Set([502, 503, 504]);

const underWay = new Set();

/** Whether any form of the page is on its way. */
export const sending = () => underWay.size > 0;

const buttons = (form) => form.querySelectorAll("button");

/** Marks a form as under way, or as free again. A marked button keeps the focus. */
export function mark(form, busy) {
  if (busy) underWay.add(form); else underWay.delete(form);
  for (const button of buttons(form)) {
    if (busy) button.setAttribute("aria-disabled", "true"); else button.removeAttribute("aria-disabled");
  }
}

const pause = (milliseconds) => new Promise((done) => { setTimeout(done, milliseconds); });

async function ask(form, body) {
  // Not `form.action`, which is the button of that name.
  const address = form.getAttribute("action");
  for (const wait of TRIES_AFTER_MS) {
    await pause(wait);
    try {
      const answer = await fetch(address, { method: "POST", body, signal: AbortSignal.timeout(PATIENCE_MS) });
      if (!UNREACHABLE.has(answer.status)) return answer;
    } catch {
      // Nobody knows whether it arrived. The key makes a repetition harmless.
    }
  }
  return null;
}

function unreachable(form) {
  const notice = document.createElement("div");
  notice.className = "notice notice-bad";
  notice.dataset.unreachable = "";
  notice.setAttribute("role", "alert");
  const title = document.createElement("p");
  title.className = "notice-title";
  title.textContent = "The shop did not answer.";
  const words = document.createElement("p");
  words.textContent = "Nothing on this page is lost. You can try again: it counts once, however often it is sent.";
  notice.append(title, words);
  form.prepend(notice);
}

/** The server answered with a page and not with a way on: it takes the place of this one. */
async function show(answer) {
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  document.title = page.title;
  document.body.replaceWith(document.adoptNode(page.body));
  underWay.clear();
  const { start } = await import("./shop.js");
  await start();
  const first = document.querySelector(".error-summary") ?? document.querySelector(".notice-bad") ?? document.querySelector("main");
  first.setAttribute("tabindex", "-1");
  first.focus();
}

/** Sends a form that carries a key, until the server has answered. */
export async function send(form, submitter) {
  form.querySelector("[data-unreachable]")?.remove();
  mark(form, true);
  polite("Sending…");
  const body = new URLSearchParams(new FormData(form, submitter));
  const answer = await ask(form, body);
  if (!answer) {
    mark(form, false);
    unreachable(form);
  } else if (answer.redirected) {
    location.assign(answer.url);
  } else {
    await show(answer);
  }
}

export function attach(form) {
  form.addEventListener("submit", (event) => {
    if (event.defaultPrevented) return;
    if (underWay.has(form)) {
      event.preventDefault();
    } else if (form.elements.namedItem("key")) {
      event.preventDefault();
      send(form, event.submitter);
    } else {
      mark(form, true);
    }
  });
}

// A page that comes back from the history is free again.
addEventListener("pageshow", () => { [...underWay].forEach((form) => mark(form, false)); });
