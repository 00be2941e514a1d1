#!/bin/bash
# What of the playbooks can be checked without a cluster: style, syntax, and the decisions.
set -euo pipefail
cd "$(dirname "$0")"
PATH=$(../scripts/tool.sh ansible):$PATH
export ANSIBLE_CONFIG=$PWD/ansible.cfg

python -m unittest discover --quiet tests
for inventory in inventories/*/; do
  ansible-playbook --inventory "$inventory" --syntax-check bootstrap.yml release.yml rollback.yml status.yml >/dev/null
done
ansible-lint --nocolor -qq
