#!/bin/bash
# Run by with-shop.sh. Alerts, dashboards and runbooks are held against the metrics and labels that monitoring.py reads from the sources;
# this is whether a shop in which a ticket was bought serves those.
set -euo pipefail
cd "$(dirname "$0")/.."
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

examples/buy-a-ticket.sh >"$scratch/said" 2>&1 || {
  cat "$scratch/said" >&2
  exit 1
}
jq -r '.url, .services[].url' "$BIGTIX_DATA/run.json" | while read -r url; do
  curl --silent --fail "$url/metrics"
done >"$scratch/metrics"
"$(scripts/tool.sh ansible)/python" scripts/monitoring.py served "$scratch/metrics"
