// A shop whose Stripe is the project's double: it has the Payment Element, and it can be told what goes wrong.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { program, startShop } from "./shop.js";

const SECRETS = { STRIPE_SECRET_KEY: "sk_test_double", STRIPE_WEBHOOK_SECRET: "whsec_double" };

/** A port that nobody has at the moment. */
async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  await once(server, "close");
  return port;
}

/** Starts both. `stripe` asks the double's own paths. */
export async function shopWithDouble() {
  const folder = await mkdtemp(join(tmpdir(), "bigtix-double-"));
  const address = `127.0.0.1:${await freePort()}`;
  const double = spawn(program("bigtix-stripe-double"), {
    env: { ...process.env, ...SECRETS, LISTEN: address, WEBHOOK_URL: "http://127.0.0.1:9/api/webhooks/stripe" },
    stdio: ["ignore", "pipe", "inherit"],
  });
  await once(double.stdout, "data");
  const file = join(folder, "shop.yaml");
  await writeFile(file, `apiVersion: bigtix.dev/v1alpha1
kind: BigTix
metadata: { name: shop }
spec:
  version: 1.0.0
  payments: { secretName: stripe, apiURL: "http://${address}", scriptURL: "http://${address}/v3/" }
`);
  const place = await startShop({ file, env: { ...SECRETS, STRIPE_PUBLISHABLE_KEY: "pk_test_bigtix" } });

  async function stripe(method, path, body) {
    const answer = await fetch(`http://${address}/_double/${path}`, {
      method, headers: { "content-type": "application/json" }, body: body && JSON.stringify(body),
    });
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
    return answer.json();
  }

  async function stop() {
    await place.stop();
    if (double.exitCode === null) {
      double.kill("SIGTERM");
      await once(double, "exit");
    }
    await rm(folder, { recursive: true, force: true });
  }

  return { url: place.url, stripe, stop };
}
