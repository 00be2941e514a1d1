// What has to be there before a page is looked at, made over the shop's own API.

import { randomUUID } from "node:crypto";

export const PASSWORD = "Correct-Horse-7";

/** An address that nobody has. */
export const newEmail = (who) => `${who}-${randomUUID().slice(0, 8)}@example.com`;

/** Somebody who is signed in. */
export class Person {
  constructor(url, email, cookie) {
    this.url = url;
    this.email = email;
    this.cookie = cookie;
  }

  static async signUp(url, who) {
    const email = newEmail(who);
    const answer = await post(url, "/api/users/signup", { email, password: PASSWORD });
    const [cookie] = answer.headers.getSetCookie().map((set) => set.split(";")[0]);
    return new Person(url, email, cookie);
  }

  async call(method, path, body) {
    const answer = await fetch(this.url + path, {
      method,
      headers: { "content-type": "application/json", cookie: this.cookie, "idempotency-key": randomUUID() },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
    return answer.status === 204 ? null : answer.json();
  }

  /** An event in the catalogue. */
  event(fields = {}) {
    return this.call("POST", "/api/events", {
      title: "Winter Concert", venue: "Great Hall", city: "Vienna", startsAt: "2031-12-05T18:30:00Z", timeZone: "Europe/Vienna",
      description: "Symphonies by candlelight.", ...fields,
    });
  }

  /** A listing, or as many as `quantity` says. */
  list(fields = {}) {
    return this.call("POST", "/api/tickets", { title: "Row F", price: 45, ...fields });
  }

  reserve(ticketId) {
    return this.call("POST", "/api/orders", { ticketId });
  }

  /** Gives a browser this person's session. */
  async enter(context) {
    const [name, ...value] = this.cookie.split("=");
    await context.addCookies([{ name, value: value.join("="), url: this.url }]);
  }
}

async function post(url, path, body) {
  const answer = await fetch(url + path, {
    method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body),
  });
  if (!answer.ok) throw new Error(`POST ${path}: ${answer.status} ${await answer.text()}`);
  return answer;
}

/** An event with `tickets` of one seller. */
export async function eventWith(url, tickets, fields = {}) {
  const seller = await Person.signUp(url, "seller");
  const event = await seller.event(fields);
  const listed = [];
  for (const ticket of tickets) listed.push(await seller.list({ eventId: event.id, ...ticket }));
  return { seller, event, tickets: listed };
}
