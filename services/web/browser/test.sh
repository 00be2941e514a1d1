#!/usr/bin/env bash
# The shop in a real browser: starts it, runs the tests named (all without a name), stops it.
#   services/web/browser/test.sh [tests/buying.test.js ...]
#   services/web/browser/test.sh lighthouse|screenshots
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
root=$(cd ../../.. && pwd)
# As Cargo reads it: from the root of the clone.
target=$(cd "$root" && realpath -m "${CARGO_TARGET_DIR:-target}")
export CARGO_TARGET_DIR=$target
bigtix=$target/debug/bigtix

say() { echo "$*" >&2; }
"$root/scripts/node-modules.sh" || exit $(($? == 3 ? 0 : 1))
if ! command -v "${BIGTIX_CHROMIUM:-chromium}" >/dev/null; then
  if [ "$(id -u)" != 0 ]; then
    say "Chromium is missing: nothing was tested here. Install it, or name one in BIGTIX_CHROMIUM."
    exit 0
  fi
  apt-get update -qq && apt-get install -y -qq chromium
fi
BIGTIX_CHROMIUM=$(command -v "${BIGTIX_CHROMIUM:-chromium}")
export BIGTIX_CHROMIUM

cargo build --quiet --manifest-path "$root/Cargo.toml" --package bigtix --package bigtix-testkit

data=$(mktemp -d)
stop() {
  "$bigtix" down --data "$data" >/dev/null 2>&1 || true
  rm -rf "$data"
}
trap stop EXIT
"$bigtix" up --file "$root/examples/minimal.yaml" --data "$data" --port 0 --detach
BIGTIX_SHOP_URL=$(node -p 'JSON.parse(require("fs").readFileSync(process.argv[1])).url' "$data/run.json")
export BIGTIX_SHOP_URL

case ${1:-} in
  lighthouse) node lighthouse.js ;;
  screenshots) node screenshots.js ;;
  *)
    [ $# -gt 0 ] || set -- tests/*.test.js
    node --test --test-concurrency=1 --test-timeout=1200000 "$@"
    ;;
esac
