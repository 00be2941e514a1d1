// A purchase by somebody who has no mouse. Nothing here clicks; what has the focus is what can be seen to have it.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Person, eventWith } from "../support/api.js";
import { close, go, open, settled, visitor } from "../support/browser.js";
import { cards } from "../support/card.js";
import { shop } from "../support/shop.js";

const LONGEST_WAY = 80;
let place;

before(async () => {
  place = await shop();
  await open();
});

after(async () => {
  await close();
  await place?.stop();
});

/** What has the focus, as a screen reader would name it, and how it looks. */
const focused = (page) => page.evaluate(() => {
  const element = document.activeElement;
  const style = getComputedStyle(element.closest(".tile:focus-within") ?? element);
  const name = element.getAttribute("aria-label") ?? (element.labels?.[0] ?? element).textContent ?? "";
  const box = element.getBoundingClientRect();
  return {
    name: (name.trim() || element.placeholder || "").replace(/\s+/g, " "),
    outline: style.outlineStyle === "none" ? 0 : Number.parseFloat(style.outlineWidth),
    seen: box.bottom > 0 && box.top < innerHeight,
  };
});

/** Presses Tab until `name` has the focus; on the way everything shows that it has it. */
async function tabTo(page, name) {
  for (let step = 0; step < LONGEST_WAY; step += 1) {
    await page.keyboard.press("Tab");
    const now = await focused(page);
    assert.ok(now.outline >= 2, `no focus to be seen on ${JSON.stringify(now)}`);
    assert.ok(now.seen, `out of sight: ${JSON.stringify(now)}`);
    if (name.test(now.name)) return;
  }
  throw new Error(`${name} is not reached by Tab`);
}

test("the first stop is the way past the menu", async (t) => {
  const page = await visitor(t);
  await go(page, place.url);
  await page.keyboard.press("Tab");
  assert.match((await focused(page)).name, /Skip to content/);
  await page.keyboard.press("Enter");
  assert.equal(await page.evaluate(() => document.activeElement.id), "main");
});

test("a purchase by keyboard alone", async (t) => {
  const { event } = await eventWith(place.url, [{}, {}]);
  const page = await visitor(t, { person: await Person.signUp(place.url, "buyer") });
  await go(page, `${place.url}/events/${event.id}`);
  await tabTo(page, /How many/);
  await page.keyboard.press("ArrowUp");
  await page.locator("[data-total]", { hasText: "$90.00" }).waitFor();
  await tabTo(page, /Reserve the cheapest/);
  await page.keyboard.press("Enter");
  await page.locator('[data-order="payable"]').waitFor();
  await settled(page);

  await tabTo(page, /^number/);
  // The stand-in's form moves on by itself from field to field.
  await page.keyboard.type(cards.good);
  await page.keyboard.type("12");
  await page.keyboard.type("34");
  await page.keyboard.type("123");
  await tabTo(page, /^Pay/);
  await page.keyboard.press("Enter");
  await page.locator('[data-order="complete"]').waitFor();
});

test("a dialog keeps the focus, gives it back, and closes with Escape", async (t) => {
  const { event } = await eventWith(place.url, [{}]);
  const page = await visitor(t, { person: await Person.signUp(place.url, "buyer") });
  await go(page, `${place.url}/events/${event.id}`);
  await page.getByRole("button", { name: "Reserve the cheapest" }).press("Enter");
  await page.locator('[data-order="payable"]').waitFor();
  await settled(page);
  await tabTo(page, /Cancel this order/);
  await page.keyboard.press("Enter");
  assert.ok(await page.evaluate(() => document.activeElement.closest("dialog")));
  await page.keyboard.press("Escape");
  assert.match((await focused(page)).name, /Cancel this order/);
});
