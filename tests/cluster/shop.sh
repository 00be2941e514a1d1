#!/bin/bash
# A shop in the cluster: applies shop.yaml, shows what the operator waits for, and says where the shop is.
set -euo pipefail
# shellcheck source=tests/cluster/place.sh
source "$(dirname "$0")/place.sh"

NAMESPACE=${1:-shop}
PATIENCE=300

main() {
  "$HERE/ready.sh"
  kubectl create namespace "$NAMESPACE" --dry-run=client --output yaml |
    kubectl label --local --filename - --output yaml pod-security.kubernetes.io/enforce=restricted |
    kubectl apply --filename - >/dev/null
  kubectl apply --namespace "$NAMESPACE" --filename "$HERE/shop.yaml"
  wait_for_shop
  printf '%s\n' "" "The shop is ready: $(field .status.url), by way of http://$NODE_ADDRESS" \
    "  curl --resolve bigtix.localhost:80:$NODE_ADDRESS http://bigtix.localhost/api/tickets" \
    "  export KUBECONFIG=$KUBECONFIG PATH=$BIN:\$PATH" \
    "  kubectl --namespace $NAMESPACE get bigtix,pods" "Gone again with: make cluster-down"
}

field() { kubectl --namespace "$NAMESPACE" get bigtix shop --output "jsonpath={$1}"; }

wait_for_shop() {
  local last="" now
  until [[ $(field '.status.conditions[?(@.type=="Ready")].status') == True && $(field .status.observedGeneration) == "$(field .metadata.generation)" ]]; do
    now=$(field '.status.conditions[?(@.type=="Ready")].message')
    [[ $now == "$last" ]] || printf '%4s s  %s\n' "$SECONDS" "$now"
    last=$now
    ((SECONDS < PATIENCE)) || fail "The shop is not ready after $PATIENCE s: $now" \
      "Look at: kubectl --namespace $NAMESPACE describe bigtix shop"
    sleep 0.5
  done
}

main
