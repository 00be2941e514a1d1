#!/bin/bash
# Whether clients of each released document of the same major version are still served by the documents of this tree. A new release
# puts its documents into released/<version>; those that are there are never edited.
#   sdk/openapi/compare.sh [FOLDER]      FOLDER holds the documents to compare (default: beside this file)
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
PATH=$("$here/../../scripts/tool.sh" oasdiff):$PATH
folder=${1:-$here}
major=$(jq -r '.version | split(".")[0]' "$here/../../services/release.json")

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# The list of error codes may grow, as clients are told; every other list of words in an answer may not.
prepared() { jq 'del(.components.schemas.ErrorCode.enum)' "$1" >"$scratch/$2.json" && echo "$scratch/$2.json"; }

compared=0
broken=0
for released in "$here"/released/"$major".*/*.json; do
  [[ -e $released ]] || continue
  name=$(basename "$released")
  document=$folder/$name
  version=$(basename "$(dirname "$released")")
  compared=$((compared + 1))
  if [[ ! -f $document ]]; then
    echo "$name of $version is gone: clients still ask for it" >&2
    broken=1
  elif ! said=$(oasdiff breaking --allow-external-refs=false --fail-on ERR --color never --format singleline \
    "$(prepared "$released" released)" "$(prepared "$document" present)" 2>&1); then
    printf '%s breaks clients of %s:\n%s\n' "$name" "$version" "$said" >&2
    broken=1
  fi
done
if ((compared == 0)); then
  echo "sdk/openapi/released has no document of major version $major" >&2
  exit 1
fi
exit "$broken"
