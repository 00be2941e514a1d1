#!/bin/bash
# Ends the cluster of this machine and removes every trace of it but its logs; also what an up.sh left that was killed.
set -euo pipefail
# shellcheck source=tests/cluster/place.sh
source "$(dirname "$0")/place.sh"

main() {
  local name
  if [[ -f $STATE/kind ]]; then
    kind delete cluster --name bigtix
    rm -rf "$STATE"
    return
  fi
  if [[ ! -f $OWNER && ! -e /run/netns/$NETNS ]]; then
    say 'no cluster is here'
    return
  fi
  [[ $(id -u) -eq 0 ]] || fail 'The cluster is ended by root, who started it.'
  # What is on this machine may be another folder's.
  [[ ! -f $OWNER ]] || STATE=$(<"$OWNER")
  # The kubelet first, or it would start the pods again; the API server and etcd last, for the others log out there.
  for name in kubelet edges proxy scheduler controllers; do end "$name"; done
  end_pods
  # While containerd runs, it tells the shims of ended pods to end and to clear up behind them.
  for_seconds 5 no_shims || say 'some shims of containerd are killed'
  for name in containerd apiserver etcd; do end "$name"; done
  end_rest
  unmount
  remove_network
  remove_cgroups
  remove_files
  say "the cluster is down; its logs are in $STATE/log"
}

# end NAME: asks the program to end and waits, at most 5 s.
end() {
  local pid
  pid=$(cat "$STATE/$1.pid" 2>/dev/null) || return 0
  # A number may be another program's by now.
  if [[ -n $pid ]] && of_node "$pid"; then
    kill "$pid" 2>/dev/null || true
    gone 5 "$pid" || kill -9 "$pid" 2>/dev/null || true
  fi
  rm -f "$STATE/$1.pid"
}

of_node() { [[ -e /run/netns/$NETNS && $(stat -Lc %i "/proc/$1/ns/net" 2>/dev/null) == $(stat -Lc %i "/run/netns/$NETNS") ]]; }

# gone SECONDS PID...: whether all of them ended within that time.
gone() { for_seconds "$1" none_lives "${@:2}"; }

# for_seconds SECONDS COMMAND...: whether it succeeds within that time.
for_seconds() {
  local tries=$(($1 * 10))
  shift
  while ((tries-- > 0)); do
    ! "$@" || return 0
    sleep 0.1
  done
  return 1
}

# One that ended and that its parent has not asked about yet counts as gone.
none_lives() {
  local pid
  for pid in "$@"; do
    [[ ! -d /proc/$pid ]] || grep -qs '^State:.Z' "/proc/$pid/status" || return 1
  done
}

no_shims() {
  local pid
  for pid in $(ip netns pids "$NETNS" 2>/dev/null); do
    ! grep -qs '^containerd-shim' "/proc/$pid/comm" || grep -qs '^State:.Z' "/proc/$pid/status" || return 1
  done
}

in_pods() { find /sys/fs/cgroup -path "*/$CGROUP/*" -name cgroup.procs -exec cat {} + 2>/dev/null | sort -un; }

end_pods() {
  local pids
  mapfile -t pids < <(in_pods)
  [[ ${#pids[@]} -gt 0 ]] || return 0
  kill -9 "${pids[@]}" 2>/dev/null || true
  gone 10 "${pids[@]}" || fail "These processes of pods do not end: ${pids[*]}" 'Look at them with ps, then run this again.'
}

# All that is still in the node's network is the node's: the shims of containerd, or programs whose number was lost.
end_rest() {
  local pids
  [[ -e /run/netns/$NETNS ]] || return 0
  mapfile -t pids < <(ip netns pids "$NETNS")
  [[ ${#pids[@]} -gt 0 ]] || return 0
  kill -9 "${pids[@]}" 2>/dev/null || true
  gone 10 "${pids[@]}" || fail "These processes of the node do not end: ${pids[*]}" 'Look at them with ps, then run this again.'
}

# The last mounted comes first. Lazily, because a mount may be busy by what just ended.
unmount() {
  local point
  # Blanks in names are written as \040.
  while read -r point; do
    umount --lazy "$(printf '%b' "$point")" 2>/dev/null || true
  done < <(awk -v at="$STATE/" 'index($2, at) == 1 { print $2 }' /proc/mounts | tac)
}

# With the namespace go its rules, routes, and its ends of all links, and with those the other ends.
remove_network() {
  [[ ! -e /run/netns/$NETNS ]] || ip netns delete "$NETNS"
  # The kernel takes the link a moment later; until then its routes would collide with a new one's.
  ip link delete "$LINK" 2>/dev/null || true
  # The first namespace of a machine makes a mount of this folder.
  if mountpoint -q /run/netns && [[ -z $(ls -A /run/netns) ]]; then
    umount /run/netns
    rmdir /run/netns
  fi
}

remove_cgroups() { find /sys/fs/cgroup -depth -type d \( -name "$CGROUP" -o -path "*/$CGROUP/*" \) -exec rmdir {} + 2>/dev/null || true; }

remove_files() {
  local kept
  mkdir -p "$STATE"
  for kept in "$STATE"/* ; do
    case ${kept##*/} in
      log | audit.log) ;;
      *) rm -rf --one-file-system "$kept" ;;
    esac
  done
  # Places that the programs cannot be told to keep out of.
  find /var/log/containers -lname "$STATE/*" -delete 2>/dev/null || true
  remove_naming_us /var/lib/cni/results /run/containerd/runc/k8s.io
  # A kubelet that is the machine's own would have more there.
  [[ $(ls -A /var/lib/kubelet 2>/dev/null) != device-plugins ]] || rm -f /var/lib/kubelet/device-plugins/kubelet.sock
  rmdir --ignore-fail-on-non-empty -p /run/containerd/s /var/log/containers /var/lib/cni/results /run/containerd/runc/k8s.io \
    /var/lib/kubelet/device-plugins 2>/dev/null || true
  rm -f "$OWNER"
}

# Removes what says in a file that it is of this state folder: files themselves, or folders of one container each.
remove_naming_us() {
  local folder file below
  for folder in "$@"; do
    while read -r file; do
      below=${file#"$folder"/}
      rm -rf "${folder:?}/${below%%/*}"
    done < <(grep -rlsF "$STATE/" "$folder" || true)
  done
}

main
