#!/usr/bin/env bash
# with-shop.sh COMMAND...: runs the command while a shop runs on this machine. It finds the shop by BIGTIX_URL, BIGTIX_STRIPE and
# BIGTIX_DATA, as the examples do. BIGTIX_PROGRAM names a built `bigtix`; without it one is built.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

bigtix=${BIGTIX_PROGRAM:-}
if [ -z "$bigtix" ]; then
  target=$(cd "$root" && realpath -m "${CARGO_TARGET_DIR:-target}")
  CARGO_TARGET_DIR=$target cargo build --quiet --manifest-path "$root/Cargo.toml" --package bigtix --package bigtix-testkit
  bigtix=$target/debug/bigtix
fi
BIGTIX_DATA=$(mktemp -d)
stop() {
  "$bigtix" down --data "$BIGTIX_DATA" >/dev/null 2>&1 || true
  rm -rf "$BIGTIX_DATA"
}
trap stop EXIT
BIGTIX_URL=$("$bigtix" up --file "$root/examples/minimal.yaml" --data "$BIGTIX_DATA" --port 0 --detach --output json | jq -r .url)
BIGTIX_STRIPE=$(jq -r .stripe.url "$BIGTIX_DATA/run.json")
export BIGTIX_DATA BIGTIX_URL BIGTIX_STRIPE
"$@"
