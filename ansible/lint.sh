#!/bin/bash
# What of the playbooks can be checked without a cluster: style, syntax, the decisions, and what is said to variables that are wrong.
set -euo pipefail
cd "$(dirname "$0")"
PATH=$(../scripts/tool.sh ansible):$PATH
export ANSIBLE_CONFIG=$PWD/ansible.cfg ANSIBLE_NOCOLOR=1

# refused WORDS PLAYBOOK ARGUMENT...: it ends before the cluster, which is not there, is asked anything.
refused() {
  local said
  ! said=$(KUBECONFIG=/dev/null ansible-playbook "${@:2}" 2>&1) || { echo "not refused: ${*:2}" >&2; return 1; }
  # As it is written, a sentence is broken into lines.
  grep -q -- "$1" <<<"$(tr -s '\n ' '  ' <<<"$said")" || { printf 'nothing says "%s" to %s:\n%s\n' "$1" "${*:2}" "$said" >&2; return 1; }
}

python -m unittest discover --quiet tests
for inventory in inventories/*/; do
  ansible-playbook --inventory "$inventory" --syntax-check bootstrap.yml release.yml rollback.yml status.yml >/dev/null
done
for role in roles/*/; do
  [[ -e $role/meta/argument_specs.yml ]] || { echo "$role has no meta/argument_specs.yml: nobody says what it takes" >&2; exit 1; }
done
ansible-lint --nocolor -qq
refused 'value of bigtix_images must be one of' release.yml --extra-vars bigtix_images=bought
refused 'value of bigtix_cluster must be one of' bootstrap.yml --extra-vars bigtix_cluster=elsewhere
refused 'missing required arguments: bigtix_eks_cluster' bootstrap.yml --extra-vars bigtix_cluster=eks
