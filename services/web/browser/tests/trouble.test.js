// Broken connections and hostile words.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Person, eventWith } from "../support/api.js";
import { close, go, open, settled, visitor } from "../support/browser.js";
import { shop, startShop } from "../support/shop.js";

let place;

before(async () => {
  place = await shop();
  await open();
});

after(async () => {
  await close();
  await place?.stop();
});

const isReserve = (request) => request.method() === "POST" && /\/events\//.test(request.url());

test("a connection that fails once is repeated with the same key, and makes one order", async (t) => {
  const { event } = await eventWith(place.url, [{}, {}]);
  const buyer = await Person.signUp(place.url, "buyer");
  const page = await visitor(t, { person: buyer, expected: [/ERR_/] });
  const keys = [];
  await page.route("**/events/*", async (route) => {
    const request = route.request();
    if (!isReserve(request)) return route.continue();
    keys.push(new URLSearchParams(request.postData()).get("key"));
    if (keys.length > 1) return route.continue();
    // It arrives, and its answer is lost.
    await route.fetch({ maxRedirects: 0 });
    return route.abort("connectionreset");
  });
  await go(page, `${place.url}/events/${event.id}`);
  await page.getByRole("button", { name: "Reserve the cheapest" }).click();
  await page.locator('[data-order="payable"]').waitFor();
  assert.equal(keys.length, 2);
  assert.ok(keys[0]);
  assert.equal(keys[0], keys[1]);
  assert.equal((await buyer.call("GET", "/api/orders")).length, 1);
});

test("a connection that stays broken leaves what was typed, says what happened, and can be tried again", async (t) => {
  const page = await visitor(t, { person: await Person.signUp(place.url, "seller"), expected: [/ERR_/] });
  await go(page, `${place.url}/tickets/new`);
  await page.getByLabel("What is it?").fill("Typed with care");
  await page.getByLabel("Price").fill("31");
  await page.context().setOffline(true);
  await page.getByRole("button", { name: "Put on sale" }).click();
  await page.getByText("The shop did not answer.").waitFor();
  assert.equal(await page.getByLabel("What is it?").inputValue(), "Typed with care");
  await page.context().setOffline(false);
  await page.getByRole("button", { name: "Put on sale" }).click();
  await page.getByText("Typed with care").first().waitFor();
  assert.notEqual(new URL(page.url()).pathname, "/tickets/new");
});

test("a service that is down is waited for, and the same key goes through when it is back", async (t) => {
  const fragile = await startShop({ set: [] });
  t.after(() => fragile.stop());
  const { event } = await eventWith(fragile.url, [{}]);
  const buyer = await Person.signUp(fragile.url, "buyer");
  const page = await visitor(t, { person: buyer, expected: [/status of 50\d/] });
  await go(page, `${fragile.url}/events/${event.id}`);
  // The record itself stands still; the shop answers 503 and does not guess.
  process.kill(fragile.run.mongodb.pid, "SIGSTOP");
  await page.getByRole("button", { name: "Reserve the cheapest" }).click();
  await page.locator('form[data-once] button[aria-disabled="true"]').first().waitFor();
  process.kill(fragile.run.mongodb.pid, "SIGCONT");
  await page.locator('[data-order="payable"], [data-unreachable]').first().waitFor({ timeout: 60_000 });
  if (await page.locator("[data-unreachable]").count() > 0) {
    await page.getByRole("button", { name: "Reserve the cheapest" }).click();
    await page.locator('[data-order="payable"]').waitFor();
  }
  assert.equal((await buyer.call("GET", "/api/orders")).length, 1);
});

test("words that look like markup stay words, wherever they are shown", async (t) => {
  const markup = '<img src=x onerror="globalThis.broken=1"></script><script>globalThis.broken=1</script>"\'&amp;';
  const { event, tickets: [ticket], seller } = await eventWith(
    place.url, [{ title: markup, description: markup }], { title: markup, venue: markup, description: markup, city: "<b>X</b>" },
  );
  const buyer = await Person.signUp(place.url, "buyer");
  const order = await buyer.reserve(ticket.id);
  for (const [person, paths] of [
    [seller, ["/", `/?q=${encodeURIComponent(markup)}`, `/events/${event.id}`, `/tickets/${ticket.id}`, "/tickets/mine"]],
    [buyer, ["/orders", `/orders/${order.id}`]],
  ]) {
    const page = await visitor(t, { person });
    for (const path of paths) {
      await go(page, place.url + path);
      assert.equal(await page.evaluate(() => globalThis.broken), undefined, path);
      assert.equal(await page.locator("main img[src='x'], main script:not([type])").count(), 0, path);
    }
  }
});

test("a page that does not exist is a page, and still searches", async (t) => {
  const page = await visitor(t, { expected: [/status of 404/] });
  const answer = await go(page, `${place.url}/nowhere`);
  assert.equal(answer.status(), 404);
  await page.locator("main").getByRole("searchbox").fill("concert");
  await page.locator("main").getByRole("button", { name: "Search" }).click();
  await page.waitForURL("**/?q=concert**");
  await settled(page);
});
