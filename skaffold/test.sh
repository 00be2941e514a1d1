#!/bin/bash
# Whether skaffold.yaml builds every program that the shop names, from paths that exist, and what Skaffold makes of it. Without Docker nothing is
# built. BIGTIX_SKAFFOLD names a Skaffold; without one there or on the path its own part is left out. `scripts/tool.sh skaffold` builds one, which
# takes minutes.
set -euo pipefail
cd "$(dirname "$0")/.."

"$(scripts/tool.sh ansible)/python" - <<'PYTHON'
import json, pathlib, subprocess, sys
import yaml

config = yaml.safe_load(open("skaffold.yaml"))
shop = yaml.safe_load(open("skaffold/shop.yaml"))
services = sorted(path.parent.name for path in pathlib.Path("services").glob("*/version.json"))
built = sorted(artifact["image"] for artifact in config["build"]["artifacts"])
wrong = []
if built != sorted(f"ghcr.io/bigtix/{name}" for name in [*services, "operator"]):
    wrong.append(f"skaffold.yaml builds {built}, and the services are {services}")
named = {name: own["image"] for name, own in shop["spec"]["services"].items()}
if named != {name: f"ghcr.io/bigtix/{name}" for name in services}:
    wrong.append(f"skaffold/shop.yaml names {named}")
release = json.load(open("services/release.json"))["version"]
if shop["spec"]["version"] != release:
    wrong.append(f"skaffold/shop.yaml asks for {shop['spec']['version']}, and the release is {release}")

said = subprocess.run(["cargo", "metadata", "--no-deps", "--offline", "--format-version", "1"], check=True, capture_output=True, text=True)
crates = {crate["name"]: crate for crate in json.loads(said.stdout)["packages"]}

def folders(name):
    """Those of a crate and of the crates of this repository that it is compiled from."""
    crate = crates[name]
    compiled = [used["name"] for used in crate["dependencies"] if used["name"] in crates and used["kind"] != "dev"]
    own = pathlib.Path(crate["manifest_path"]).parent.relative_to(pathlib.Path.cwd())
    return {str(own)}.union(*map(folders, compiled))

for artifact in config["build"]["artifacts"]:
    image = artifact["image"]
    watched = set(artifact["custom"]["dependencies"]["paths"])
    for path in sorted(watched):
        if not pathlib.Path(path).exists():
            wrong.append(f"{image} depends on {path}, which does not exist")
    for folder in sorted(folders(image.replace("ghcr.io/bigtix/", "bigtix-")) - watched):
        wrong.append(f"{image} is compiled from {folder}, and a change there does not build it")
sys.exit("\n".join(wrong) or 0)
PYTHON

PATH=$PATH:${BIGTIX_TOOLS:-${XDG_CACHE_HOME:-$HOME/.cache}/bigtix/tools}/cluster/bin
skaffold=${BIGTIX_SKAFFOLD:-$(command -v skaffold || true)}
helm=$(command -v helm || true)
if [[ -z $skaffold || -z $helm ]]; then
  echo "skaffold and helm are not both there: what they make of skaffold.yaml was not looked at" >&2
  exit 0
fi
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
# Without a cluster a helm that was built from its module takes Kubernetes for an old one.
cat >"$scratch/helm" <<HELM
#!/bin/bash
[[ " \$* " != *" template "* ]] || set -- "\$@" --kube-version 1.34.0
exec "$helm" "\$@"
HELM
chmod +x "$scratch/helm"
PATH=$scratch:$PATH
jq -n '{builds: [$ARGS.positional[] | {imageName: "ghcr.io/bigtix/\(.)", tag: "ghcr.io/bigtix/\(.):tested"}]}' \
  --args auth tickets orders payments expiration web operator >"$scratch/builds.json"
"$skaffold" diagnose --yaml-only >/dev/null
"$skaffold" render --offline --digest-source none --build-artifacts "$scratch/builds.json" --output "$scratch/rendered.yaml" \
  2>"$scratch/said" || { cat "$scratch/said" >&2; exit 1; }
for service in auth tickets orders payments expiration web operator; do
  grep -q "image: .*ghcr.io/bigtix/$service:tested" "$scratch/rendered.yaml" || {
    echo "skaffold does not put the image of $service where it belongs" >&2
    exit 1
  }
done
