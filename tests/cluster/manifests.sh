#!/bin/bash
# The operator and the definition of the resource as plain YAML on standard output: what the chart makes by default.
set -euo pipefail
# shellcheck source=tests/cluster/place.sh
source "$(dirname "$0")/place.sh"

"$HERE/programs.sh" >&2
"$BIN/helm" template bigtix "$REPO/charts/bigtix" --namespace bigtix-system --kube-version 1.34.0 --skip-tests
