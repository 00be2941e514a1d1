#!/bin/bash
# Images of the services one minor version on, for upgrades: the same sources under another version, built from a copy.
set -euo pipefail
# shellcheck source=tests/cluster/place.sh
source "$(dirname "$0")/place.sh"

COPY=$REPO/target/next

main() {
  local file next
  mkdir -p "$COPY"
  # Times are kept, so that only what changed is built again.
  git -C "$REPO" ls-files -z --cached --others --exclude-standard |
    (cd "$REPO" && xargs -0 cp --archive --parents --update --target-directory "$COPY")
  for file in "$COPY"/services/*/version.json; do
    next=$(jq '.version |= (split(".") | .[1] = (.[1] | tonumber + 1 | tostring) | .[2] = "0" | join("."))' "${file/$COPY/$REPO}")
    [[ $(<"$file") == "$next" ]] || printf '%s\n' "$next" >"$file"
  done
  BIGTIX_TOOLS=$TOOLS BIGTIX_CLUSTER=$STATE CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$REPO/target} \
    "$COPY/tests/cluster/images.sh" services
}

main
