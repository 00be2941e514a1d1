// What a page costs before the pay step, and whom it talks to.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { gzipSync } from "node:zlib";
import { Person, eventWith } from "../support/api.js";
import { close, go, open, visitor } from "../support/browser.js";
import { shop } from "../support/shop.js";

const LIMITS = { stylesheet: 20_000, script: 40_000 };
const ALL_OF_A_PAGE = 60_000;
let place;

before(async () => {
  place = await shop();
  await open();
});

after(async () => {
  await close();
  await place?.stop();
});

/** Everything that a page loads, by kind, in bytes after gzip, and every origin that it asks. */
async function load(page, address) {
  const weights = { document: 0, stylesheet: 0, script: 0, image: 0 };
  const origins = new Set();
  const bodies = [];
  page.on("request", (request) => origins.add(new URL(request.url()).origin));
  page.on("response", (response) => {
    const kind = response.request().resourceType();
    if (kind in weights) bodies.push(response.body().then((body) => { weights[kind] += gzipSync(body, { level: 9 }).length; }));
  });
  await go(page, address);
  await Promise.all(bodies);
  return { weights, origins };
}

test("pages are light and ask nobody else before the pay step", async (t) => {
  const rows = Array.from({ length: 30 }, (_, row) => ({ title: `Row ${row + 1}` }));
  const { event, tickets } = await eventWith(place.url, rows);
  const buyer = await Person.signUp(place.url, "buyer");
  for (const path of ["/", `/events/${event.id}`, `/tickets/${tickets[0].id}`, "/cart", "/orders", "/tickets/new", "/auth/signin"]) {
    const page = await visitor(t, { person: buyer });
    const { weights, origins } = await load(page, place.url + path);
    for (const [kind, limit] of Object.entries(LIMITS)) assert.ok(weights[kind] <= limit, `${path} ${kind}: ${weights[kind]}`);
    const sum = weights.document + weights.stylesheet + weights.script + weights.image;
    assert.ok(sum <= ALL_OF_A_PAGE, `${path}: ${JSON.stringify(weights)}`);
    assert.deepEqual([...origins], [place.url], path);
    t.diagnostic(`${path} ${JSON.stringify(weights)}`);
  }
});

test("assets are kept for ever under their digest, and arrive compressed", async (t) => {
  const page = await visitor(t);
  const answers = [];
  page.on("response", (response) => { if (response.url().includes("/assets/")) answers.push(response); });
  await go(page, place.url);
  assert.ok(answers.length >= 2);
  for (const answer of answers) {
    const headers = await answer.allHeaders();
    assert.match(headers["cache-control"], /immutable/, answer.url());
    if (/\.(css|js)$/.test(answer.url())) assert.match(headers["content-encoding"] ?? "", /br|gzip|zstd/, answer.url());
  }
});

test("nothing moves after it was shown", async (t) => {
  const { event } = await eventWith(place.url, [{}, {}, {}]);
  const page = await visitor(t);
  await page.addInitScript(() => {
    globalThis.shifted = 0;
    new PerformanceObserver((list) => { for (const entry of list.getEntries()) globalThis.shifted += entry.value; })
      .observe({ type: "layout-shift", buffered: true });
  });
  for (const path of ["/", `/events/${event.id}`]) {
    await go(page, place.url + path);
    assert.ok(await page.evaluate(() => globalThis.shifted) <= 0.02, path);
  }
});
