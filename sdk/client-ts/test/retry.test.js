// When a call is made again, as a function.

import assert from "node:assert/strict";
import { test } from "node:test";
import { NetworkError, ProblemError } from "../dist/index.js";
import { heedsKeys, retryAfter, wait } from "../dist/retry.js";

const refusal = (status, after) => new ProblemError(status, { message: "x", errors: [], code: "unavailable" }, undefined, after);

test("only what is repeatable and unavailable is repeated", () => {
  assert.notEqual(wait(true, 1, refusal(503), 0), undefined);
  assert.notEqual(wait(true, 1, new NetworkError("x"), 0), undefined);
  assert.equal(wait(false, 1, refusal(503), 0), undefined);
  for (const status of [400, 401, 402, 404, 409, 422, 429, 500]) {
    assert.equal(wait(true, 1, refusal(status), 0), undefined, String(status));
  }
});

test("waits double, and end", () => {
  assert.deepEqual([1, 2, 3, 4].map((attempt) => wait(true, attempt, refusal(503), 1)), [50, 100, 200, undefined]);
});

test("Retry-After is obeyed within reason", () => {
  assert.equal(wait(true, 1, refusal(503, 1_000), 0), 1_000);
  assert.equal(wait(true, 1, refusal(503, 3_600_000), 0), 5_000);
});

test("Retry-After is seconds or a date", () => {
  assert.equal(retryAfter("2", 0), 2_000);
  assert.equal(retryAfter("Thu, 01 Jan 1970 00:00:03 GMT", 1_000), 2_000);
  assert.equal(retryAfter("Thu, 01 Jan 1970 00:00:03 GMT", 9_000), 0);
  assert.equal(retryAfter("soon", 0), undefined);
  assert.equal(retryAfter(null, 0), undefined);
});

test("accounts and webhooks heed no key", () => {
  assert.equal(heedsKeys("post", "/api/orders"), true);
  assert.equal(heedsKeys("post", "/api/users/signup"), false);
  assert.equal(heedsKeys("post", "/api/webhooks/stripe"), false);
  assert.equal(heedsKeys("put", "/api/tickets/{id}"), false);
});
