// The Payment Element and confirmation tokens, as Stripe's own script has them; here the project's double serves both.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Person, eventWith } from "../support/api.js";
import { close, go, open, settled, visitor } from "../support/browser.js";
import { shopWithDouble } from "../support/double.js";

let place;

before(async () => {
  place = await shopWithDouble();
  await open();
});

after(async () => {
  await close();
  await place?.stop();
});

async function toPay(t, number, expected = []) {
  const { tickets: [ticket] } = await eventWith(place.url, [{}]);
  const buyer = await Person.signUp(place.url, "buyer");
  const order = await buyer.reserve(ticket.id);
  const page = await visitor(t, { person: buyer, expected });
  await go(page, `${place.url}/orders/${order.id}`);
  await type(page, number);
  return page;
}

async function type(page, number) {
  await page.getByLabel("Card number").fill(number);
  await page.getByLabel("Expiration date").fill("12/34");
  await page.getByLabel("Security code").fill("123");
  await page.locator("[data-pay-button]").click();
}

test("a card pays", async (t) => {
  const page = await toPay(t, "4242 4242 4242 4242");
  await page.locator('[data-order="complete"]').waitFor();
});

test("a declined card says why, and another one pays", async (t) => {
  const page = await toPay(t, "4000 0000 0000 0002", [/status of 4\d\d/]);
  await page.locator("[data-pay] .notice-bad").waitFor();
  assert.match(await page.locator("[data-pay] .notice-bad").textContent(), /declined/);
  await settled(page);
  await type(page, "4242 4242 4242 4242");
  await page.locator('[data-order="complete"]').waitFor();
});

test("the bank's question is asked on the page", async (t) => {
  const page = await toPay(t, "4000 0025 0000 3155");
  await page.getByRole("button", { name: "Complete authentication" }).click();
  await page.locator('[data-order="complete"]').waitFor();
});

test("an untouched form says what is missing", async (t) => {
  const page = await toPay(t, "");
  await page.locator("[data-card-error]").waitFor();
  assert.match(await page.locator("[data-card-error]").textContent(), /incomplete|Check/);
});
