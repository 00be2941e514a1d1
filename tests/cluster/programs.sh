#!/bin/bash
# Builds or installs, once a machine, the programs of the cluster.
set -euo pipefail
# shellcheck source=tests/cluster/place.sh
source "$(dirname "$0")/place.sh"

# 1.35 and later refuse cgroup v1 and containerd 1.x unless told otherwise, and Debian 12 has both.
KUBERNETES=1.34.4
ETCD=3.6.5
COREDNS=1.14.7
HELM=3.22.0
METRICS_SERVER=0.9.0

DEBIAN_PACKAGES=(containerd runc containernetworking-plugins buildah nftables iptables iproute2 util-linux openssl)
DEBIAN_PROGRAMS=(containerd runc /usr/lib/cni/ptp buildah nft iptables ip nsenter openssl)

STAMPS=$TOOLS/cluster/stamps

main() {
  mkdir -p "$BIN" "$STAMPS"
  exec 9>"$TOOLS/cluster/lock"
  flock 9
  debian
  # The multi-call program, and what shares its modules, so that it is compiled once.
  each kubernetes "$KUBERNETES $(sources kubernetes)" build_kubernetes
  each etcd "$ETCD $(sources etcd)" build etcd
  each coredns "$COREDNS $(sources coredns)" build coredns
  each metrics-server "$METRICS_SERVER" from_path "sigs.k8s.io/metrics-server/cmd/metrics-server@v$METRICS_SERVER"
  each helm "$HELM" from_path "helm.sh/helm/v3/cmd/helm@v$HELM" \
    -ldflags "-s -w -X helm.sh/helm/v3/internal/version.version=v$HELM"
  each nginx "debian" fetch_nginx
}

# A step is done when its stamp says the same as what is asked for.
each() {
  local name=$1 wanted=$2
  shift 2
  if [[ -f $STAMPS/$name && $(<"$STAMPS/$name") == "$wanted" ]]; then
    printf '%-28s already there\n' "$name ${wanted%% *}"
    return
  fi
  local began=$SECONDS
  "$@" || fail "$name could not be built; see above. It needs Go 1.26 or later (go version) and the network for Go modules."
  echo "$wanted" >"$STAMPS/$name"
  printf '%-28s built in %s s\n' "$name ${wanted%% *}" $((SECONDS - began))
}

sources() { find "$HERE/go/$1" -type f | sort | xargs sha256sum | sha256sum | cut -c1-16; }

# Without C all of them are static and run in an image from scratch.
go_tool() { GOFLAGS='' CGO_ENABLED=0 nice -n 10 go "$@"; }

build_kubernetes() {
  local version=k8s.io/component-base/version component
  build kubernetes "-X $version.gitVersion=v$KUBERNETES -X $version.gitMajor=1 -X $version.gitMinor=34" || return
  for component in kube-apiserver kube-controller-manager kube-scheduler kube-proxy kubelet kubectl; do
    ln -sf kubernetes "$BIN/$component"
  done
}

# All main packages of a folder here.
build() { (cd "$HERE/go/$1" && go_tool build -trimpath -buildvcs=false -o "$BIN/" -ldflags "-s -w ${2:-}" ./...); }

from_path() {
  local path=$1
  shift
  [[ $# -gt 0 ]] || set -- -ldflags '-s -w'
  (cd / && GOBIN=$BIN go_tool install -trimpath -buildvcs=false "$@" "$path")
}

# The package is unpacked, not installed: an installed one starts a server of its own on port 80.
fetch_nginx() {
  local scratch
  command -v nginx >/dev/null && { ln -sf "$(command -v nginx)" "$BIN/nginx"; return; }
  scratch=$(mktemp -d)
  if (cd "$scratch" && apt-get -qq -o APT::Sandbox::User=root download nginx && dpkg-deb -x nginx_*.deb .); then
    install -m 755 "$scratch/usr/sbin/nginx" "$BIN/nginx"
    rm -rf "$scratch"
  else
    rm -rf "$scratch"
    fail 'nginx cannot be fetched. On Debian run: apt-get update; elsewhere install nginx so that it is on the path.'
  fi
}

debian() {
  local program missing=()
  for program in "${DEBIAN_PROGRAMS[@]}"; do
    PATH=$PATH:/usr/sbin:/sbin command -v "$program" >/dev/null || missing+=("$program")
  done
  if [[ ${#missing[@]} -eq 0 ]]; then
    printf '%-28s already there\n' 'packages of Debian'
  elif [[ $(id -u) -eq 0 ]] && command -v apt-get >/dev/null; then
    say "installs what is missing: ${missing[*]}"
    apt-get -qq update
    DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends "${DEBIAN_PACKAGES[@]}" >/dev/null
  else
    fail "These programs are missing: ${missing[*]}" "On Debian run as root: apt-get install ${DEBIAN_PACKAGES[*]}"
  fi
}

main
