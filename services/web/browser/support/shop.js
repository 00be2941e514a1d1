// A shop as a user would start it: `bigtix up`, on a free port, with its data in a folder of its own.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

const ROOT = resolve(import.meta.dirname, "../../../..");
const TARGET = process.env.CARGO_TARGET_DIR ?? join(ROOT, "target");
const PATIENCE_MS = 90_000;

/** The folder of the clone. */
export const root = ROOT;

/** A program of ours. */
export const program = (name) => join(TARGET, "debug", name);

/** The shop that test.sh started, or one of our own. Tests that need other rules start another. */
export async function shop() {
  const url = process.env.BIGTIX_SHOP_URL;
  return url ? { url, async stop() {} } : startShop();
}

/** Starts a shop; `set` changes fields of the resource, `file` is another resource. */
export async function startShop({ set = [], file = join(ROOT, "examples/minimal.yaml"), env = {} } = {}) {
  const data = await mkdtemp(join(tmpdir(), "bigtix-browser-"));
  const fields = set.flatMap((field) => ["--set", field]);
  const child = spawn(program("bigtix"), ["up", "--file", file, "--data", data, "--port", "0", ...fields], {
    stdio: ["ignore", "pipe", "pipe"], env: { ...process.env, ...env },
  });
  const said = [];
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (text) => said.push(text));

  async function stop() {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill("SIGTERM");
      await once(child, "exit");
    }
    await rm(data, { recursive: true, force: true });
  }

  try {
    const url = await new Promise((ready, failed) => {
      const late = setTimeout(() => failed(new Error("the shop is not ready in time")), PATIENCE_MS);
      child.once("error", failed);
      child.once("exit", (code) => failed(new Error(`bigtix up ended with ${code}`)));
      child.stdout.on("data", async () => {
        const [address] = said.join("").match(/http:\/\/[^\s]+/) ?? [];
        if (!address) return;
        clearTimeout(late);
        ready(address.replace(/\/$/, ""));
      });
    });
    const run = JSON.parse(await readFile(join(data, "run.json"), "utf8"));
    return { url, run, stop };
  } catch (error) {
    await stop();
    throw new Error(`${error.message}\n${said.join("")}`);
  }
}
