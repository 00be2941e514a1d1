#!/bin/bash
# The playbooks against a real cluster with the operator in it: releases, runs that change nothing, bad releases, ways back.
#   KUBECONFIG=... ansible/test.sh
# It makes one namespace and removes it. The operator is left as it is: what the chart would do is asked with --check.
#
# KUBECONFIG             the cluster (default: that of tests/cluster)
# BIGTIX_INGRESS         address of the ingress controller (default: that of tests/cluster)
# BIGTIX_ARCHIVES        archives ghcr.io_bigtix_NAME_VERSION.tar (default: those that tests/cluster makes)
# BIGTIX_KEEP            set, the namespace stays
set -euo pipefail
KUBECONFIG_OF_CALLER=${KUBECONFIG:-}
# shellcheck source=tests/cluster/place.sh
source "$(dirname "$0")/../tests/cluster/place.sh"
KUBECONFIG=${KUBECONFIG_OF_CALLER:-$KUBECONFIG}
PATH=$("$REPO/scripts/tool.sh" ansible):$BIN:$PATH
ADDRESS=${BIGTIX_INGRESS:-$NODE_ADDRESS}
ARCHIVES=${BIGTIX_ARCHIVES:-$TOOLS/cluster/images}
NAMESPACE=ansible-$$
PORT=5055
REGISTRY=127.0.0.1:$PORT/bigtix
SERVICES=(auth tickets orders payments expiration web)
export ANSIBLE_CONFIG=$REPO/ansible/ansible.cfg ANSIBLE_NOCOLOR=1

main() {
  SCRATCH=$(mktemp -d)
  REGISTRY_PID=
  trap end EXIT
  inventory
  bootstrapped
  released
  chart_is_left_alone
  unpublished_is_refused
  bad_release_goes_back
  rolled_back
  if [[ -e /run/netns/$NETNS && -e $(archive orders 1.0.0) ]]; then
    released_by_digest
  else
    say "skipped: a registry inside of the node, which takes a cluster of tests/cluster and its images"
  fi
}

end() {
  local code=$?
  [[ -z $REGISTRY_PID ]] || kill "$REGISTRY_PID" 2>/dev/null || true
  if [[ -z ${BIGTIX_KEEP:-} ]]; then
    kubectl --namespace "$NAMESPACE" delete bigtix --all --cascade=foreground --timeout 60s >/dev/null 2>&1 || true
    kubectl delete namespace "$NAMESPACE" --ignore-not-found --timeout 120s >/dev/null || true
  fi
  if ((code == 0)); then rm -rf "$SCRATCH"; else say "The logs are in $SCRATCH"; fi
}

inventory() {
  local values
  values=$(helm --namespace bigtix-system get values bigtix --output json)
  mkdir "$SCRATCH/inventory"
  cat >"$SCRATCH/inventory/hosts.yml" <<INVENTORY
shops:
  hosts:
    shop:
  vars:
    ansible_connection: local
    ansible_python_interpreter: "{{ ansible_playbook_python }}"
    bigtix_kubeconfig: "$KUBECONFIG"
    bigtix_namespace: $NAMESPACE
    bigtix_operator: given
    bigtix_chart_values: ${values/#null/\{\}}
    bigtix_images: loaded
    bigtix_require_tag: false
    bigtix_patience_seconds: 300
    bigtix_ingress_address: $ADDRESS
    bigtix_spec:
      mongodb: {managed: {image: "bigtix.test/mongod:6.0.5", version: "6.0"}}
      nats: {managed: {image: "bigtix.test/nats-server:2.15.2", version: "2.15"}}
      redis: {managed: {image: "bigtix.test/redis-server:7.0.15", version: "7.0"}}
      # One of its own: another shop of the cluster may have the default one.
      ingress: {host: $NAMESPACE.localhost}
      upgrade: {progressDeadlineSeconds: 90, soakSeconds: 5}
INVENTORY
}

# playbook NAME ARGUMENT...: runs it; its words are in $LOG.
playbook() {
  LOG=$SCRATCH/$((++RUNS))-$1.log
  ansible-playbook --inventory "$SCRATCH/inventory" "$REPO/ansible/$1.yml" "${@:2}" >"$LOG" 2>&1
}
RUNS=0

# green WHAT PLAYBOOK ARGUMENT...
green() {
  playbook "${@:2}" || { tail -40 "$LOG" >&2; fail "not ok: $1"; }
  say "ok: $1"
}

# unchanged WHAT PLAYBOOK ARGUMENT...
unchanged() {
  green "$@"
  grep -q 'changed=0 ' "$LOG" || { grep -A8 '^changed' "$LOG" >&2; fail "not ok: it changed something"; }
}

# red WHAT WORDS PLAYBOOK ARGUMENT...
red() {
  ! playbook "${@:3}" || fail "not ok: it ended green: $1"
  # As it is written into the log, a sentence is broken into lines.
  tr -s '\n ' '  ' <"$LOG" | grep -q -- "$2" || { tail -40 "$LOG" >&2; fail "not ok: nothing says \"$2\""; }
  say "ok: $1"
}

shop() { kubectl --namespace "$NAMESPACE" get bigtix shop --output "jsonpath={$1}"; }
image() { kubectl --namespace "$NAMESPACE" get "deployment/shop-$1" --output 'jsonpath={.spec.template.spec.containers[0].image}'; }

# is WHAT FOUND WANTED
is() { [[ $2 == "$3" ]] || fail "not ok: $1 is $2 instead of $3"; }

bootstrapped() {
  green 'a namespace is made' bootstrap
  unchanged 'a second bootstrap changes nothing' bootstrap
}

released() {
  green 'a check of a first release makes nothing' release --check --diff
  is 'the number of shops' "$(kubectl --namespace "$NAMESPACE" get bigtix --output name | wc -l)" 0
  green 'a first release serves, and a ticket is bought' release
  # On the command line everything is text.
  unchanged 'a second run changes nothing' release -e bigtix_require_tag=false -e bigtix_registry_tls=true
  green 'the status is told' status
  grep -q 'settled: release' "$LOG" || fail 'not ok: the status does not say that it is settled'
}

chart_is_left_alone() {
  unchanged 'a chart that is the same is not upgraded' bootstrap --check -e bigtix_operator=managed
  playbook bootstrap --check -e bigtix_operator=managed -e '{"bigtix_chart_values": {"log": "debug"}}'
  grep -q 'changed=1 ' "$LOG" || fail 'not ok: other values would not upgrade the chart'
  say 'ok: a chart with other values would be upgraded'
}

unpublished_is_refused() {
  local before
  before=$(shop .metadata.resourceVersion)
  red 'a service that the release has not is refused' 'bigtix_services names nothing' release -e '{"bigtix_services": {"nothing": "1.0.0"}}'
  is 'the resource' "$(shop .metadata.resourceVersion)" "$before"
}

bad_release_goes_back() {
  local before
  before=$(image orders)
  green 'a check says what would be asked for' release --check --diff -e '{"bigtix_services": {"orders": "9.9.9"}}'
  grep -q '^+.*version: 9.9.9' "$LOG" || fail 'not ok: the difference does not show the version'
  red 'a release whose image does not exist ends red, in the words of the operator' 'cannot be pulled' \
    release -e '{"bigtix_services": {"orders": "9.9.9"}}'
  tr -s '\n ' '  ' <"$LOG" | grep -q 'Users are served, by release' || fail 'not ok: nothing says that users are served'
  is 'the image of orders' "$(image orders)" "$before"
  "$REPO/ansible/roles/verify/files/buy-a-ticket.sh" "$REPO" "$(shop .status.url)" shop "$ADDRESS" \
    kubectl --kubeconfig "$KUBECONFIG" --namespace "$NAMESPACE" >"$SCRATCH/purchase.log" 2>&1 ||
    fail "not ok: the version of before sells nothing: $(<"$SCRATCH/purchase.log")"
  say 'ok: the version of before goes on selling'
}

rolled_back() {
  green 'a rollback asks for what was asked for before' rollback
  is 'the version of orders that is asked for' "$(shop .spec.services.orders.version)" ''
  unchanged 'a second rollback changes nothing' rollback
  unchanged 'nor does the release that it went back to' release -e bigtix_purchase=false -e bigtix_patience_seconds=200
}

archive() { echo "$ARCHIVES/ghcr.io_bigtix_$1_$2.tar"; }

# What is pushed: every service one version on, where tests/cluster/next-images.sh has made them; else orders under another number.
next_archives() {
  local name
  mkdir "$SCRATCH/archives"
  if [[ -e $(archive web 1.1.0) ]]; then
    for name in "${SERVICES[@]}"; do ln -s "$(archive "$name" 1.1.0)" "$SCRATCH/archives/$name-1.1.0.tar"; done
    NEXT=$(jq -nc '$ARGS.positional | map({(.): "1.1.0"}) | add' --args "${SERVICES[@]}")
  else
    for name in "${SERVICES[@]}"; do ln -s "$(archive "$name" 1.0.0)" "$SCRATCH/archives/$name-1.0.0.tar"; done
    ln -s "$(archive orders 1.0.0)" "$SCRATCH/archives/orders-1.0.1.tar"
    NEXT='{"orders": "1.0.1"}'
  fi
}

# Inside of the node it is on loopback, which containerd asks without TLS; from here it is asked at the node's address.
start_registry() {
  local program _
  program=$("$REPO/scripts/tool.sh" registry)/registry
  printf '%s\n' 'version: 0.1' "storage: {filesystem: {rootdirectory: $SCRATCH/registry}}" "http: {addr: ':$PORT'}" >"$SCRATCH/registry.yml"
  # Not by in_node: what is ended has to be the program, and not a shell that waits for it.
  nsenter --net="/run/netns/$NETNS" "$program" serve "$SCRATCH/registry.yml" >"$SCRATCH/registry.log" 2>&1 &
  REGISTRY_PID=$!
  for _ in {1..100}; do
    ! curl --silent --fail --output /dev/null "http://$NODE_ADDRESS:$PORT/v2/" || return 0
    sleep 0.1
  done
  fail "The registry does not start: $(tail -3 "$SCRATCH/registry.log")"
}

released_by_digest() {
  local settings
  command -v skopeo >/dev/null || fail 'skopeo is needed: apt-get install skopeo'
  next_archives
  start_registry
  settings=$(jq -nc --arg registry "$REGISTRY" --arg push "$NODE_ADDRESS:$PORT/bigtix" --arg archives "$SCRATCH/archives" --argjson next "$NEXT" \
    '{bigtix_images: "pushed", bigtix_registry: $registry, bigtix_push_registry: $push, bigtix_registry_tls: false,
      bigtix_archives: $archives, bigtix_services: $next}')
  red 'what is not in the registry is refused before anything changes' 'has no [a-z]*:' release -e "$settings" -e bigtix_images=published
  green 'images are pushed, and released by digest' release -e "$settings"
  [[ $(image orders) == "$REGISTRY"/orders:*@sha256:* ]] || fail "not ok: orders runs $(image orders)"
  unchanged 'a second run pushes nothing and changes nothing' release -e "$settings"
  ln -sf "$(archive auth 1.0.0)" "$(find "$SCRATCH/archives" -name 'orders-1.*' ! -name '*1.0.0.tar')"
  red 'a published version is never written over' 'give what changed a new version' release -e "$settings"
  green 'a rollback goes back to the images of before' rollback
  is 'the image of orders' "$(image orders)" ghcr.io/bigtix/orders:1.0.0
}

main
