#!/bin/bash
# Whether each panel of the chart's dashboards has a title, a unit and a datasource that one chooses, whether Prometheus can read what it
# asks and somebody emits it, whether the chart makes a ConfigMap of each dashboard, and whether it has the operator collected as the panels
# and alerts need it. Without Helm the last two are left out.
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
rendered --set dashboards.enabled=true --set dashboards.labels.team=shop --set dashboards.annotations.folder=Shop \
  --set podMonitor.enabled=true --set podMonitor.labels.release=monitoring >"$scratch/with.yaml"
"$python" - "$scratch" "$dashboards" <<'PYTHON'
import json, pathlib, sys
import yaml

scratch, folder = map(pathlib.Path, sys.argv[1:])

def objects(file, kind):
    return [one for one in yaml.safe_load_all((scratch / file).read_text()) if one and one["kind"] == kind]

def maps(file):
    return [one for one in objects(file, "ConfigMap") if one["metadata"]["name"].startswith("bigtix-dashboard-")]

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

if objects("without.yaml", "PodMonitor"):
    wrong.append("the chart makes a PodMonitor that nobody asked for")
pods = [one["spec"]["template"] for one in objects("with.yaml", "Deployment")]
for one in objects("with.yaml", "PodMonitor") or [None]:
    if not one or one["metadata"]["labels"].get("release") != "monitoring":
        wrong.append("the chart makes no PodMonitor with the labels that were asked for")
        continue
    [endpoint] = one["spec"]["podMetricsEndpoints"]
    selected = one["spec"]["selector"]["matchLabels"].items()
    ports = [port["name"] for pod in pods if selected <= pod["metadata"]["labels"].items() for each in pod["spec"]["containers"] for port in each["ports"]]
    if endpoint["port"] not in ports:
        wrong.append("the PodMonitor finds no port of the operator's pods")
    # Otherwise the shop's namespace is called exported_namespace, and no panel or alert finds it.
    if endpoint.get("honorLabels") is not True:
        wrong.append("the PodMonitor lets its own labels win")
sys.exit("\n".join(wrong) or 0)
PYTHON
