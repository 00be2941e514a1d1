// Calls against a server that answers what a test says, over real connections.

import assert from "node:assert/strict";
import { createServer } from "node:http";
import { after, before, beforeEach, test } from "node:test";
import { Client, NetworkError, ProblemError, UnreadableError } from "../dist/index.js";

/** What the server still has to answer, and what it was asked. */
let answers;
let asked;
let server;
let baseUrl;

before(async () => {
  server = createServer((request, response) => {
    const chunks = [];
    request.on("data", (chunk) => chunks.push(chunk));
    request.on("end", () => {
      const { method, url, headers } = request;
      asked.push({ method, url, headers, body: Buffer.concat(chunks).toString() });
      const answer = answers.shift();
      if (answer === "break") {
        request.socket.destroy();
      } else if (answer !== "silence") {
        response.writeHead(answer.status ?? 200, answer.headers);
        response.end(typeof answer.body === "string" ? answer.body : JSON.stringify(answer.body ?? {}));
      }
    });
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  baseUrl = `http://127.0.0.1:${server.address().port}`;
});

after(() => {
  server.closeAllConnections();
  server.close();
});

beforeEach(() => {
  answers = [];
  asked = [];
});

function problem(status, code, headers = {}) {
  const body = { message: "Not now", errors: [{ message: "Not now", field: "email" }], code };
  return { status, body, headers };
}

const key = (request) => request.headers["idempotency-key"];

test("a call says what it is about, and reads the answer", async () => {
  answers = [{ status: 201, body: { id: "7" } }];
  const order = await new Client({ baseUrl: `${baseUrl}/`, token: "t" }).post("/api/orders", { body: { ticketId: "1" } });
  assert.deepEqual(order, { id: "7" });
  const [{ method, url, headers, body }] = asked;
  assert.deepEqual([method, url, body], ["POST", "/api/orders", '{"ticketId":"1"}']);
  assert.equal(headers.authorization, "Bearer t");
  assert.equal(headers["content-type"], "application/json");
});

test("parameters are encoded, and absent ones are left out", async () => {
  answers = [{ body: [] }, { body: {} }];
  const shop = new Client({ baseUrl });
  await shop.get("/api/tickets", { query: { q: "a&b c", limit: 5, eventId: undefined } });
  await shop.get("/api/tickets/serial-number/{serialNumber}", { path: { serialNumber: "a/b?c" } });
  assert.deepEqual(asked.map((request) => request.url), ["/api/tickets?q=a%26b+c&limit=5", "/api/tickets/serial-number/a%2Fb%3Fc"]);
});

test("a POST that is made again carries the key and the body of the first time", async () => {
  answers = [problem(503, "unavailable"), "break", { status: 201, body: { id: "7" } }];
  await new Client({ baseUrl }).post("/api/orders", { body: { ticketId: "1" } });
  assert.equal(asked.length, 3);
  assert.match(key(asked[0]), /^[0-9a-f-]{36}$/);
  assert.equal(new Set(asked.map(key)).size, 1);
  assert.equal(new Set(asked.map((request) => request.body)).size, 1);
});

test("two calls have two keys, and a key of one's own is kept", async () => {
  answers = [{}, {}, {}];
  const shop = new Client({ baseUrl });
  await shop.post("/api/orders", { body: { ticketId: "1" } });
  await shop.post("/api/orders", { body: { ticketId: "1" } });
  await shop.post("/api/orders", { body: { ticketId: "1" }, idempotencyKey: "mine" });
  assert.equal(new Set(asked.map(key)).size, 3);
  assert.equal(key(asked[2]), "mine");
});

test("Retry-After is obeyed", async () => {
  answers = [problem(503, "unavailable", { "retry-after": "1" }), { body: [] }];
  const began = performance.now();
  await new Client({ baseUrl }).get("/api/tickets");
  const took = performance.now() - began;
  assert.ok(took >= 990 && took < 5_000, `${took} ms`);
});

test("what heeds no key is made once", async () => {
  const shop = new Client({ baseUrl });
  const credentials = { email: "a@example.test", password: "Tickets-4-all" };
  answers = [problem(503, "unavailable"), "break", problem(503, "unavailable")];
  await assert.rejects(shop.post("/api/users/signup", { body: credentials }), ProblemError);
  await assert.rejects(shop.post("/api/users/signup", { body: credentials }), NetworkError);
  await assert.rejects(shop.delete("/api/orders/{id}", { path: { id: "1" } }), ProblemError);
  assert.equal(asked.length, 3);
});

test("a refusal is final, and says its code, its fields and its request", async () => {
  answers = [problem(400, "validation_failed", { "x-request-id": "r1" })];
  await assert.rejects(new Client({ baseUrl }).post("/api/orders", { body: {} }), (error) => {
    assert.ok(error instanceof ProblemError);
    assert.deepEqual([error.status, error.code, error.requestId], [400, "validation_failed", "r1"]);
    assert.deepEqual(error.about("email"), ["Not now"]);
    assert.equal(error.message, "400: Not now");
    return true;
  });
  assert.equal(asked.length, 1);
});

test("it is given up after four attempts", async () => {
  answers = ["break", "break", "break", "break", { body: [] }];
  await assert.rejects(new Client({ baseUrl }).get("/api/tickets"), NetworkError);
  assert.equal(asked.length, 4);
});

test("an answer that is no JSON is unreadable", async () => {
  answers = [{ body: "<html>" }, { status: 404, body: "<html>" }, { status: 404, body: "null" }];
  for (const status of [200, 404, 404]) {
    await assert.rejects(new Client({ baseUrl }).get("/api/tickets"), (error) => error instanceof UnreadableError && error.status === status);
  }
});

test("an attempt that gets no answer ends in time", async () => {
  answers = ["silence"];
  await assert.rejects(new Client({ baseUrl, timeout: 100 }).put("/api/tickets/{id}", { path: { id: "1" }, body: {} }), NetworkError);
});

test("a call that is called off is not made again", async () => {
  answers = [problem(503, "unavailable", { "retry-after": "5" }), { body: [] }];
  const signal = AbortSignal.timeout(200);
  const began = performance.now();
  await assert.rejects(new Client({ baseUrl }).get("/api/tickets", { signal }), NetworkError);
  assert.ok(performance.now() - began < 2_000);
  assert.equal(asked.length, 1);
});

test("a call that is called off under way is not made again", async () => {
  answers = ["silence", { body: [] }];
  let sent = 0;
  const counted = (...request) => {
    sent++;
    return fetch(...request);
  };
  const call = new Client({ baseUrl, fetch: counted }).get("/api/tickets", { signal: AbortSignal.timeout(100) });
  await assert.rejects(call, NetworkError);
  assert.equal(sent, 1);
});

test("signing in is remembered, and signing out forgets", async () => {
  const cookie = Buffer.from(JSON.stringify({ jwt: "a.b.c" })).toString("base64");
  answers = [
    { body: { id: "1" }, headers: { "set-cookie": `session=${cookie}; Path=/; HttpOnly` } },
    { body: { currentUser: null } },
    { body: {}, headers: { "set-cookie": "session=; Path=/; Max-Age=0" } },
  ];
  const shop = new Client({ baseUrl });
  await shop.post("/api/users/signin", { body: { email: "a@example.test", password: "x" } });
  assert.equal(shop.token, "a.b.c");
  await shop.get("/api/users/currentuser");
  assert.equal(asked[1].headers.authorization, "Bearer a.b.c");
  await shop.post("/api/users/signout");
  assert.equal(shop.token, undefined);
});

test("a list is read page after page", async () => {
  answers = [{ body: [{ id: "1" }, { id: "2" }], headers: { "x-next-cursor": "c" } }, { body: [{ id: "3" }] }];
  const ids = [];
  for await (const ticket of new Client({ baseUrl }).all("/api/tickets", { query: { status: "all" } })) {
    ids.push(ticket.id);
  }
  assert.deepEqual(ids, ["1", "2", "3"]);
  assert.deepEqual(asked.map((request) => request.url), ["/api/tickets?status=all", "/api/tickets?status=all&cursor=c"]);
});

test("an answer without a body is nothing", async () => {
  answers = [{ status: 204, body: "" }];
  assert.equal(await new Client({ baseUrl }).delete("/api/orders/{id}", { path: { id: "1" } }), undefined);
});
