#!/bin/bash
# tool.sh NAME: prints the folder that holds a program for checks and tests, and installs it first when it is missing. Each is pinned
# here, lies beside the other tools, and is installed once a machine. What the shop itself needs comes by `make tools`.
set -euo pipefail

ROOT=$(cd "$(dirname "$0")/.." && pwd)
TOOLS=${BIGTIX_TOOLS:-${XDG_CACHE_HOME:-$HOME/.cache}/bigtix/tools}

main() {
  case ${1:-} in
    actionlint) go_program actionlint github.com/rhysd/actionlint/cmd/actionlint@v1.7.12 ;;
    # 1.34 and 1.35 depend on a module that its proxy does not have.
    oasdiff) go_program oasdiff github.com/oasdiff/oasdiff@v1.33.0 ;;
    # 0.316.0 depends on versions of modules that their proxy does not have. No rule needs what finds targets in clouds.
    promtool) from_source promtool github.com/prometheus/prometheus@v0.315.0 -tags remove_all_sd ;;
    registry) go_program registry github.com/distribution/distribution/v3/cmd/registry@v3.1.2 ;;
    skaffold) from_source skaffold github.com/GoogleContainerTools/skaffold/v2@v2.24.0 -mod=mod ;;
    ansible) ansible ;;
    *)
      echo "usage: $0 actionlint|ansible|oasdiff|promtool|registry|skaffold" >&2
      exit 2
      ;;
  esac
}

# go_program NAME PACKAGE@VERSION
go_program() {
  local folder=$TOOLS/checks/$1-${2##*@}
  if [[ ! -x $folder/$1 ]]; then
    command -v go >/dev/null || fail "$1 is installed with Go 1.26 or later, which is not there."
    locked "$folder" env GOBIN="$folder" go install "$2"
  fi
  echo "$folder"
}

# from_source NAME MODULE@VERSION FLAG...: its module replaces others, so that `go install` refuses it from outside.
from_source() {
  local folder=$TOOLS/checks/$1-${2##*@} source
  if [[ ! -x $folder/$1 ]]; then
    command -v go >/dev/null || fail "$1 is built with Go 1.26 or later, which is not there."
    source=$(go mod download -json "$2" | jq -r .Dir)
    locked "$folder" env GOWORK=off CGO_ENABLED=0 go -C "$source" build "${@:3}" -o "$folder/$1" "./cmd/$1"
  fi
  echo "$folder"
}

# A folder for each content of the file, so that clones with other versions do not meet.
ansible() {
  local wanted=$ROOT/ansible/requirements.txt folder
  folder=$TOOLS/checks/ansible-$(sha256sum "$wanted" | cut -c1-12)
  if [[ ! -e $folder/installed ]]; then
    python3 -c 'import sys, venv; sys.exit(sys.version_info < (3, 11))' || fail "Ansible is installed with Python 3.11 or later with venv."
    locked "$folder" python3 -m venv "$folder"
    locked "$folder" "$folder/bin/pip" install --quiet --disable-pip-version-check --requirement "$wanted"
    touch "$folder/installed"
  fi
  echo "$folder/bin"
}

# locked FOLDER COMMAND...: whoever comes meanwhile waits. Nothing but the folder's name goes to standard output.
locked() {
  mkdir -p "$1"
  flock "$1.lock" "${@:2}" >&2
}

fail() {
  echo "$*" >&2
  exit 1
}

main "$@"
