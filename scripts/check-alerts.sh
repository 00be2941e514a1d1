#!/bin/bash
# Whether every alert fires when it should and is silent otherwise, has a page that says what to do, and asks for what somebody emits.
# The rules are those that the operator makes, from the golden file, which a test compares with the program. Then each alert is broken
# in every way that monitoring.py knows of, and its test has to notice.
set -euo pipefail
cd "$(dirname "$0")/.."
golden=operator/tests/golden/production.yaml
tests=operator/tests/alerts
runbooks=docs/runbooks
python=$(scripts/tool.sh ansible)/python
promtool=$(scripts/tool.sh promtool)/promtool
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

"$python" scripts/monitoring.py rules "$golden" >"$scratch/rules.yaml"
"$python" scripts/monitoring.py complete "$scratch/rules.yaml" "$tests" "$runbooks"
"$python" scripts/monitoring.py emitted "$scratch/rules.yaml" "$runbooks"/*.md
"$promtool" check rules --lint=all --lint-fatal "$scratch/rules.yaml" >"$scratch/said" 2>&1 || {
  cat "$scratch/said" >&2
  exit 1
}
# They name the rules as a file beside them.
cp "$tests"/*.yaml "$scratch/"
"$promtool" test rules "$scratch"/BigTix*.yaml >"$scratch/said" 2>&1 || {
  cat "$scratch/said" >&2
  exit 1
}

mkdir "$scratch/broken" "$scratch/each"
"$python" scripts/monitoring.py broken "$scratch/rules.yaml" "$scratch/broken" >"$scratch/changes"
# What cannot be read would seem to be noticed.
"$promtool" check rules --lint=none "$scratch"/broken/*.yaml >/dev/null
unnoticed=0
while IFS=$'\t' read -r name alert what; do
  cp "$scratch/broken/$name.yaml" "$scratch/each/rules.yaml"
  cp "$tests/$alert.yaml" "$scratch/each/test.yaml"
  if "$promtool" test rules "$scratch/each/test.yaml" >/dev/null 2>&1; then
    echo "$tests/$alert.yaml does not notice: $what" >&2
    unnoticed=1
  fi
done <"$scratch/changes"
exit $unnoticed
