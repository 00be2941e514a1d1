// What the compiler has to accept and to refuse; it is checked and never run.

import { Client, type Order, type Ticket } from "../src/index.js";

export async function calls(shop: Client): Promise<void> {
  const tickets: Ticket[] = await shop.get("/api/tickets");
  const one: Ticket = await shop.get("/api/tickets/{id}", { path: { id: tickets[0]?.id ?? "" } });
  const order: Order = await shop.post("/api/orders", { body: { ticketId: one.id }, idempotencyKey: "a" });
  const nothing: undefined = await shop.delete("/api/orders/{id}", { path: { id: order.id } });
  await shop.post("/api/payments/{orderId}/refund", { path: { orderId: order.id } });
  for await (const ticket of shop.all("/api/tickets", { query: { status: "all", limit: 200 } })) {
    const id: string = ticket.id;
    void id;
  }
  void nothing;

  // @ts-expect-error: there is no such path
  await shop.get("/api/ticket");
  // @ts-expect-error: an order cannot be patched
  await shop.patch("/api/orders/{id}", { path: { id: order.id } });
  // @ts-expect-error: a path with a parameter needs it
  await shop.get("/api/tickets/{id}");
  // @ts-expect-error: a required query is needed
  await shop.get("/api/events/search");
  // @ts-expect-error: a body is needed
  await shop.post("/api/users/signin");
  // @ts-expect-error: a body has its fields
  await shop.post("/api/users/signin", { body: { email: "a@example.test" } });
  // @ts-expect-error: one order is no list
  shop.all("/api/orders/{id}", { path: { id: order.id } });
  // @ts-expect-error: an order has no such field
  void order.price;
}
