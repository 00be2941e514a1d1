#!/bin/bash
# build.sh NAME: the image of one program for `skaffold dev`. The program is built here, where Cargo knows what has changed, as a static one
# without optimisation across crates, and put into an image by the Dockerfile. Skaffold says in IMAGE how it is to be called.
set -euo pipefail
cd "$(dirname "$0")/.."

name=$1
program=bigtix-$name
package=$program
[[ $name != stripe-double ]] || package=bigtix-testkit
target=$(uname -m)-unknown-linux-gnu
built=${CARGO_TARGET_DIR:-target}/$target/test-image

RUSTFLAGS="-C target-feature=+crt-static" cargo build --quiet --profile test-image --target "$target" --package "$package" --bin "$program"
staging=$(mktemp -d)
trap 'rm -rf "$staging"' EXIT
cp "$built/$program" /etc/ssl/certs/ca-certificates.crt "$staging/"
docker build --quiet --tag "$IMAGE" --build-context "programs=$staging" --build-arg "PROGRAM=$program" --build-arg VERSION=development "$staging" \
  --file Dockerfile
[[ ${PUSH_IMAGE:-false} != true ]] || docker push --quiet "$IMAGE"
