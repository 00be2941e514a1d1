// axe finds nothing on any page in any state, in light, dark and forced colours, with large or widely set text, from right to left, and on a narrow screen.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { accessible } from "../support/axe.js";
import { close, open, visitor } from "../support/browser.js";
import { scene, states } from "../support/pages.js";
import { shop } from "../support/shop.js";

const WIDE = { width: 1280, height: 900 };
const NARROW = { width: 320, height: 640 };
/** Ways to look at a page; the page stays and the device changes. */
const looks = {
  light: { colorScheme: "light" },
  dark: { colorScheme: "dark" },
  "forced colours": { colorScheme: "light", forcedColors: "active" },
  "320 pixels": { colorScheme: "light", viewport: NARROW },
  "text of 200 %": { colorScheme: "light", rule: ":root { font-size: 200% }" },
  "from right to left": { colorScheme: "light", direction: "rtl" },
  // Not a question of colours or names: only room is needed.
  "text spacing": {
    colorScheme: "light",
    room: true,
    rule: "* { line-height: 1.5 !important; letter-spacing: 0.12em !important; word-spacing: 0.16em !important } p { margin-block-end: 2em !important }",
  },
};
let place;
let it;

before(async () => {
  place = await shop();
  await open();
  it = await scene(place.url);
});

after(async () => {
  await close();
  await place?.stop();
});

/** Nothing has to be scrolled sideways, but what is a table or a picture by nature; there is none. */
async function fits(page) {
  const [wide, room] = await page.evaluate(() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]);
  assert.ok(wide <= room, `${page.url()} is ${wide} wide in ${room}`);
}

/** WCAG 2.5.8: a target is 24 pixels, or stands in a sentence. */
async function targets(page) {
  const small = await page.evaluate(() => [...document.querySelectorAll(":is(header, main, footer) :is(a, button, input:not([type=hidden]), select, summary)")]
    .filter((element) => element.checkVisibility() && !element.closest("p, dd, li > span, .table th, .visually-hidden") && !element.matches(".skip, .tile-title a, h3 a, h2 a"))
    .map((element) => [element.outerHTML, element.getBoundingClientRect()])
    .filter(([, box]) => box.width < 24 || box.height < 24)
    .map(([html, box]) => `${box.width}x${box.height} ${html}`));
  assert.deepEqual(small, []);
}

async function structure(page) {
  assert.equal(await page.locator("h1").count(), 1, "one h1");
  assert.match(await page.title(), / – BigTix$/);
  assert.equal(await page.locator(":is(header, main, footer) :is([style], [onclick])").evaluateAll((all) => all.filter((e) => !e.closest("[data-card]")).length), 0, "inline style");
}

async function look(page, { colorScheme, forcedColors = "none", viewport = WIDE, rule = "", direction = "ltr" }) {
  await page.emulateMedia({ colorScheme, forcedColors });
  await page.setViewportSize(viewport);
  await page.evaluate(([text, dir]) => {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(text);
    document.adoptedStyleSheets = [sheet];
    document.documentElement.dir = dir;
  }, [rule, direction]);
}

for (const [name, who, reach] of states) {
  test(name, async (t) => {
    const page = await visitor(t, { person: who && it[who], expected: [/status of 4\d\d/] });
    await reach(page, it);
    await structure(page);
    await targets(page);
    for (const [way, device] of Object.entries(looks)) {
      await t.test(way, async () => {
        await look(page, device);
        await fits(page);
        if (!device.room) await accessible(page);
      });
    }
  });
}
