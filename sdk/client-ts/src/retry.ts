// Whether a call that failed is made again, and when.

import type { Method } from "./api.js";
import { type BigTixError, NetworkError, ProblemError, UnreadableError } from "./error.js";

/** How often a call is made in all. */
const ATTEMPTS = 4;
const FIRST_WAIT = 50;
/** The longest that a client lets its caller wait between two attempts. */
const LONGEST_WAIT = 5_000;

/** Accounts and webhooks heed no key, so a second POST there is a second effect. */
export function heedsKeys(method: Method, path: string): boolean {
  return method === "post" && !path.startsWith("/api/users/") && !path.startsWith("/api/webhooks/");
}

/**
 * How many milliseconds to wait before the call is made again; undefined when its failure is final. `attempt` counts from 1, `spread` is
 * from 0 to 1: clients that failed together must not come back together.
 */
export function wait(isRepeatable: boolean, attempt: number, failure: BigTixError, spread: number): number | undefined {
  if (!isRepeatable || attempt >= ATTEMPTS) {
    return undefined;
  }
  const backoff = FIRST_WAIT * 2 ** (attempt - 1) * (0.5 + spread / 2);
  if (failure instanceof NetworkError) {
    return backoff;
  }
  if (failure instanceof ProblemError && isUnavailable(failure.status)) {
    return Math.min(Math.max(failure.retryAfter ?? 0, backoff), LONGEST_WAIT);
  }
  // A proxy in front of the shop answers with a page of its own.
  return failure instanceof UnreadableError && isUnavailable(failure.status) ? backoff : undefined;
}

function isUnavailable(status: number): boolean {
  return status === 502 || status === 503;
}

/** The header in milliseconds: seconds, or a date. */
export function retryAfter(header: string | null, now: number): number | undefined {
  if (header === null || header.trim() === "") {
    return undefined;
  }
  const seconds = Number(header);
  const milliseconds = Number.isNaN(seconds) ? Date.parse(header) - now : seconds * 1_000;
  return Number.isNaN(milliseconds) ? undefined : Math.max(milliseconds, 0);
}
