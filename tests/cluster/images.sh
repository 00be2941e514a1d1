#!/bin/bash
# Images of the operator, the services and the Stripe double: built here as static programs, put into images by the
# project's Dockerfile, and loaded into the cluster's node. The services are the folders of services/; `images.sh services`
# leaves out the rest.
set -euo pipefail
# shellcheck source=tests/cluster/place.sh
source "$(dirname "$0")/place.sh"

REGISTRY=${BIGTIX_REGISTRY:-ghcr.io/bigtix}
# `image` makes what is released, and takes its time.
PROFILE=${BIGTIX_IMAGE_PROFILE:-test-image}
# Every program is built for one platform with the C library inside.
TARGET=$(uname -m)-unknown-linux-gnu
BUILT=${CARGO_TARGET_DIR:-$REPO/target}/$TARGET/$PROFILE
REVISION=$(git -C "$REPO" rev-parse --short HEAD 2>/dev/null || echo unknown)

main() {
  local service packages=() version only=${1:-}
  for service in "$REPO"/services/*/; do packages+=(--package "bigtix-$(basename "$service")"); done
  [[ $only == services ]] || packages+=(--package bigtix-operator --package bigtix-testkit)
  say "Building programs for images ..."
  (cd "$REPO" && RUSTFLAGS="-C target-feature=+crt-static" cargo build --quiet --profile "$PROFILE" --target "$TARGET" \
    "${packages[@]}" --bins) ||
    fail "The programs could not be built; see above."
  STAGING=$(mktemp -d)
  trap 'rm -rf "$STAGING"' EXIT
  version=$(jq -r .version "$REPO/services/release.json")
  for service in "$REPO"/services/*/; do
    image "$(basename "$service")" "bigtix-$(basename "$service")" "$(jq -r .version "$service/version.json")"
  done
  [[ $only == services ]] && return
  # In good health, and answers payments with 503: it waits for none.
  sed '/^ENTRYPOINT/i ENV PAYMENT_PATIENCE_MILLISECONDS=0' "$REPO/Dockerfile" >"$STAGING/hasty.Dockerfile"
  DOCKERFILE=$STAGING/hasty.Dockerfile image payments bigtix-payments "$version-hasty"
  # The scenarios run it outside of a pod, too.
  install -D "$BUILT/bigtix-operator" "$STATE/operator"
  image operator bigtix-operator "$version"
  image stripe-double bigtix-stripe-double "$version"
}

image() {
  local name=$1 program=$2 version=$3
  mkdir -p "$STAGING/$name"
  strip -o "$STAGING/$name/$program" "$BUILT/$program"
  cp /etc/ssl/certs/ca-certificates.crt "$STAGING/$name/"
  "$HERE/image.sh" "$REGISTRY/$name:$version" "${DOCKERFILE:-$REPO/Dockerfile}" "$STAGING/$name" --build-context="programs=$STAGING/$name" \
    --build-arg="PROGRAM=$program" --build-arg="VERSION=$version" --build-arg="REVISION=$REVISION"
}

main "$@"
