#!/bin/bash
# Brings up a Kubernetes of one node on this machine, or says that it is up.
set -euo pipefail
# shellcheck source=tests/cluster/place.sh
source "$(dirname "$0")/place.sh"
# shellcheck source=tests/cluster/keys.sh
source "$HERE/keys.sh"
# shellcheck source=tests/cluster/configs.sh
source "$HERE/configs.sh"
# shellcheck source=tests/cluster/staging.sh
source "$HERE/staging.sh"

PROGRAMS=(etcd apiserver containerd kubelet controllers scheduler proxy edges)

main() {
  BEGAN=$SECONDS
  if [[ ${BIGTIX_CLUSTER_KIND:-} == 1 ]] && docker info >/dev/null 2>&1; then
    up_with_kind
    return
  fi
  [[ $(id -u) -eq 0 ]] || fail 'The cluster needs root (a network namespace, mounts, cgroups). With Docker: BIGTIX_CLUSTER_KIND=1.'
  mkdir -p "$TOOLS/cluster"
  exec 8>"$TOOLS/cluster/up.lock"
  flock 8
  if [[ $(owner) == "$STATE" ]] && healthy; then
    say "the cluster is up: export KUBECONFIG=$KUBECONFIG"
    [[ $(<"$STATE/up") == "$(sources)" ]] || say 'but it was started from other files than these; down.sh and up.sh renew it'
    return
  fi
  clear_away
  "$HERE/programs.sh" 8>&-
  begin
  start_node
  step "node $NODE is ready"
  deploy
  sources >"$STATE/up"
  step "all is ready: export KUBECONFIG=$KUBECONFIG"
}

# Inside of the node, so that one that waits and outlives a killed up.sh is found by down.sh; without the lock.
kubectl() { in_node "$BIN/kubectl" "$@" 8>&-; }

step() { printf '%4s s  %s\n' $((SECONDS - BEGAN)) "$*"; }

owner() { cat "$OWNER" 2>/dev/null || true; }

sources() { find "$HERE" -type f ! -name '*.md' | sort | xargs sha256sum | sha256sum | cut -c1-16; }

# The kubelet gives its lease up to 40 s after it died, so the processes are looked at as well.
healthy() {
  local name
  [[ -f $STATE/up ]] || return 1
  for name in "${PROGRAMS[@]}"; do
    kill -0 "$(cat "$STATE/$name.pid")" 2>/dev/null || return 1
  done
  kubectl get --raw /readyz --request-timeout 5s >/dev/null 2>&1 || return 1
  kubectl wait "node/$NODE" --for condition=Ready --timeout 5s >/dev/null 2>&1
}

clear_away() {
  local who
  who=$(owner)
  if [[ -n $who && $who != "$STATE" && -f $who/up ]]; then
    fail "A cluster of $who is on this machine, and there can be one." "End it with: BIGTIX_CLUSTER=$who $HERE/down.sh"
  fi
  [[ -z $who && ! -e /run/netns/$NETNS ]] || "$HERE/down.sh"
  addresses_are_free
}

addresses_are_free() {
  local range
  for range in "$NODE_RANGE" "$POD_RANGE" "$SERVICE_RANGE"; do
    [[ -z $(ip -4 route show to root "$range"; ip -4 route show to match "$range" | grep -v '^default' || true) ]] ||
      fail "This machine has a route to $range already; change the ranges in $HERE/place.sh."
  done
}

# The file OWNER comes first: from then on down.sh knows what to clear away.
begin() {
  echo "$STATE" >"$OWNER"
  rm -rf "$STATE"
  mkdir -p "$STATE/log" "$STATE/volumes"
  make_network
  make_cgroups
  make_keys
  write_configs
}

make_network() {
  ip netns add "$NETNS"
  ip link add "$LINK" type veth peer name eth0 netns "$NETNS"
  ip addr add "$HOST_ADDRESS/24" dev "$LINK"
  ip link set "$LINK" up
  ip route add "$POD_RANGE" via "$NODE_ADDRESS"
  ip route add "$SERVICE_RANGE" via "$NODE_ADDRESS"
  in_node ip addr add "$NODE_ADDRESS/24" dev eth0
  in_node ip link set eth0 up
  in_node ip link set lo up
  # Nothing leaves the node but to this machine, and whoever tries hears so at once.
  in_node ip route add unreachable default
  # Without a route the node itself could not reach a service, however it is rewritten later.
  in_node ip route add "$SERVICE_RANGE" dev eth0
  # The file is of the network namespace of whoever opens it.
  in_node tee /proc/sys/net/ipv4/ip_forward <<<1 >/dev/null
}

# The kubelet wants its parent group to exist. With cgroup v1 there is a tree for each controller.
make_cgroups() {
  local tree
  if [[ -f /sys/fs/cgroup/cgroup.controllers ]]; then
    mkdir -p "/sys/fs/cgroup/$CGROUP"
    return
  fi
  for tree in /sys/fs/cgroup/*/; do
    [[ -L ${tree%/} ]] || mkdir -p "$tree$CGROUP"
  done
  # A new group of this tree is empty of processors until it is told some.
  cat /sys/fs/cgroup/cpuset/cpuset.cpus >"/sys/fs/cgroup/cpuset/$CGROUP/cpuset.cpus"
  cat /sys/fs/cgroup/cpuset/cpuset.mems >"/sys/fs/cgroup/cpuset/$CGROUP/cpuset.mems"
}

# Process group, output and descriptors are their own: what started this script neither waits for them nor takes them along.
start() {
  local name=$1
  shift
  setsid nsenter --net="/run/netns/$NETNS" env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME="$STATE" \
    "$@" <&- >"$STATE/log/$name.log" 2>&1 8>&- 9>&- &
  echo $! >"$STATE/$name.pid"
}

start_node() {
  local keys=$STATE/keys
  # Without fsync: the state is thrown away with the node.
  start etcd "$BIN/etcd" --data-dir "$STATE/etcd" --unsafe-no-fsync --listen-peer-urls http://127.0.0.1:2380 \
    --listen-client-urls http://127.0.0.1:2379 --advertise-client-urls http://127.0.0.1:2379
  start_apiserver "$keys"
  start containerd containerd --config "$STATE/containerd.toml"
  until_true containerd ctr version
  own_images 8>&-
  until_true apiserver kubectl get --raw /readyz
  step 'the API server answers'
  start kubelet "$BIN/kubelet" --config "$STATE/kubelet.yaml" --kubeconfig "$STATE/kubelet.kubeconfig" --hostname-override "$NODE" \
    --node-ip "$NODE_ADDRESS" --root-dir "$STATE/kubelet" --cert-dir "$keys"
  start controllers "$BIN/kube-controller-manager" --kubeconfig "$STATE/controllers.kubeconfig" --leader-elect=false \
    --use-service-account-credentials --service-account-private-key-file "$keys/accounts.key" --root-ca-file "$keys/ca.crt" \
    --cluster-signing-cert-file "$keys/ca.crt" --cluster-signing-key-file "$keys/ca.key" --horizontal-pod-autoscaler-sync-period 5s
  start scheduler "$BIN/kube-scheduler" --kubeconfig "$STATE/scheduler.kubeconfig" --leader-elect=false
  start proxy "$BIN/kube-proxy" --config "$STATE/proxy.yaml" --hostname-override "$NODE"
  start edges "$BIN/edges" node --kubeconfig "$STATE/edges.kubeconfig" --volumes "$STATE/volumes" --node "$NODE"
  until_true kubelet kubectl get node "$NODE"
  kubectl wait "node/$NODE" --for condition=Ready --timeout 120s >/dev/null || fail "The node is not ready; see $STATE/log/kubelet.log"
}

start_apiserver() {
  local keys=$1
  start apiserver "$BIN/kube-apiserver" --etcd-servers http://127.0.0.1:2379 --bind-address "$NODE_ADDRESS" --secure-port 6443 \
    --tls-cert-file "$keys/apiserver.crt" --tls-private-key-file "$keys/apiserver.key" --client-ca-file "$keys/ca.crt" \
    --authorization-mode Node,RBAC --enable-admission-plugins NodeRestriction --allow-privileged \
    --service-account-key-file "$keys/accounts.pub" --service-account-signing-key-file "$keys/accounts.key" \
    --service-account-issuer https://kubernetes.default.svc.cluster.local --service-cluster-ip-range "$SERVICE_RANGE" \
    --kubelet-certificate-authority "$keys/ca.crt" --kubelet-preferred-address-types InternalIP \
    --kubelet-client-certificate "$keys/apiserver-to-kubelet.crt" --kubelet-client-key "$keys/apiserver-to-kubelet.key" \
    --requestheader-client-ca-file "$keys/ca.crt" --requestheader-allowed-names front-proxy --enable-aggregator-routing \
    --requestheader-username-headers X-Remote-User --requestheader-group-headers X-Remote-Group \
    --requestheader-extra-headers-prefix X-Remote-Extra- \
    --proxy-client-cert-file "$keys/front-proxy.crt" --proxy-client-key-file "$keys/front-proxy.key" \
    --audit-policy-file "$HERE/audit.yaml" --audit-log-path "$STATE/audit.log" --audit-log-maxsize 1000
}

# Tries the command until it works; the program of that name has to live for it.
until_true() {
  local name=$1 _
  shift
  for _ in {1..600}; do
    "$@" >/dev/null 2>&1 && return
    kill -0 "$(<"$STATE/$name.pid")" 2>/dev/null || break
    sleep 0.2
  done
  tail -5 "$STATE/log/$name.log" >&2 || true
  fail "$name did not start: its last lines are above, all of them in $STATE/log/$name.log. $HERE/down.sh clears away."
}

own_images() {
  local scratch=$STATE/staging
  stage "$scratch/pause" "$BIN/pause"
  stage "$scratch/coredns" "$BIN/coredns"
  stage "$scratch/metrics-server" "$BIN/metrics-server"
  stage "$scratch/ingress" "$BIN/edges" "$BIN/nginx"
  staged_image bigtix.test/pause:cluster "$scratch/pause" pause
  staged_image bigtix.test/coredns:cluster "$scratch/coredns" coredns
  staged_image bigtix.test/metrics-server:cluster "$scratch/metrics-server" metrics-server
  staged_image bigtix.test/ingress:cluster "$scratch/ingress" edges
  rm -rf "$scratch"
}

deploy() {
  local name
  kubectl apply --filename "$HERE/manifests" >/dev/null
  for name in kube-system/coredns kube-system/metrics-server ingress-nginx/ingress; do
    kubectl --namespace "${name%/*}" rollout status "deployment/${name#*/}" --timeout 120s >/dev/null ||
      fail "${name#*/} is not ready; see: kubectl --kubeconfig $KUBECONFIG --namespace ${name%/*} logs deployment/${name#*/}"
    step "${name#*/} is ready"
  done
  kubectl wait apiservice/v1beta1.metrics.k8s.io --for condition=Available --timeout 60s >/dev/null
}

# Any cluster of kind does; it has neither the audit log nor the ingress nor the policies of this folder.
up_with_kind() {
  mkdir -p "$STATE"
  kind get clusters 2>/dev/null | grep -qx bigtix || kind create cluster --name bigtix --kubeconfig "$KUBECONFIG" --wait 120s
  touch "$STATE/kind"
  say "the cluster is up: export KUBECONFIG=$KUBECONFIG"
}

main
