#!/bin/bash
# The cluster with everything in it but a shop: images of all programs, and the operator by its chart.
set -euo pipefail
# shellcheck source=tests/cluster/place.sh
source "$(dirname "$0")/place.sh"

NAMESPACE=bigtix-system

main() {
  "$HERE/up.sh"
  "$HERE/store-images.sh"
  "$HERE/images.sh"
  install_operator
}

install_operator() {
  local began=$SECONDS
  kubectl create namespace "$NAMESPACE" --dry-run=client --output yaml |
    kubectl label --local --filename - --output yaml pod-security.kubernetes.io/enforce=restricted |
    kubectl apply --filename - >/dev/null
  # An image of the same name may hold another program than the one that runs.
  "$BIN/helm" upgrade --install bigtix "$REPO/charts/bigtix" --namespace "$NAMESPACE" --wait --timeout 2m \
    --set-string "podAnnotations.image=$(cat "$STATE"/loaded/*operator*)" >/dev/null ||
    fail "The operator could not be installed: kubectl --namespace $NAMESPACE describe pods"
  printf '%-40s installed in %s s\n' "operator" $((SECONDS - began))
}

main
