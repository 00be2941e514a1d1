#!/bin/sh
# Sells and buys tickets through the API of a running shop, with nothing but curl and jq.
#
#   examples/buy-a-ticket.sh
#
# BIGTIX_URL     where the shop is (default http://localhost:8080)
# BIGTIX_DATA    its data folder, whose run.json says where the Stripe double is (default ./.bigtix)
# BIGTIX_STRIPE  where the Stripe double is, for a shop without such a folder: in a cluster, what is printed by
#                kubectl port-forward service/shop-stripe :8420
#
# On a shop whose reservations are short, started for example with
#   bigtix up --set spec.reservationSeconds=3
# it also waits until an unpaid order has expired.
set -eu

shop=${BIGTIX_URL:-http://localhost:8080}
shop=${shop%/}
data=${BIGTIX_DATA:-./.bigtix}
longest_wait=15

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT INT TERM

say() { printf '%s\n' "$*"; }

fail() {
  printf 'buy-a-ticket: %s\n' "$*" >&2
  exit 1
}

for program in curl jq; do
  command -v "$program" >/dev/null || fail "$program is needed: install it and try again"
done
stripe=${BIGTIX_STRIPE:-}
if [ -z "$stripe" ]; then
  [ -r "$data/run.json" ] || fail "$data/run.json is not there: start a shop with 'bigtix up', or set BIGTIX_DATA to its data folder"
  stripe=$(jq -r '.stripe.url // empty' "$data/run.json")
fi
[ -n "$stripe" ] || fail "this shop charges real cards; the example needs one with the Stripe double"

# call EXPECTED-STATUS METHOD PATH [WHO [BODY]]: prints the answer's body. WHO is the name of a cookie jar.
call() {
  expected=$1 method=$2 path=$3 who=${4:-nobody} body=${5:-}
  set -- --silent --show-error --max-time 30 --request "$method" \
    --cookie "$work/$who.jar" --cookie-jar "$work/$who.jar" \
    --output "$work/answer" --write-out '%{http_code}'
  if [ -n "$body" ]; then
    set -- "$@" --header 'content-type: application/json' --data "$body"
  fi
  : >>"$work/$who.jar"
  status=$(curl "$@" "$shop$path") || fail "$method $path: the shop at $shop does not answer"
  [ "$status" = "$expected" ] || fail "$method $path answered $status instead of $expected: $(cat "$work/answer")"
  cat "$work/answer"
}

# seconds_between EARLIER LATER: both RFC 3339, to the second.
seconds_between() {
  jq -nr --arg a "$1" --arg b "$2" 'def at: sub("\\.[0-9]+Z$"; "Z") | fromdate; ($b | at) - ($a | at)'
}

# until_ticket STATUS: waits until the shop shows the ticket like that; it may be behind by a second.
until_ticket() {
  waited=0
  while [ "$(call 200 GET "/api/tickets/$ticket" | jq -r .status)" != "$1" ]; do
    [ "$waited" -lt "$longest_wait" ] || fail "the ticket is not $1 after $longest_wait seconds"
    sleep 1
    waited=$((waited + 1))
  done
}

tag=$(date +%s)-$$
password='Tickets-4-all'

say "The shop is at $shop"
for person in seller buyer; do
  call 201 POST /api/users/signup "$person" \
    "$(jq -n --arg email "$person-$tag@example.test" --arg password "$password" '{email: $email, password: $password}')" >/dev/null
  say "- $person-$tag@example.test has signed up as the $person"
done

event=$(call 201 POST /api/events seller "$(jq -n --arg title "Symphony No. 9 ($tag)" \
  '{title: $title, venue: "Town Hall", city: "Springfield", startsAt: "2031-05-01T19:30:00Z", timeZone: "America/Chicago"}')" | jq -r .id)
say "- the seller has added an event: $event"

tickets=$(call 201 POST /api/tickets seller "$(jq -n --arg event "$event" \
  '{title: "Row F, balcony", price: 19.99, eventId: $event, quantity: 3}')" | jq -r '.[].id')
# Three ids, none of which contains a blank.
# shellcheck disable=SC2086
set -- $tickets
first=$1 second=$2 third=$3
say "- the seller has listed three tickets at \$19.99: $first $second $third"

say
say "A ticket is bought"
ticket=$first
order=$(call 201 POST /api/orders buyer "{\"ticketId\": \"$ticket\"}")
order_id=$(printf '%s' "$order" | jq -r .id)
expires=$(printf '%s' "$order" | jq -r .expiresAt)
lasts=$(seconds_between "$(printf '%s' "$order" | jq -r .createdAt)" "$expires")
say "- the buyer has reserved $ticket with order $order_id: \$$(printf '%s' "$order" | jq -r .total), until $expires ($lasts seconds)"

# What Stripe's script does in the buyer's browser, with the shop's publishable key.
card=$(curl --silent --show-error --max-time 30 "$stripe/v1/tokens" --data key=pk_test_bigtix \
  --data 'card[number]=4242424242424242' --data 'card[exp_month]=12' --data 'card[exp_year]=2034' --data 'card[cvc]=123' |
  jq -r '.id // empty')
[ -n "$card" ] || fail "the Stripe double at $stripe did not take the card"
say "- the buyer's browser has shown a card to Stripe and got $card"

payment=$(call 201 POST /api/payments buyer "{\"orderId\": \"$order_id\", \"token\": \"$card\"}")
say "- the buyer has paid \$$(printf '%s' "$payment" | jq -r .amount): $(printf '%s' "$payment" | jq -r .status)"
status=$(call 200 GET "/api/orders/$order_id" buyer | jq -r .status)
[ "$status" = complete ] || fail "the order is $status instead of complete"
say "- the order is $status"
until_ticket sold
say "- the ticket is sold"

say
say "A reservation runs out"
if [ "$lasts" -le "$longest_wait" ]; then
  ticket=$second
  order_id=$(call 201 POST /api/orders buyer "{\"ticketId\": \"$ticket\"}" | jq -r .id)
  say "- the buyer has reserved $ticket with order $order_id and does not pay"
  waited=0
  while state=$(call 200 GET "/api/orders/$order_id" buyer | jq -r '.status + " " + (.reason // "")') && [ "$state" != "cancelled expired" ]; do
    [ "$waited" -le "$((lasts + 2))" ] || fail "the order is still $state after $waited seconds"
    sleep 1
    waited=$((waited + 1))
  done
  say "- after its $lasts seconds the order is cancelled: expired"
  until_ticket available
  say "- the ticket is on sale again"
else
  say "- not shown: a reservation lasts $lasts seconds here (try --set spec.reservationSeconds=3)"
fi

say
say "An order is cancelled"
ticket=$third
order_id=$(call 201 POST /api/orders buyer "{\"ticketId\": \"$ticket\"}" | jq -r .id)
say "- the buyer has reserved $ticket with order $order_id"
call 204 DELETE "/api/orders/$order_id" buyer
say "- the buyer has cancelled it: $(call 200 GET "/api/orders/$order_id" buyer | jq -r '.status + " by the " + .reason')"
until_ticket available
say "- the ticket is on sale again"

say
say "Everything went as it should."
