#!/bin/bash
# What delivers the shop and watches it, as far as it can be checked without a cluster: playbooks, workflows, Skaffold, released API
# documents, alerts, dashboards, metrics, the book.
set -euo pipefail
cd "$(dirname "$0")/.."

step() {
  local began=$SECONDS
  "${@:2}" || {
    echo "not ok: $1: run ${*:2}" >&2
    exit 1
  }
  printf 'ok: %-28s %3s s\n' "$1" $((SECONDS - began))
}

# A tag may be moved to another commit, which then runs with this repository's rights.
pinned() {
  ! grep -rnE '^\s*(-\s+)?uses:\s' .github/workflows | grep -vE 'uses: (\./|[^@ ]+@[0-9a-f]{40} # v[0-9.]+$)' >&2
}

workflows() { "$(scripts/tool.sh actionlint)/actionlint"; }

step 'playbooks' ansible/lint.sh
step 'workflows' workflows
step 'actions are pinned' pinned
step 'the inner loop' skaffold/test.sh
step 'released API documents' sdk/openapi/compare-test.sh
step 'alerts' scripts/check-alerts.sh
step 'dashboards' scripts/check-dashboards.sh
step 'metrics' scripts/with-shop.sh scripts/check-metrics.sh
step 'the book' cargo xtask book
