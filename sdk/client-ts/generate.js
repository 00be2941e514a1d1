// Writes src/generated from the API's documents, or with --check says which of its files are stale.
//   node generate.js [--check]

import { readFile, writeFile } from "node:fs/promises";
import openapiTypescript, { astToString } from "openapi-typescript";

const DOCUMENTS = ["auth", "orders", "payments", "tickets"];
const HEADER = "// Generated from sdk/openapi; written again by `npm run generate`.\n\n";
const isCheck = process.argv.includes("--check");

const stale = [];
for (const name of DOCUMENTS) {
  const document = new URL(`../openapi/${name}.json`, import.meta.url);
  const file = new URL(`src/generated/${name}.ts`, import.meta.url);
  const text = HEADER + astToString(await openapiTypescript(document, { alphabetize: true }));
  if (!isCheck) {
    await writeFile(file, text);
  } else if ((await readFile(file, "utf8").catch(() => "")) !== text) {
    stale.push(`src/generated/${name}.ts`);
  }
}
if (stale.length > 0) {
  console.error(`stale: ${stale.join(", ")}; write them again with: npm run generate`);
  process.exitCode = 1;
}
