// Everything up to the card form works without JavaScript.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { PASSWORD, eventWith, newEmail } from "../support/api.js";
import { close, open, visitor } from "../support/browser.js";
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

async function signUp(page) {
  await page.goto(at("/auth/signup"));
  await page.getByLabel("Email").fill(newEmail("plain"));
  await page.getByLabel("Password").fill(PASSWORD);
  await page.getByRole("button", { name: "Sign up" }).click();
  await page.getByRole("button", { name: "Sign out" }).waitFor();
}

test("search, sign up, reserve, see the deadline, cancel, reserve again", async (t) => {
  const title = `Organ ${newEmail("x").slice(2, 10)}`;
  const { event } = await eventWith(place.url, [{}, {}], { title });
  const page = await visitor(t, { javaScriptEnabled: false });
  await signUp(page);
  await page.goto(at(`/?q=${encodeURIComponent(title)}&city=Vienna`));
  await page.getByRole("link", { name: title }).click();
  await page.getByLabel("How many").fill("2");
  await page.getByRole("button", { name: "Reserve the cheapest" }).click();
  await page.waitForURL("**/orders/*");
  const order = page.url();
  await page.getByText(/until \d/).first().waitFor();
  await page.locator("noscript .notice").first().waitFor();

  await page.getByRole("button", { name: "Cancel this order" }).click();
  await page.locator('[data-order="cancelled"]').waitFor();
  assert.equal(page.url().split("?")[0], order);

  await page.goto(at(`/events/${event.id}`));
  await page.getByLabel("How many").fill("1");
  await page.getByRole("button", { name: "Reserve the cheapest" }).click();
  await page.locator('[data-order="payable"]').waitFor();

  // A shop without a Stripe account has a card that needs no script.
  await page.getByRole("button", { name: /with a test card/ }).click();
  await page.locator('[data-order="complete"]').waitFor();
  assert.equal(await page.locator(".admission .qr").count(), 1);
});

test("errors stand beside their fields and in a summary that has the focus", async (t) => {
  const page = await visitor(t, { javaScriptEnabled: false, expected: [/status of 4\d\d/] });
  await page.goto(at("/auth/signup"));
  await page.getByLabel("Email").fill("nobody");
  await page.getByLabel("Password").fill("x");
  await page.getByRole("button", { name: "Sign up" }).click();
  await page.locator(".error-summary").waitFor();
  assert.match(await page.title(), /^Error:/);
  assert.equal(await page.getByLabel("Email").inputValue(), "nobody");
  const beside = await page.locator("#email-error").textContent();
  const summary = await page.locator('.error-summary a[href="#email"]').textContent();
  assert.equal(summary.trim(), beside.trim());
  assert.equal(await page.getByLabel("Email").getAttribute("aria-invalid"), "true");
});

test("a whole sale: list three, change one, withdraw one", async (t) => {
  const page = await visitor(t, { javaScriptEnabled: false });
  await signUp(page);
  await page.goto(at("/tickets/new"));
  await page.getByLabel("What is it?").fill("Standing, floor");
  await page.getByLabel("Price").fill("25.50");
  await page.getByLabel(/How many/).fill("3");
  await page.getByRole("button", { name: "Put on sale" }).click();
  await page.waitForURL((url) => url.pathname !== "/tickets/new");
  await page.goto(at("/tickets/mine"));
  assert.equal(await page.getByRole("link", { name: /^Edit/ }).count(), 3);

  await page.getByRole("link", { name: /^Edit/ }).first().click();
  await page.getByLabel("Price").fill("27");
  await page.getByRole("button", { name: /Save/ }).click();
  await page.waitForURL((url) => !url.pathname.endsWith("/edit"));
  await page.goto(at("/tickets/mine"));
  await page.getByText("$27.00").first().waitFor();

  await page.getByRole("link", { name: /^Edit/ }).first().click();
  await page.getByRole("button", { name: /Withdraw/ }).first().click();
  await page.waitForURL((url) => !url.pathname.endsWith("/edit"));
  await page.goto(at("/tickets/mine"));
  await page.getByText("Withdrawn").first().waitFor();
  assert.equal(await page.getByRole("link", { name: /^Edit/ }).count(), 2);
});
