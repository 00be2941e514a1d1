// The pictures of the README: a real shop with a few events in it, in light and dark.

import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { chromium } from "playwright-core";
import { Person } from "./support/api.js";
import { root, shop } from "./support/shop.js";

const FOLDER = join(root, "docs/pictures");
const SIZE = { width: 1280, height: 800 };
const PHONE = { width: 390, height: 780 };
const EVENTS = [
  [{ title: "Winter Concert", venue: "Great Hall", city: "Vienna", startsAt: "2031-12-05T18:30:00Z", timeZone: "Europe/Vienna" }, "Parterre, row", 6, 45],
  [{ title: "Harbour Lights Festival", venue: "Pier 9", city: "Lisbon", startsAt: "2031-07-19T17:00:00Z", timeZone: "Europe/Lisbon" }, "Day ticket", 14, 62.5],
  [{ title: "The Paper Theatre", venue: "Old Mill", city: "Ghent", startsAt: "2031-03-02T19:00:00Z", timeZone: "Europe/Brussels" }, "Gallery, seat", 3, 18],
  [{ title: "City Derby", venue: "North Ground", city: "Glasgow", startsAt: "2031-04-12T14:00:00Z", timeZone: "Europe/London" }, "Stand C, seat", 9, 38],
  [{ title: "Night of the Long Organ", venue: "Cathedral", city: "Linz", startsAt: "2031-10-30T21:00:00Z", timeZone: "Europe/Vienna" }, "Nave", 5, 24],
  [{ title: "Slow Jazz Sunday", venue: "Cellar 12", city: "Trieste", startsAt: "2031-02-23T10:00:00Z", timeZone: "Europe/Rome" }, "Table", 2, 15],
];

const place = await shop();
const browser = await chromium.launch({
  executablePath: process.env.BIGTIX_CHROMIUM ?? "/usr/bin/chromium", args: process.getuid() === 0 ? ["--no-sandbox"] : [],
});
try {
  await mkdir(FOLDER, { recursive: true });
  const seller = await Person.signUp(place.url, "seller");
  const buyer = await Person.signUp(place.url, "buyer");
  const made = [];
  for (const [fields, title, count, price] of EVENTS) {
    const event = await seller.event({ description: "", ...fields });
    for (let row = 1; row <= count; row += 1) await seller.list({ title: `${title} ${row}`, price, eventId: event.id });
    made.push(event);
  }
  const order = await buyer.call("POST", "/api/orders", { eventId: made[0].id, quantity: 2 });
  for (const [name, path, options] of [
    ["home", "/", { viewport: SIZE }],
    ["home-dark", "/", { viewport: SIZE, colorScheme: "dark" }],
    ["event", `/events/${made[0].id}`, { viewport: SIZE }],
    ["order", `/orders/${order.id}`, { viewport: SIZE }],
    ["telephone", `/events/${made[1].id}`, { viewport: PHONE, deviceScaleFactor: 2 }],
  ]) {
    const context = await browser.newContext({ locale: "en-US", colorScheme: "light", ...options });
    await buyer.enter(context);
    const page = await context.newPage();
    await page.goto(place.url + path);
    await page.waitForFunction(() => document.documentElement.dataset.scripts === "ready");
    if (name === "order") await page.locator("[data-card] input").first().waitFor();
    await page.screenshot({ path: join(FOLDER, `${name}.png`) });
    await context.close();
  }
} finally {
  await browser.close();
  await place.stop();
}
