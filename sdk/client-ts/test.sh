#!/usr/bin/env bash
# The TypeScript client: whether what is generated is current, types, calls, and the example in a running shop.
#   sdk/client-ts/test.sh
# BIGTIX_PROGRAM names a built `bigtix`; without it one is built.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
root=$(cd ../.. && pwd)

"$root/scripts/node-modules.sh" || exit $(($? == 3 ? 0 : 1))

node generate.js --check
rm -rf dist
npm run --silent build
npm run --silent check
npm run --silent test

"$root/scripts/with-shop.sh" npm run --silent example
