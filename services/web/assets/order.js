// Keeps an order's page true: when the server says another word than the page, the page is loaded again.

import * as clock from "./clock.js";
import { sending } from "./send.js";

const CONFIRMING_MS = 1000;
const UNREACHABLE_MS = 3000;

let current = null;

/** What the server says now; loads the page again when that is news. Answers whether the server was reached. */
export async function check() {
  if (!current) return false;
  const asked = performance.now();
  try {
    const answer = await fetch(current.url, { headers: { accept: "application/json" }, cache: "no-store" });
    if (!answer.ok) return false;
    const { state, now } = await answer.json();
    clock.set(now, (asked + performance.now()) / 2);
    // A form that is on its way brings its own answer.
    if (state !== current.state && !sending()) location.reload();
    return true;
  } catch {
    return false;
  }
}

async function follow(signal) {
  const reached = await check();
  if (!signal.aborted) setTimeout(follow, reached ? CONFIRMING_MS : UNREACHABLE_MS, signal);
}

export function attach(element, signal) {
  current = { url: element.dataset.state, state: element.dataset.order };
  if (current.state === "confirming") follow(signal);
  // A page that comes back from the history, or a tab that is looked at again, may have missed something.
  addEventListener("pageshow", (event) => { if (event.persisted) check(); }, { signal });
  document.addEventListener("visibilitychange", () => { if (!document.hidden) check(); }, { signal });
}
