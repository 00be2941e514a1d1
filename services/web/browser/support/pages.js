// Every page of the shop in every state that has a face of its own. What is checked of all pages is checked of these.

import { PASSWORD, Person, eventWith, newEmail } from "./api.js";
import { go, settled } from "./browser.js";
import { cards, pay, typeCard } from "./card.js";

const orderIs = (page, word) => page.locator(`[data-order="${word}"]`).waitFor();

/** What the pages are about. */
export async function scene(url) {
  const { event, tickets, seller } = await eventWith(url, [
    { title: "Stalls, row F, seat 12", description: "An aisle seat." }, { title: "Stalls, row F, seat 13" }, { title: "Balcony", price: 30 },
    { title: "Box 4", price: 120 }, { title: "Standing", price: 15.5 },
  ]);
  const soldOut = await eventWith(url, [{}], { title: "One Night Only", city: "Graz" });
  await (await Person.signUp(url, "quick")).reserve(soldOut.tickets[0].id);
  const buyer = await Person.signUp(url, "buyer");
  const newcomer = await Person.signUp(url, "newcomer");
  return { url, event, tickets, seller, soldOut, buyer, newcomer };
}

/** Each state: its name, whose it is, and how one gets there. */
export const states = [
  ["home", null, (page, it) => go(page, `${it.url}/`)],
  ["search without a result", null, (page, it) => go(page, `${it.url}/?q=nothing-like-this&city=Nowhere`)],
  ["filters with mistakes", null, (page, it) => go(page, `${it.url}/?minPrice=x&from=never`)],
  ["event", null, (page, it) => go(page, `${it.url}/events/${it.event.id}`)],
  ["event, sold out", null, (page, it) => go(page, `${it.url}/events/${it.soldOut.event.id}`)],
  ["event, one's own", "seller", (page, it) => go(page, `${it.url}/events/${it.event.id}`)],
  ["ticket", "buyer", (page, it) => go(page, `${it.url}/tickets/${it.tickets[0].id}`)],
  ["ticket, taken", "buyer", (page, it) => go(page, `${it.url}/tickets/${it.soldOut.tickets[0].id}`)],
  ["sign up", null, (page, it) => go(page, `${it.url}/auth/signup`)],
  ["sign up with mistakes", null, signUpWrong],
  ["sign in", null, (page, it) => go(page, `${it.url}/auth/signin`)],
  ["sign out", "buyer", (page, it) => go(page, `${it.url}/auth/signout`)],
  ["cart, empty", null, (page, it) => go(page, `${it.url}/cart`)],
  ["cart", "buyer", fillCart],
  ["orders, none", "newcomer", (page, it) => go(page, `${it.url}/orders`)],
  ["order to pay", "buyer", reserved],
  ["order, card declined", "buyer", declined],
  ["order, asked before cancelling", "buyer", cancelling],
  ["order, cancelled", "buyer", cancelled],
  ["order, paid", "buyer", paid],
  ["order, the bank asks", "buyer", asked],
  ["order, refunded", "buyer", refunded],
  ["orders", "buyer", (page, it) => go(page, `${it.url}/orders`)],
  ["sell", "seller", (page, it) => go(page, `${it.url}/tickets/new`)],
  ["sell with mistakes", "seller", sellWrong],
  ["listings, none", "newcomer", (page, it) => go(page, `${it.url}/tickets/mine`)],
  ["listings", "seller", (page, it) => go(page, `${it.url}/tickets/mine`)],
  ["edit", "seller", (page, it) => go(page, `${it.url}/tickets/${it.tickets[3].id}/edit`)],
  ["not found", null, (page, it) => go(page, `${it.url}/nowhere`)],
];

async function signUpWrong(page, it) {
  await go(page, `${it.url}/auth/signup`);
  await page.getByLabel("Email").fill("nobody");
  await page.getByLabel("Password").fill(PASSWORD.slice(0, 3));
  await page.getByRole("button", { name: "Sign up" }).click();
  await page.locator(".error-summary").waitFor();
  await settled(page);
}

async function sellWrong(page, it) {
  await go(page, `${it.url}/tickets/new`);
  await page.getByLabel("Price").fill("nothing");
  await page.getByRole("button", { name: "Put on sale" }).click();
  await page.locator(".error-summary").waitFor();
  await settled(page);
}

async function fillCart(page, it) {
  await go(page, `${it.url}/events/${it.event.id}`);
  await page.getByRole("button", { name: /^Add to cart/ }).first().click();
  await page.locator(".notice-good").waitFor();
  await go(page, `${it.url}/cart`);
}

/** A fresh ticket for whoever comes next, so that states do not take each other's. */
async function reserved(page, it) {
  const [ticket] = await it.seller.list({ eventId: it.event.id, title: `Row ${newEmail("r").slice(2, 6)}`, quantity: 1 });
  const order = await it.buyer.reserve(ticket.id);
  await go(page, `${it.url}/orders/${order.id}`);
  await orderIs(page, "payable");
  await page.locator("[data-card] input").first().waitFor();
}

async function declined(page, it) {
  await reserved(page, it);
  await pay(page, cards.declined);
  await page.locator("[data-pay] .notice-bad").waitFor();
  await settled(page);
  await page.locator("[data-card] input").first().waitFor();
}

async function asked(page, it) {
  await reserved(page, it);
  await pay(page, cards.asks);
  await orderIs(page, "authenticate");
  await page.getByRole("button", { name: "Complete authentication" }).waitFor();
}

async function refunded(page, it) {
  await paid(page, it);
  const order = new URL(page.url()).pathname.split("/").at(-1);
  await it.seller.call("POST", `/api/payments/${order}/refund`);
  await page.reload();
  await orderIs(page, "refunded");
  await settled(page);
}

async function cancelling(page, it) {
  await reserved(page, it);
  await page.getByRole("button", { name: "Cancel this order" }).click();
  await page.getByRole("button", { name: "Keep it" }).waitFor();
}

async function cancelled(page, it) {
  await cancelling(page, it);
  await page.getByRole("button", { name: "Cancel the order" }).click();
  await orderIs(page, "cancelled");
  await settled(page);
}

async function paid(page, it) {
  await reserved(page, it);
  await typeCard(page, cards.good);
  await page.locator("[data-pay-button]").click();
  await orderIs(page, "complete");
  await settled(page);
}
