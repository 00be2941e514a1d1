#!/bin/bash
# Images of the stores, from the programs that `make tools` installs; each is named by the version that it is.
set -euo pipefail
# shellcheck source=tests/cluster/place.sh
source "$(dirname "$0")/place.sh"
# shellcheck source=tests/cluster/staging.sh
source "$HERE/staging.sh"

main() {
  local name
  SCRATCH=$(mktemp -d)
  trap 'rm -rf "$SCRATCH"' EXIT
  for name in mongod nats-server redis-server; do store "$name"; done
}

store() {
  local name=$1 program=$TOOLS/bin/$1 version
  [[ -x $program ]] || program=$(command -v "$name") || fail "There is no $name. Run: make tools"
  version=$("$program" --version | grep -oE '[0-9]+\.[0-9]+\.[0-9]+' | head -1) || true
  [[ -n $version ]] || fail "$program does not say which version it is."
  # An init container of the database uses these of the usual image.
  case $name in
    mongod) stage "$SCRATCH/$name" "$program" /bin/sh /bin/cp /bin/chmod /bin/sleep /usr/bin/getent ;;
    *) stage "$SCRATCH/$name" "$program" ;;
  esac
  staged_image "bigtix.test/$name:$version" "$SCRATCH/$name" "$name"
}

main
