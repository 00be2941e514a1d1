// Debian's Chromium. A page that writes an error to its console, or breaks its content security policy, fails its test.

import assert from "node:assert/strict";
import { chromium } from "playwright-core";

const PATIENCE_MS = Number(process.env.BIGTIX_PATIENCE_MS ?? 15_000);

let browser = null;

/** The browser of this file's tests. */
export async function open() {
  browser = await chromium.launch({
    executablePath: process.env.BIGTIX_CHROMIUM ?? "/usr/bin/chromium",
    // Chromium's sandbox does not run as root.
    args: process.getuid() === 0 ? ["--no-sandbox"] : [],
  });
  return browser;
}

export async function close() {
  await browser?.close();
}

/** A visitor with a browser profile of their own. `expected` are errors that the test provokes. */
export async function visitor(t, { person, expected = [], ...options } = {}) {
  const context = await browser.newContext({ locale: "en-US", reducedMotion: "reduce", viewport: { width: 1280, height: 900 }, ...options });
  context.setDefaultTimeout(PATIENCE_MS);
  if (person) await person.enter(context);
  const page = await context.newPage();
  const complaints = [];
  page.on("pageerror", (error) => complaints.push(`${page.url()}: ${error.message}`));
  page.on("console", (message) => {
    if (message.type() === "error") complaints.push(`${page.url()}: ${message.text()}`);
  });
  t.after(async () => {
    await context.close();
    const surprises = complaints.filter((words) => !expected.some((pattern) => pattern.test(words)));
    assert.deepEqual(surprises, [], "the browser's console");
  });
  return page;
}

/** Goes to a page and waits until its scripts are attached. */
export async function go(page, address) {
  const answer = await page.goto(address);
  await settled(page);
  return answer;
}

/** Waits until the scripts of the present page are attached. */
export async function settled(page) {
  await page.waitForFunction(() => document.documentElement.dataset.scripts === "ready");
}

/** Waits until `question` answers something that is true; for what no page shows. */
export async function eventually(what, question) {
  const until = performance.now() + PATIENCE_MS;
  for (;;) {
    const answer = await question();
    if (answer) return answer;
    if (performance.now() > until) throw new Error(`never happened: ${what}`);
  }
}
