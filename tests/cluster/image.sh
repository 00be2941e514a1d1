#!/bin/bash
# image.sh NAME:TAG DOCKERFILE CONTEXT [--build-arg=K=V ...]: builds an image and loads it into the cluster's node.
# Nothing is built or loaded again as long as the Dockerfile, the context and the arguments stay the same.
set -euo pipefail
# shellcheck source=tests/cluster/place.sh
source "$(dirname "$0")/place.sh"

ARCHIVES=$TOOLS/cluster/images
BUILDAH=(buildah --root "$TOOLS/cluster/buildah" --runroot "$STATE/buildah" --storage-driver vfs)

main() {
  [[ $# -ge 3 ]] || fail "usage: $0 NAME:TAG DOCKERFILE CONTEXT [--build-arg=K=V ...]"
  local name=$1 dockerfile=$2 context=$3
  shift 3
  [[ $name == *:* ]] || fail "The image's name $name has no tag; write NAME:TAG."
  [[ -f $dockerfile ]] || fail "There is no Dockerfile at $dockerfile."
  [[ -d $context ]] || fail "There is no folder $context."
  if [[ -f $STATE/kind ]]; then
    docker build --tag "$name" --file "$dockerfile" "$@" "$context"
    kind load docker-image --name bigtix "$name"
    return
  fi
  mkdir -p "$ARCHIVES" "$STATE/loaded"
  local file=${name//[\/:]/_} content
  content=$(content "$dockerfile" "$context" "$@")
  # Two calls for one image would write one archive.
  exec 9>"$ARCHIVES/$file.lock"
  flock 9
  build "$name" "$ARCHIVES/$file.tar" "$content" "$dockerfile" "$context" "$@"
  load "$name" "$ARCHIVES/$file.tar" "$content"
}

# A digest of all that goes into the image: names, modes and bytes of files, and the arguments. Of a further context
# the files count and not the folder's name, which may be another each time.
content() {
  local dockerfile=$1 context=$2 argument
  shift 2
  {
    sha256sum <"$dockerfile"
    files "$context"
    for argument in "$@"; do
      if [[ $argument == --build-context=*=* && -d ${argument##*=} ]]; then
        say "${argument%=*}"
        files "${argument##*=}"
      else
        say "$argument"
      fi
    done
  } | sha256sum | cut -d' ' -f1
}

files() { (cd "$1" && find . -printf '%p %m %l\n' | sort && find . -type f -print0 | sort -z | xargs -0r sha256sum); }

build() {
  local name=$1 archive=$2 content=$3 dockerfile=$4 context=$5 began=$SECONDS
  shift 5
  if [[ -f $archive && -f $archive.content && $(<"$archive.content") == "$content" ]]; then
    printf '%-40s already built\n' "$name"
    return
  fi
  rm -f "$archive" "$archive.content"
  "${BUILDAH[@]}" build --quiet --cni-config-dir "$TOOLS/cluster/buildah/cni" --isolation chroot --timestamp 0 --tag "$name" --file "$dockerfile" "$@" "$context" >/dev/null ||
    fail "$name could not be built; see above. Nothing can be pulled: a Dockerfile starts FROM scratch here."
  "${BUILDAH[@]}" push --quiet "$name" "docker-archive:$archive:$name"
  # The archive is what is kept.
  "${BUILDAH[@]}" rmi --force "$name" >/dev/null
  echo "$content" >"$archive.content"
  printf '%-40s built in %s s\n' "$name" $((SECONDS - began))
}

load() {
  local name=$1 archive=$2 content=$3 mark=$STATE/loaded/${1//[\/:]/_} began=$SECONDS
  if [[ -f $mark && $(<"$mark") == "$content" ]] && ctr image ls -q "name==$name" 2>/dev/null | grep -q .; then
    printf '%-40s already loaded\n' "$name"
    return
  fi
  ctr image import "$archive" >/dev/null || fail "$name could not be loaded: is the cluster up? Run tests/cluster/up.sh."
  echo "$content" >"$mark"
  printf '%-40s loaded in %s s\n' "$name" $((SECONDS - began))
}

main "$@"
