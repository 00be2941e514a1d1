// The time that is left, by the server's clock. What is seen changes every second; what is said aloud comes four times.

import { assertive, polite } from "./announce.js";
import * as clock from "./clock.js";
import { check } from "./order.js";

const MINUTE = 60_000;
const WORDS = [
  [10 * MINUTE, polite, "10 minutes left to pay."],
  [5 * MINUTE, polite, "5 minutes left to pay."],
  [2 * MINUTE, polite, "2 minutes left to pay."],
  [1 * MINUTE, assertive, "1 minute left to pay. After that the tickets go back on sale."],
];
const SOON = 2 * MINUTE;
const ASK_AGAIN_MS = 1000;

function text(left) {
  const seconds = Math.max(0, Math.ceil(left / 1000));
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

export function attach(element, signal) {
  clock.setFromPage(element.dataset.now);
  const expires = Date.parse(element.dataset.expires);
  const face = element.querySelector("[data-clock]");
  // What changes every second is nothing to read aloud.
  face?.setAttribute("aria-hidden", "true");
  let before = expires - clock.now();
  let asked = 0;

  function tick() {
    const left = expires - clock.now();
    if (face) face.textContent = text(left);
    element.toggleAttribute("data-soon", left <= SOON);
    element.toggleAttribute("data-last-minute", left <= MINUTE);
    const crossed = WORDS.filter(([at]) => before > at && left <= at).at(-1);
    if (crossed) crossed[1](crossed[2]);
    before = left;
    // Only the server says that it is over.
    if (left <= 0 && performance.now() - asked > ASK_AGAIN_MS) {
      asked = performance.now();
      check();
    }
  }

  tick();
  const ticking = setInterval(tick, 250);
  signal.addEventListener("abort", () => clearInterval(ticking));
}
