// The server's clock. The device's own time of day is never asked: it may be an hour wrong. What is asked is how much time has passed.

let offset = null;

/** `time` was the server's time when `elapsed` milliseconds of this page's life had passed. */
export function set(time, elapsed = performance.now()) {
  const server = typeof time === "number" ? time : Date.parse(time);
  if (Number.isFinite(server)) offset = server - elapsed;
}

/** The page itself says when it was made; its first byte came about then. */
export function setFromPage(time) {
  if (offset !== null) return;
  const [navigation] = performance.getEntriesByType("navigation");
  set(time, navigation?.responseStart ?? 0);
}

/** Milliseconds since the epoch, as the server counts. */
export function now() {
  return offset + performance.now();
}
