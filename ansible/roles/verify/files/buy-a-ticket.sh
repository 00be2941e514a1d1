#!/bin/bash
# buy-a-ticket.sh CLONE URL SHOP ADDRESS KUBECTL...: examples/buy-a-ticket.sh in a shop on a cluster. The stand-in for Stripe is
# reached by a forwarded port; the shop's host at ADDRESS, where that is not empty.
set -euo pipefail

clone=$1 url=$2 shop=$3 address=$4
shift 4

scratch=$(mktemp -d)
forward=
end() {
  [[ -z $forward ]] || kill "$forward" 2>/dev/null || true
  rm -rf "$scratch"
}
trap end EXIT

# It is read before the program beside has begun to write.
: >"$scratch/forward"
"$@" port-forward --address 127.0.0.1 "service/$shop-stripe" :8420 >"$scratch/forward" 2>&1 &
forward=$!
for _ in {1..100}; do
  port=$(sed -n 's/^Forwarding from 127\.0\.0\.1:\([0-9]*\) .*/\1/p' "$scratch/forward")
  [[ -z $port ]] || break
  kill -0 "$forward" 2>/dev/null || break
  sleep 0.1
done
if [[ -z $port ]]; then
  echo "the stand-in for Stripe cannot be reached: $(<"$scratch/forward")" >&2
  exit 1
fi

if [[ -n $address ]]; then
  host=${url#*://}
  host=${host%%/*}
  host=${host%%:*}
  echo "connect-to = \"$host::$address:\"" >"$scratch/.curlrc"
  export CURL_HOME=$scratch
fi
BIGTIX_URL=$url BIGTIX_STRIPE=http://127.0.0.1:$port "$clone/examples/buy-a-ticket.sh"
