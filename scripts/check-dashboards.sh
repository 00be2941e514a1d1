#!/bin/bash
# Whether each panel of the chart's dashboards has a title, a unit and a datasource that one chooses, whether Prometheus can read what it
# asks and somebody emits it, and whether the chart makes a ConfigMap of each dashboard. Without Helm the last is left out.
set -euo pipefail
cd "$(dirname "$0")/.."
dashboards=charts/bigtix/dashboards
python=$(scripts/tool.sh ansible)/python
promtool=$(scripts/tool.sh promtool)/promtool
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

"$python" scripts/monitoring.py dashboards "$dashboards" >"$scratch/asked.yaml"
"$promtool" check rules --lint=none "$scratch/asked.yaml" >"$scratch/said" 2>&1 || {
  cat "$scratch/said" >&2
  exit 1
}
"$python" scripts/monitoring.py emitted "$dashboards"/*.json

PATH=$PATH:${BIGTIX_TOOLS:-${XDG_CACHE_HOME:-$HOME/.cache}/bigtix/tools}/cluster/bin
if ! command -v helm >/dev/null; then
  echo "helm is not there: what the chart makes of the dashboards was not looked at" >&2
  exit 0
fi
rendered() { helm template bigtix charts/bigtix --kube-version 1.34.0 "$@"; }
rendered >"$scratch/without.yaml"
rendered --set dashboards.enabled=true --set dashboards.labels.team=shop --set dashboards.annotations.folder=Shop >"$scratch/with.yaml"
"$python" - "$scratch" "$dashboards" <<'PYTHON'
import json, pathlib, sys
import yaml

scratch, folder = map(pathlib.Path, sys.argv[1:])

def maps(file):
    objects = yaml.safe_load_all((scratch / file).read_text())
    return [one for one in objects if one and one["kind"] == "ConfigMap" and one["metadata"]["name"].startswith("bigtix-dashboard-")]

wanted = {file.name: json.loads(file.read_text()) for file in folder.glob("*.json")}
made = {name: json.loads(text) for one in maps("with.yaml") for name, text in one["data"].items()}
wrong = []
if maps("without.yaml"):
    wrong.append("the chart makes dashboards that nobody asked for")
if made != wanted:
    wrong.append(f"the chart makes {sorted(made)} of {sorted(wanted)}, or changes what is in them")
for one in maps("with.yaml"):
    meta = one["metadata"]
    if meta["labels"].get("grafana_dashboard") != "1" or meta["labels"].get("team") != "shop" or meta["annotations"] != {"folder": "Shop"}:
        wrong.append(f"{meta['name']} has not the labels and annotations that were asked for")
sys.exit("\n".join(wrong) or 0)
PYTHON
