# Names, addresses and folders of the cluster; read by the scripts beside it, not run.
# shellcheck shell=bash disable=SC2034

HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
REPO=$(cd "$HERE/../.." && pwd)
TOOLS=${BIGTIX_TOOLS:-${XDG_CACHE_HOME:-$HOME/.cache}/bigtix/tools}
BIN=$TOOLS/cluster/bin
# Absolute, because the programs run with other working folders.
STATE=$(realpath -m "${BIGTIX_CLUSTER:-$REPO/target/cluster}")
KUBECONFIG=$STATE/kubeconfig
export KUBECONFIG

# One node a machine: its names and addresses are fixed. The file says which state folder it belongs to.
NODE=node-1
NETNS=bigtix-node
LINK=bigtix0
CGROUP=bigtix-cluster
OWNER=/run/bigtix-cluster

# Ranges that are set aside for documentation and for benchmarks of networks, so hardly a machine uses them.
HOST_ADDRESS=198.51.100.1
NODE_ADDRESS=198.51.100.2
NODE_RANGE=198.51.100.0/24
POD_RANGE=198.18.0.0/24
SERVICE_RANGE=198.19.0.0/16
API_ADDRESS=198.19.0.1
DNS_ADDRESS=198.19.0.10

say() { printf '%s\n' "$*"; }

fail() {
  printf '%s\n' "$@" >&2
  exit 1
}

kubectl() { "$BIN/kubectl" "$@"; }
ctr() { command ctr --address "$STATE/containerd.sock" --namespace k8s.io "$@"; }
in_node() { nsenter --net="/run/netns/$NETNS" "$@"; }
