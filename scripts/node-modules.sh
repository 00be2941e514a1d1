#!/usr/bin/env bash
# Run in a folder with a package-lock.json: links what that names as node_modules. It is installed once for each lock
# file, outside the clone; whoever comes meanwhile waits. Ends with 3 where there is no Node that will do, which is no
# failure of whoever called.
set -euo pipefail
tools=${BIGTIX_TOOLS:-${XDG_CACHE_HOME:-$HOME/.cache}/bigtix/tools}

if ! command -v npm >/dev/null || ! node -e 'const [a, b] = process.versions.node.split("."); process.exit(a > 20 || (a == 20 && b >= 11) ? 0 : 1)'; then
  echo "This needs Node 20.11 or later and npm: nothing was tested here." >&2
  exit 3
fi

modules=$tools/$(basename "$PWD")/$(sha256sum package-lock.json | cut -c1-16)
mkdir -p "$modules"
(
  flock 9
  if [ ! -e "$modules/installed" ]; then
    cp package.json package-lock.json "$modules/"
    npm ci --prefix "$modules" --no-fund --no-audit --loglevel=error
    touch "$modules/installed"
  fi
) 9>"$modules/lock"
[ -L node_modules ] || rm -rf node_modules
ln -sfn "$modules/node_modules" node_modules
