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

bigtix=${BIGTIX_PROGRAM:-}
if [ -z "$bigtix" ]; then
  target=$(cd "$root" && realpath -m "${CARGO_TARGET_DIR:-target}")
  CARGO_TARGET_DIR=$target cargo build --quiet --manifest-path "$root/Cargo.toml" --package bigtix --package bigtix-testkit
  bigtix=$target/debug/bigtix
fi
data=$(mktemp -d)
stop() {
  "$bigtix" down --data "$data" >/dev/null 2>&1 || true
  rm -rf "$data"
}
trap stop EXIT
"$bigtix" up --file "$root/examples/minimal.yaml" --data "$data" --port 0 --detach
field() { node -p "JSON.parse(require('fs').readFileSync('$data/run.json')).$1"; }
BIGTIX_URL=$(field url) BIGTIX_STRIPE=$(field stripe.url) npm run --silent example
