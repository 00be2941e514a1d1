// The other half of the marketplace.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { PASSWORD, Person, newEmail } from "../support/api.js";
import { close, eventually, go, open, settled, visitor } from "../support/browser.js";
import { cards, pay } from "../support/card.js";
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

test("somebody signs up, lists a ticket, changes it, sells it, and sees what came in", async (t) => {
  const title = `Balcony ${newEmail("x").slice(2, 10)}`;
  const seller = await visitor(t);
  await go(seller, at("/tickets/new"));
  await seller.waitForURL("**/auth/signin**");
  await seller.locator("main").getByRole("link", { name: "Sign up" }).click();
  await seller.getByLabel("Email").fill(newEmail("seller"));
  await seller.getByLabel("Password").fill(PASSWORD);
  await seller.getByRole("button", { name: "Sign up" }).click();
  await seller.waitForURL("**/tickets/new**");
  await settled(seller);
  await seller.getByLabel("What is it?").fill(title);
  await seller.getByLabel("Price").fill("80");
  await seller.getByRole("button", { name: "Put on sale" }).click();
  await seller.waitForURL((url) => url.pathname !== "/tickets/new");
  await go(seller, at("/tickets/mine"));
  const row = seller.getByRole("row", { name: new RegExp(title) });
  await row.getByText("For sale").waitFor();
  await row.getByRole("link", { name: /^Edit/ }).click();
  await settled(seller);
  await seller.getByLabel("Price").fill("85");
  await seller.getByRole("button", { name: /^Save/ }).click();
  await seller.waitForURL((url) => !url.pathname.endsWith("/edit"));
  await go(seller, at("/tickets/mine"));
  await row.getByText("$85.00").waitFor();

  // What others do to a listing is there within a second, by the contract.
  const shows = (word) => eventually(`the listing is ${word}`, async () => {
    await go(seller, at("/tickets/mine"));
    return row.getByText(word, { exact: true }).isVisible();
  });
  const buyer = await visitor(t, { person: await Person.signUp(place.url, "buyer") });
  await go(buyer, at(`/?q=${encodeURIComponent(title)}`));
  await buyer.getByRole("link", { name: title }).click();
  await buyer.getByRole("button", { name: /^Reserve/ }).first().click();
  await buyer.locator('[data-order="payable"]').waitFor();
  await settled(buyer);

  // What cannot be changed is said before anybody tries.
  await shows("Reserved");
  assert.equal(await row.getByRole("link", { name: /^Edit/ }).count(), 0);

  await pay(buyer, cards.good);
  await buyer.locator('[data-order="complete"]').waitFor();
  await shows("Sold");
  await seller.getByText("$85.00").first().waitFor();
});

test("withdrawing asks first", async (t) => {
  const person = await Person.signUp(place.url, "seller");
  await person.list({ title: "Folding chair" });
  const page = await visitor(t, { person });
  await go(page, at("/tickets/mine"));
  const row = page.getByRole("row", { name: /Folding chair/ });
  await row.getByRole("link", { name: /^Edit/ }).click();
  await settled(page);
  await page.getByRole("button", { name: /^Withdraw/ }).first().click();
  await page.getByRole("dialog").getByRole("button", { name: /^Withdraw/ }).click();
  await page.waitForURL((url) => !url.pathname.endsWith("/edit"));
  await go(page, at("/tickets/mine"));
  await row.getByText("Withdrawn").waitFor();
});

test("a mistake is answered beside its field, and what was typed stays", async (t) => {
  const page = await visitor(t, { person: await Person.signUp(place.url, "seller"), expected: [/status of 4\d\d/] });
  await go(page, at("/tickets/new"));
  await page.getByLabel("What is it?").fill("Two decimals at most");
  await page.getByLabel("Price").fill("10.123");
  await page.getByRole("button", { name: "Put on sale" }).click();
  await page.locator("#price-error").waitFor();
  assert.match(await page.title(), /^Error:/);
  assert.equal(await page.getByLabel("What is it?").inputValue(), "Two decimals at most");
  assert.ok(await page.evaluate(() => document.activeElement.matches(".error-summary")));
});
