// From the front page to the ticket in the hand.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { PASSWORD, Person, eventWith, newEmail } from "../support/api.js";
import { close, go, open, settled, visitor } from "../support/browser.js";
import { cards, pay, typeCard } from "../support/card.js";
import { shop } from "../support/shop.js";

let place;

before(async () => {
  place = await shop();
  await open();
});

after(async () => {
  await close();
  await place?.stop();
});

const at = (path) => place.url + path;

/** Counts the forms that a page sends to the shop. */
function count(page) {
  const sent = { forms: 0 };
  page.on("request", (request) => { if (request.method() === "POST" && request.url().startsWith(place.url)) sent.forms += 1; });
  return sent;
}

const state = (page) => page.locator("[data-order]").getAttribute("data-order");
const orderState = (page, word) => page.locator(`[data-order="${word}"]`).waitFor();

async function reserveCheapest(page, event, count = 1) {
  await go(page, at(`/events/${event.id}`));
  await page.getByLabel("How many").fill(String(count));
  await page.getByRole("button", { name: "Reserve the cheapest" }).click();
  await orderState(page, "payable");
  await settled(page);
}

test("a visitor finds an event, signs up, reserves two tickets, pays, and has them", async (t) => {
  const title = `Quartet ${newEmail("x").slice(2, 10)}`;
  const { event } = await eventWith(place.url, [{ price: 45 }, { price: 45 }, { price: 60 }], { title });
  const page = await visitor(t);

  await go(page, at("/"));
  await page.getByLabel("Search events").fill(title);
  await page.getByRole("button", { name: "Search" }).click();
  await page.getByRole("link", { name: title }).click();
  await page.waitForURL(`**/events/${event.id}`);
  await settled(page);
  await page.getByLabel("How many").fill("2");
  await page.locator("[data-total]", { hasText: "$90.00" }).waitFor();
  await page.getByRole("button", { name: "Reserve the cheapest" }).click();

  // Whoever is not signed in goes there, and comes back.
  await page.waitForURL("**/auth/signin**");
  await page.locator("main").getByRole("link", { name: "Sign up" }).click();
  await page.getByLabel("Email").fill(newEmail("buyer"));
  await page.getByLabel("Password").fill(PASSWORD);
  await page.getByRole("button", { name: "Sign up" }).click();
  await page.waitForURL(`**/events/${event.id}**`);
  await settled(page);
  await page.getByLabel("How many").fill("2");
  await page.getByRole("button", { name: "Reserve the cheapest" }).click();
  await orderState(page, "payable");
  await settled(page);
  assert.match(await page.locator("[data-clock]").textContent(), /^1[45]:\d\d$/);

  await pay(page, cards.good);
  await orderState(page, "complete");
  assert.equal(await page.locator(".admission").count(), 2);
  assert.equal(await page.locator(".admission .qr").count(), 2);
  await page.getByText("$90.00").first().waitFor();
  await page.getByRole("navigation", { name: "Main" }).getByRole("link", { name: "My orders" }).click();
  await page.getByText("Paid").first().waitFor();
});

test("a declined card keeps the tickets and says why; another card pays", async (t) => {
  const { event } = await eventWith(place.url, [{}]);
  const buyer = await Person.signUp(place.url, "buyer");
  // The browser writes every answer above 399 to its console, the expected ones too.
  const page = await visitor(t, { person: buyer, expected: [/status of 4\d\d/] });
  await reserveCheapest(page, event);

  await pay(page, cards.declined);
  await page.locator("[data-pay] .notice-bad").waitFor();
  assert.match(await page.locator("[data-pay] .notice-bad").textContent(), /declined/i);
  assert.ok(await page.evaluate(() => document.activeElement.matches(".notice-bad")), "the focus is on what happened");
  assert.equal(await state(page), "payable");
  await settled(page);

  await pay(page, cards.good);
  await orderState(page, "complete");
});

test("a bank that asks is answered on the page", async (t) => {
  const { event } = await eventWith(place.url, [{}]);
  const page = await visitor(t, { person: await Person.signUp(place.url, "buyer") });
  await reserveCheapest(page, event);

  await pay(page, cards.asks);
  await page.getByRole("button", { name: "Complete authentication" }).click();
  await orderState(page, "complete");
});

test("a bank that is told no declines, and the order can still be paid", async (t) => {
  const { event } = await eventWith(place.url, [{}]);
  const page = await visitor(t, { person: await Person.signUp(place.url, "buyer"), expected: [/status of 4\d\d/] });
  await reserveCheapest(page, event);

  await pay(page, cards.asks);
  await page.getByRole("button", { name: "Fail authentication" }).click();
  await page.locator('[data-pay="payable"] .notice-bad').waitFor();
  await settled(page);
  await pay(page, cards.good);
  await orderState(page, "complete");
});

test("a double click and the back button make one order", async (t) => {
  const { event } = await eventWith(place.url, [{}, {}, {}, {}]);
  const buyer = await Person.signUp(place.url, "buyer");
  const page = await visitor(t, { person: buyer });
  const sent = count(page);
  await go(page, at(`/events/${event.id}`));
  await page.getByRole("button", { name: "Reserve the cheapest" }).dblclick();
  await orderState(page, "payable");
  assert.equal(sent.forms, 1);
  assert.equal((await buyer.call("GET", "/api/orders")).length, 1);

  await page.goBack();
  await settled(page);
  await page.goForward();
  await orderState(page, "payable");
  assert.equal((await buyer.call("GET", "/api/orders")).length, 1);
});

test("a double click on pay makes one charge", async (t) => {
  const { event } = await eventWith(place.url, [{}]);
  const buyer = await Person.signUp(place.url, "buyer");
  const page = await visitor(t, { person: buyer });
  await reserveCheapest(page, event);
  const sent = count(page);
  await typeCard(page, cards.good);
  await page.locator("[data-pay-button]").dblclick();
  await orderState(page, "complete");
  assert.equal(sent.forms, 1);
});

test("the last ticket goes to one of two browsers, and the other is told", async (t) => {
  const { event } = await eventWith(place.url, [{}]);
  const expected = [/status of 4\d\d/];
  const pages = await Promise.all(["one", "two"].map(async (name) => (
    visitor(t, { person: await Person.signUp(place.url, name), expected })
  )));
  for (const page of pages) await go(page, at(`/events/${event.id}`));
  await Promise.all(pages.map((page) => page.getByRole("button", { name: "Reserve the cheapest" }).click()));
  const outcomes = await Promise.all(pages.map((page) => Promise.race([
    orderState(page, "payable").then(() => "reserved"),
    page.locator("main .notice, .error-summary").first().waitFor().then(() => "told"),
  ])));
  assert.deepEqual(outcomes.sort(), ["reserved", "told"]);
});

test("cancelling asks first, and gives the ticket back", async (t) => {
  const { event } = await eventWith(place.url, [{}]);
  const page = await visitor(t, { person: await Person.signUp(place.url, "buyer") });
  await reserveCheapest(page, event);
  await page.getByRole("button", { name: "Cancel this order" }).click();
  await page.getByRole("button", { name: "Keep it" }).click();
  assert.equal(await state(page), "payable");
  await page.getByRole("button", { name: "Cancel this order" }).click();
  await page.getByRole("button", { name: "Cancel the order" }).click();
  await orderState(page, "cancelled");
  await reserveCheapest(page, event);
});

test("a cart of two is reserved together", async (t) => {
  const { event } = await eventWith(place.url, [{ title: "Row A" }, { title: "Row B", price: 30 }, { title: "Row C" }]);
  const page = await visitor(t, { person: await Person.signUp(place.url, "buyer") });
  for (const row of ["Row A", "Row B"]) {
    await go(page, at(`/events/${event.id}`));
    await page.getByRole("button", { name: new RegExp(`^Add to cart ?: ${row}$`) }).click();
    await page.waitForURL(/added=1/);
  }
  await go(page, at("/cart"));
  await page.getByText("$75.00").first().waitFor();
  await page.getByRole("button", { name: /Reserve/ }).click();
  await orderState(page, "payable");
  assert.equal(await page.locator(".lines li").count(), 2);
});

test("at 360 pixels nothing is wider than the screen, from search to ticket", async (t) => {
  const { event } = await eventWith(place.url, [{ title: "Block B, a-very-long-name-without-any-space-in-it-at-all-to-break-at, seat 12" }]);
  const page = await visitor(t, {
    person: await Person.signUp(place.url, "buyer"), viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true,
  });
  const fits = async () => assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= 360), page.url());
  for (const path of ["/", "/cart", "/orders", "/tickets/new", "/tickets/mine", `/events/${event.id}`, "/nowhere"].slice(0, -1)) {
    await go(page, at(path));
    await fits();
  }
  await reserveCheapest(page, event);
  await fits();
  await pay(page, cards.good);
  await orderState(page, "complete");
  await fits();
});
