// Lighthouse on a slow telephone: each category of home, event and ticket has at least 95 points.

import { launch } from "chrome-launcher";
import lighthouse from "lighthouse";
import { eventWith } from "./support/api.js";
import { shop } from "./support/shop.js";

const ENOUGH = 0.95;
const CATEGORIES = ["performance", "accessibility", "best-practices", "seo"];

const place = await shop();
const { event, tickets } = await eventWith(place.url, Array.from({ length: 12 }, (_, row) => ({ title: `Row ${row + 1}` })));
const chrome = await launch({
  chromePath: process.env.BIGTIX_CHROMIUM ?? "/usr/bin/chromium",
  chromeFlags: ["--headless=new", ...(process.getuid() === 0 ? ["--no-sandbox"] : [])],
});
let poor = 0;
try {
  for (const path of ["/", `/events/${event.id}`, `/tickets/${tickets[0].id}`]) {
    const { lhr } = await lighthouse(place.url + path, { port: chrome.port, onlyCategories: CATEGORIES, logLevel: "error" });
    const points = CATEGORIES.map((name) => [name, lhr.categories[name].score]);
    console.log(path, points.map(([name, score]) => `${name} ${Math.round(score * 100)}`).join(", "),
      `largest paint ${Math.round(lhr.audits["largest-contentful-paint"].numericValue)} ms`);
    for (const [name, score] of points.filter(([, it]) => it < ENOUGH)) {
      poor += 1;
      const lost = lhr.categories[name].auditRefs
        .map(({ id, weight }) => [lhr.audits[id], weight])
        .filter(([audit, weight]) => weight > 0 && audit.score !== null && audit.score < 1);
      console.log(`  ${name} ${score}:`, lost.map(([audit]) => `${audit.title} ${audit.displayValue ?? ""}`).join("; "));
    }
  }
} finally {
  chrome.kill();
  await place.stop();
}
process.exitCode = poor === 0 ? 0 : 1;
