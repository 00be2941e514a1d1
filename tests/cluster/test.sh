#!/bin/bash
# The scenarios of tests/kubernetes on a cluster of this machine, which is ended afterwards unless BIGTIX_CLUSTER_KEEP is set.
set -euo pipefail
# shellcheck source=tests/cluster/place.sh
source "$(dirname "$0")/place.sh"

# Needs what only root can make: namespaces, mounts, cgroups.
if [[ $(id -u) != 0 || $(uname -s) != Linux ]]; then
  say "A cluster of its own needs Linux and root: nothing was tested here. With a cluster at hand, see tests/cluster/README.md."
  exit 0
fi
if ! ip netns add bigtix-probe 2>/dev/null; then
  say "This machine does not let root make network namespaces: nothing was tested here."
  exit 0
fi
ip netns delete bigtix-probe
[[ -n ${BIGTIX_CLUSTER_KEEP:-} ]] || trap '"$HERE/down.sh"' EXIT
"$HERE/ready.sh"
"$HERE/next-images.sh"
cd "$REPO"
# The scenarios of `kubectl bigtix` run it.
cargo build --quiet --package bigtix
cargo test --quiet --package bigtix-tests --test kubernetes -- "$@"
