#!/bin/bash
# Whether compare.sh refuses what breaks clients, and nothing else: changed copies of the documents are compared.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# compares WANTED WHAT FILE FILTER: the document, changed by a filter of jq, is refused or accepted.
compares() {
  local wanted=$1 what=$2 file=$3 filter=$4 found=accepted
  cp "$here"/*.json "$scratch/"
  jq "$filter" "$here/$file.json" >"$scratch/$file.json"
  if cmp -s <(jq -S . "$here/$file.json") <(jq -S . "$scratch/$file.json"); then
    echo "not ok: nothing was changed: $what" >&2
    exit 1
  fi
  "$here/compare.sh" "$scratch" >"$scratch/said" 2>&1 || found=refused
  if [[ $found != "$wanted" ]]; then
    echo "not ok: $found: $what" >&2
    cat "$scratch/said" >&2
    exit 1
  fi
  echo "ok: $wanted: $what"
}

"$here/compare.sh"
compares refused 'a path that is gone' orders 'del(.paths["/api/orders/{id}"])'
compares refused 'a method that is gone' tickets 'del(.paths["/api/tickets/{id}"].patch)'
compares refused 'a field of an answer that is gone' orders \
  'del(.components.schemas.Order.properties.total) | .components.schemas.Order.required -= ["total"]'
compares refused 'a field of an answer that is another type' tickets '.components.schemas.Ticket.properties.title.type = "integer"'
compares refused 'a field of a body that is required now' tickets \
  '.components.schemas.NewTicket.properties.colour = {type: "string"} | .components.schemas.NewTicket.required += ["colour"]'
compares refused 'a query that is required now' orders \
  '(.paths["/api/orders"].get.parameters[] | select(.name == "limit") | .required) = true'
compares refused 'a success that is gone' orders 'del(.paths["/api/orders/{id}"].get.responses["200"])'
compares refused 'a further status of an order' orders '.components.schemas.StatusWord.enum += ["lost"]'
compares accepted 'a further path' orders '.paths["/api/orders/{id}/receipt"] = .paths["/api/orders/{id}"]'
compares accepted 'a further field of an answer' orders '.components.schemas.Order.properties.colour = {type: "string"}'
compares accepted 'a further field of a body' tickets '.components.schemas.NewTicket.properties.colour = {type: "string"}'
compares accepted 'a further code of errors' orders '.components.schemas.ErrorCode.enum += ["too_loud"]'
