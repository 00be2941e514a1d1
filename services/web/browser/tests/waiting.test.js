// Time runs out, stock changes, connections drop: the page stays true.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Person, eventWith } from "../support/api.js";
import { accessible } from "../support/axe.js";
import { close, eventually, go, open, settled, visitor } from "../support/browser.js";
import { typeCard, cards } from "../support/card.js";
import { shop, startShop } from "../support/shop.js";

let place;
let hasty;

before(async () => {
  place = await shop();
  hasty = await startShop({ set: ["spec.reservationSeconds=6"] });
  await open();
});

after(async () => {
  await close();
  await hasty?.stop();
  await place?.stop();
});

async function reserved(t, url, options = {}) {
  const { event, tickets: [ticket], seller } = await eventWith(url, [{}]);
  const buyer = await Person.signUp(url, "buyer");
  const order = await buyer.reserve(ticket.id);
  const page = await visitor(t, { person: buyer, ...options });
  return { page, order, buyer, event, ticket, seller, address: `${url}/orders/${order.id}` };
}

const seconds = async (page) => {
  const [minutes, rest] = (await page.locator("[data-clock]").textContent()).split(":").map(Number);
  return minutes * 60 + rest;
};

test("an order that expires while the card is typed says so, and can be had again with one button", async (t) => {
  const { page, address } = await reserved(t, hasty.url);
  await go(page, address);
  await typeCard(page, cards.good);
  await page.locator('[data-order="expired"]').waitFor();
  await settled(page);
  for (const colorScheme of ["light", "dark"]) {
    await page.emulateMedia({ colorScheme });
    await accessible(page);
  }
  await page.getByRole("button", { name: "Try the same tickets again" }).click();
  await page.locator('[data-order="payable"]').waitFor();
  assert.notEqual(page.url(), address);
});

for (const hours of [-1, 1]) {
  test(`a device whose clock is ${hours} hour wrong shows the time that is left`, async (t) => {
    const { page, address, order } = await reserved(t, place.url);
    await page.addInitScript((wrong) => {
      const Right = Date;
      globalThis.Date = class extends Right {
        constructor(...given) {
          super(...(given.length === 0 ? [Right.now() + wrong] : given));
        }

        static now() { return Right.now() + wrong; }
      };
    }, hours * 3_600_000);
    await go(page, address);
    const left = (Date.parse(order.expiresAt) - Date.now()) / 1000;
    assert.ok(Math.abs(await seconds(page) - left) <= 3, `${await seconds(page)} of ${left}`);
  });
}

test("the time that is left is said at ten, five, two minutes and at the last one, and no more", async (t) => {
  const { page, address } = await reserved(t, place.url);
  await page.clock.install();
  await page.addInitScript(() => {
    globalThis.heard = [];
    document.addEventListener("DOMContentLoaded", () => {
      for (const id of ["polite", "assertive"]) {
        new MutationObserver(() => {
          const words = document.getElementById(id).textContent;
          if (words) globalThis.heard.push(`${id}: ${words}`);
        }).observe(document.getElementById(id), { childList: true, characterData: true, subtree: true });
      }
    });
  });
  await page.goto(address);
  // The server's HTML shows the time too; the script has begun when it is hidden from readers.
  await page.locator('[data-clock][aria-hidden="true"]', { hasText: /^1[45]:/ }).waitFor();
  await page.clock.runFor("14:30");
  const heard = await page.evaluate(() => globalThis.heard);
  assert.equal(heard.length, 4, heard.join("\n"));
  assert.match(heard[0], /^polite: 10 minutes/);
  assert.match(heard[1], /^polite: 5 minutes/);
  assert.match(heard[2], /^polite: 2 minutes/);
  assert.match(heard[3], /^assertive: 1 minute/);
});

test("what others reserve disappears, and what they give back returns, without a reload", async (t) => {
  const { event, tickets } = await eventWith(place.url, [{ title: "Left" }, { title: "Right", price: 60 }]);
  const page = await visitor(t);
  await go(page, `${place.url}/events/${event.id}`);
  const free = page.locator("[data-free]");
  await free.filter({ hasText: "2" }).waitFor();
  const other = await Person.signUp(place.url, "other");
  const order = await other.reserve(tickets[0].id);
  await free.filter({ hasText: "1" }).waitFor();
  await page.locator(`[data-ticket="${tickets[0].id}"].stub-gone`).waitFor();
  await other.call("DELETE", `/api/orders/${order.id}`);
  await free.filter({ hasText: "2" }).waitFor();
  assert.equal(await page.locator(".stub-gone").count(), 0);
});

test("what is sold out says so, and when a ticket comes back there is a way to it", async (t) => {
  const { event, tickets } = await eventWith(place.url, [{}]);
  const other = await Person.signUp(place.url, "other");
  const looking = await visitor(t);
  await go(looking, `${place.url}/events/${event.id}`);
  const order = await other.reserve(tickets[0].id);
  await looking.locator("[data-free-word]", { hasText: "Sold out" }).waitFor();
  await looking.getByRole("button", { name: "Reserve the cheapest" }).waitFor({ state: "hidden" });

  const late = await visitor(t);
  await go(late, `${place.url}/events/${event.id}`);
  await late.locator("[data-free-word]", { hasText: "Sold out" }).waitFor();
  await other.call("DELETE", `/api/orders/${order.id}`);
  await looking.getByRole("button", { name: "Reserve the cheapest" }).waitFor();
  await late.getByRole("link", { name: "Show them" }).click();
  await late.getByRole("button", { name: "Reserve the cheapest" }).waitFor();
});

test("when the stream drops, the page says so and asks by itself within five seconds", async (t) => {
  const { event, tickets } = await eventWith(place.url, [{}, {}]);
  const page = await visitor(t, { expected: [/ERR_/, /EventSource/, /MIME/] });
  await page.route("**/live", (route) => route.abort());
  const asked = page.waitForResponse("**/availability", { timeout: 5000 });
  await go(page, `${place.url}/events/${event.id}`);
  await asked;
  await (await Person.signUp(place.url, "other")).reserve(tickets[0].id);
  await page.locator("[data-free]", { hasText: "1" }).waitFor();

  await page.route("**/availability", (route) => route.abort());
  await page.locator("[data-stale]").waitFor({ state: "visible" });
  await page.unroute("**/availability");
  await page.locator("[data-stale]").waitFor({ state: "hidden" });
});

test("a page that comes back from the history learns what happened meanwhile", async (t) => {
  const { page, address, order, buyer } = await reserved(t, place.url);
  await go(page, address);
  await go(page, `${place.url}/`);
  await buyer.call("DELETE", `/api/orders/${order.id}`);
  await page.goBack();
  await page.locator('[data-order="cancelled"]').waitFor();
  await eventually("the order is cancelled", async () => (await buyer.call("GET", `/api/orders/${order.id}`)).status === "cancelled");
});
