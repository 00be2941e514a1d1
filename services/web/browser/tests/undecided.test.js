// A payment that nobody has answered yet, and one that the bank took back after it was authorised.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Person, eventWith } from "../support/api.js";
import { accessible } from "../support/axe.js";
import { close, eventually, go, open, settled, visitor } from "../support/browser.js";
import { shopWithDouble } from "../support/double.js";

/** Each attempt to take the money, for as long as a test lasts. */
const UNANSWERED = { request: { operation: "capture", kind: "error_before", times: 10000 } };
let place;

before(async () => {
  place = await shopWithDouble();
  await open();
});

after(async () => {
  await close();
  await place?.stop();
});

async function looksRight(page) {
  for (const colorScheme of ["light", "dark"]) {
    await page.emulateMedia({ colorScheme });
    await accessible(page);
  }
}

test("what is not decided is not called failed, and what the bank took back is", async (t) => {
  const { tickets: [ticket] } = await eventWith(place.url, [{}]);
  const buyer = await Person.signUp(place.url, "buyer");
  const order = await buyer.reserve(ticket.id);
  await place.stripe("POST", "faults", UNANSWERED);
  await assert.rejects(buyer.call("POST", "/api/payments", { orderId: order.id, token: "pm_card_visa" }), /503/);

  const page = await visitor(t, { person: buyer });
  await go(page, `${place.url}/orders/${order.id}`);
  await page.locator('[data-order="confirming"]').waitFor();
  assert.equal(await page.locator("[data-pay]").count(), 0, "a second payment is offered");
  await looksRight(page);

  const { stripeId } = await buyer.call("GET", `/api/payments/${order.id}`);
  await place.stripe("POST", `payment_intents/${stripeId}/lapse`);
  await place.stripe("DELETE", "faults");
  // The page looks again by itself.
  await page.locator('[data-order="failed"]').waitFor();
  await settled(page);
  await looksRight(page);
  await eventually("the ticket is free again", async () => (await buyer.call("GET", `/api/tickets/${ticket.id}`)).status === "available");
});
