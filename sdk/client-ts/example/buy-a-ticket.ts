// Sells and buys a ticket in a running shop: node dist-example/example/buy-a-ticket.js
//
// BIGTIX_URL     where the shop is (default http://localhost:8080)
// BIGTIX_STRIPE  where its Stripe double is, as `stripe.url` in run.json of the shop's data folder says

import { Client, ProblemError } from "@bigtix/client";

const baseUrl = process.env["BIGTIX_URL"] ?? "http://localhost:8080";
const stripe = process.env["BIGTIX_STRIPE"];
if (stripe === undefined) {
  throw new Error("BIGTIX_STRIPE is needed: a card is shown to Stripe, never to the shop");
}

const tag = `${Date.now()}-${process.pid}`;
const password = "Tickets-4-all";

const seller = new Client({ baseUrl });
const buyer = new Client({ baseUrl });
await seller.post("/api/users/signup", { body: { email: `seller-${tag}@example.test`, password } });
await buyer.post("/api/users/signup", { body: { email: `buyer-${tag}@example.test`, password } });

const listed = await seller.post("/api/tickets", { body: { title: `Row F (${tag})`, price: 19.99 } });
// One ticket, or as many as `quantity` says.
const [ticket] = Array.isArray(listed) ? listed : [listed];
if (ticket === undefined) {
  throw new Error("nothing was listed");
}
console.log(`listed ${ticket.title} at $${ticket.price}`);

// The same key and the same body: one order, however often it is asked for.
const request = { body: { ticketId: ticket.id }, idempotencyKey: `order-${tag}` };
const order = await buyer.post("/api/orders", request);
const again = await buyer.post("/api/orders", request);
console.log(`reserved with order ${order.id} until ${order.expiresAt}; asked again: ${again.id === order.id ? "the same order" : "another order"}`);

try {
  await buyer.post("/api/orders", { body: { ticketId: ticket.id } });
} catch (error) {
  if (!(error instanceof ProblemError && error.code === "ticket_reserved")) {
    throw error;
  }
  console.log(`a second order is refused: ${error.code}, ${error.problem.message}`);
}

// What Stripe's script does in the buyer's browser.
const card = new URLSearchParams({
  key: "pk_test_bigtix",
  "card[number]": "4242424242424242",
  "card[exp_month]": "12",
  "card[exp_year]": "2034",
  "card[cvc]": "123",
});
const shown = await fetch(`${stripe}/v1/tokens`, { method: "POST", body: card });
const { id: token } = (await shown.json()) as { id: string };

const payment = await buyer.post("/api/payments", { body: { orderId: order.id, token } });
console.log(`paid $${payment.amount}: ${payment.status}`);
const { status } = await buyer.get("/api/orders/{id}", { path: { id: order.id } });
console.log(`the order is ${status}`);
if (again.id !== order.id || status !== "complete") {
  process.exitCode = 1;
}
