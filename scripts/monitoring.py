"""What alerts and dashboards are made of, for check-alerts.sh, check-dashboards.sh and check-metrics.sh beside it.

  monitoring.py rules GOLDEN               prints the rules of the PrometheusRule among the objects of an example
  monitoring.py complete RULES TESTS BOOKS refuses alerts without test or runbook, tests and runbooks without alert
  monitoring.py broken RULES FOLDER        writes the rules to the folder many times, each time with one thing of an alert changed
  monitoring.py emitted FILE...            refuses rules, dashboards and runbooks that use a metric or label which nobody emits
  monitoring.py dashboards FOLDER          refuses dashboards that lack what each has, and prints their expressions as rules
  monitoring.py served FILE                refuses what a shop serves at /metrics in another way than was read from the sources
"""

import copy
import json
import pathlib
import re
import sys

import yaml

ROOT = pathlib.Path(__file__).resolve().parent.parent
OPERATOR = "operator/src"
SHOP = ["cli/src", "sdk/service/src", "services"]

# What others emit, with the labels that matter here: of kube-state-metrics and of the kubelet's cAdvisor, by their documentation.
DEPLOYMENT, SET, CONTAINER = {"deployment"}, {"statefulset"}, {"container"}
OTHERS = {
    "container_cpu_usage_seconds_total": CONTAINER,
    "container_memory_working_set_bytes": CONTAINER,
    "kube_deployment_spec_replicas": DEPLOYMENT,
    "kube_deployment_status_replicas_available": DEPLOYMENT,
    "kube_deployment_status_replicas_updated": DEPLOYMENT,
    "kube_pod_container_info": CONTAINER | {"image"},
    "kube_pod_container_resource_limits": CONTAINER | {"resource"},
    "kube_pod_container_status_restarts_total": CONTAINER,
    "kube_statefulset_replicas": SET,
    "kube_statefulset_status_replicas_ready": SET,
}
# Nothing is counted here in a shop in which no more happened than that a ticket was bought.
RARE = {
    "bigtix_changes_settled_total",
    "bigtix_orders_expired_total",
    "bigtix_relay_refused_total",
    "bigtix_requests_refused_total",
    "bigtix_timers_fired_total",
    "edge_connections_refused_total",
}
# What Prometheus puts on everything that it collects here.
PLACE = {"namespace", "pod", "app_kubernetes_io_instance"}
WORDS = {"and", "or", "unless", "bool", "inf", "nan", "offset"}
STRING = re.compile(r'"(?:[^"\\]|\\.)*"')


def main(command, *arguments):
    commands = {"rules": rules, "complete": complete, "broken": broken, "emitted": emitted, "dashboards": dashboards, "served": served}
    wrong = list(commands[command](*arguments))
    sys.exit("\n".join(wrong) if wrong else 0)


def rules(golden):
    objects = yaml.safe_load_all(pathlib.Path(golden).read_text())
    found = [one["spec"] for one in objects if one["kind"] == "PrometheusRule"]
    if len(found) != 1:
        return [f"{golden} has {len(found)} objects of the kind PrometheusRule, and one is expected"]
    print(yaml.safe_dump(found[0], sort_keys=False, width=1000), end="")
    return []


def alerts(file):
    return [rule for group in yaml.safe_load(pathlib.Path(file).read_text())["groups"] for rule in group["rules"]]


def complete(file, tests, books):
    wrong = []
    names = [alert["alert"] for alert in alerts(file)]
    for name in names:
        book = pathlib.Path(books) / f"{name}.md"
        if not book.exists() or not book.read_text().startswith(f"# {name}\n"):
            wrong.append(f"{name}: {books}/{name}.md has to say what it means, how to look and what to do")
        test = pathlib.Path(tests) / f"{name}.yaml"
        if not test.exists():
            wrong.append(f"{name}: {tests}/{name}.yaml has to show when it fires and when it is silent")
            continue
        asked = [case for group in yaml.safe_load(test.read_text())["tests"] for case in group["alert_rule_test"]]
        if any(case["alertname"] != name for case in asked):
            wrong.append(f"{test} asks for another alert than {name}")
        if not any(case["exp_alerts"] for case in asked) or all(case["exp_alerts"] for case in asked):
            wrong.append(f"{test} has to see {name} fire, and to see it silent")
    for folder, pattern in ((tests, "*.yaml"), (books, "BigTix*.md")):
        stray = sorted(path for path in pathlib.Path(folder).glob(pattern) if path.stem not in names)
        wrong.extend(f"{path}: there is no such alert" for path in stray)
    return wrong


def broken(file, folder):
    whole = yaml.safe_load(pathlib.Path(file).read_text())
    for group in whole["groups"]:
        for rule in group["rules"]:
            before = copy.deepcopy(rule)
            for number, (what, change) in enumerate(changes(before)):
                rule.update(change)
                name = f"{rule['alert']}-{number}"
                (pathlib.Path(folder) / f"{name}.yaml").write_text(yaml.safe_dump(whole))
                print(f"{name}\t{rule['alert']}\t{what}")
                rule.update(copy.deepcopy(before))
    return []


def changes(rule):
    """What can be wrong with an alert: each with the words for it."""
    expression, lasts = rule["expr"], int(rule["for"].removesuffix("m"))
    for minutes in {lasts + 1, max(lasts - 1, 0)} - {lasts}:
        yield f"for {minutes}m", {"for": f"{minutes}m"}
    yield "another severity", {"labels": {"severity": "none"}}
    for annotation in rule["annotations"]:
        yield f"another {annotation}", {"annotations": rule["annotations"] | {annotation: "nothing"}}
    for metric in sorted(used(expression)):
        yield f"{metric} is called otherwise", {"expr": re.sub(rf"\b{metric}\b", f"{metric}_gone", expression)}
    for matcher in sorted(set(re.findall(r'\w+(?:=~?|!~)"[^"]*"', expression))):
        yield f"without {matcher}", {"expr": expression.replace(f"{matcher},", "").replace(matcher, "")}
    for found in re.finditer(r"([<>]) ([0-9.]+)", expression):
        sign, value = found.group(1), float(found.group(2))
        step = 0.1 * value if value >= 10 or value % 1 else 1
        for other in (f"{sign} {value - step:g}", f"{sign} {value + step:g}", f"{'<>'[sign == '<']} {value:g}"):
            yield f"{found.group()} became {other}", {"expr": expression[: found.start()] + other + expression[found.end() :]}
    for found in re.finditer(r"\} (<) kube", expression):
        for other in ("<=", ">"):
            yield f"< became {other}", {"expr": expression[: found.start(1)] + other + expression[found.end(1) :]}
    for window in sorted(set(re.findall(r"\[(\d+)m\]", expression))):
        for other in (2 * int(window), int(window) * 2 // 5):
            yield f"[{window}m] became [{other}m]", {"expr": expression.replace(f"[{window}m]", f"[{other}m]")}
    if expression.startswith("max by"):
        yield "max became min", {"expr": expression.replace("max by", "min by")}


def emitted(*files):
    known = OTHERS | ours([OPERATOR, *SHOP])
    return [f"{file}: {what}" for file in files for one in expressions(pathlib.Path(file)) for what in unknown(one, known)]


def unknown(expression, known):
    """The metrics of an expression that nobody emits, and the labels that they do not have."""
    metrics = used(expression)
    yield from (f"nobody emits {metric}" for metric in sorted(metrics - set(known)))
    for metric, matchers in re.findall(r"(\w+)\{([^}]*)\}", STRING.sub("", expression)):
        named = set(re.findall(r"\w+", matchers))
        yield from (f"{metric} has no label {label}" for label in sorted(named - known.get(metric, named) - PLACE))
    groups = re.findall(r"\b(?:by|without|on|ignoring)\s*\(([^)]*)\)", expression)
    named = {label for group in groups for label in re.findall(r"\w+", group)}
    some = PLACE.union(*(known.get(metric, named) for metric in metrics))
    yield from (f"nothing has the label {label} in {expression}" for label in sorted(named - some))


def served(file):
    """`emitted` goes by what is read from the sources. This is whether that is so."""
    read, seen = ours(SHOP), {}
    for line in pathlib.Path(file).read_text().splitlines():
        if line and not line.startswith("#"):
            name, labels = re.fullmatch(r"(\w+)(?:\{(.*)\})? \S+", line).groups()
            seen.setdefault(name, set()).update(re.findall(r"(\w+)=", STRING.sub("", labels or "")))
    for name in sorted(seen.keys() & read.keys()):
        if seen[name] != read[name]:
            yield f"{name} is served with the labels {sorted(seen[name])}, and {sorted(read[name])} was read from the sources"
    yield from (f"{name} is served, and was not found in the sources" for name in sorted(seen.keys() - read.keys()))
    yield from (f"{name} was found in the sources, and is not served" for name in sorted(read.keys() - seen.keys() - RARE))


def ours(programs):
    """What the programs emit, as Prometheus sees it: the labels of each metric."""
    found, constants = {}, {}
    sources = [path for folder in programs for path in sorted((ROOT / folder).rglob("*.rs")) if "tests" not in path.parts]
    operations = ROOT / "sdk/contracts/src/operations.rs"
    for name, text in re.findall(r'const (\w+): &str = "([^"]*)"', operations.read_text()):
        constants[name] = text
    for path in sources:
        # Modules of tests stand last.
        text = path.read_text().split("#[cfg(test)]\nmod tests")[0] if path.name != "tests.rs" else ""
        listed = re.search(r"let labels = \[(.*?)\];", text, re.S)
        for call in re.finditer(r"\b(counter|gauge|histogram)!\((.*?)\)\s*(?:;|\.(?:increment|set|record)\()", text, re.S):
            kind, (first, *rest) = call.group(1), call.group(2).split(",", 1)
            name = first.strip().strip('"') if '"' in first else constants.get(first.strip())
            if name is None:
                sys.exit(f"{path}: {first} is no name, and no constant of {operations}")
            labels = set(re.findall(r'"(\w+)" =>', "".join(rest)))
            if some := re.search(r"&labels(?:\[\.\.(\d+)\])?", "".join(rest)):
                words = re.findall(r'\(("?\w+"?), ', listed.group(1))[: int(some.group(1) or 99)]
                labels |= {word.strip('"') if '"' in word else constants[word] for word in words}
            if kind == "histogram":
                found |= {f"{name}_bucket": labels | {"le"}, f"{name}_sum": labels, f"{name}_count": labels}
            else:
                found[name] = labels
    return found


def used(expression):
    """The metrics of an expression."""
    bare = STRING.sub('""', expression)
    bare = re.sub(r"\{[^}]*\}|\[[^]]*\]", " ", bare)
    bare = re.sub(r"\b(by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)", " ", bare)
    bare = re.sub(r"\bgroup_(left|right)\b|\b\d+(\.\d+)?(e[+-]?\d+)?[a-z]*", " ", bare)
    found = re.findall(r"([A-Za-z_:][A-Za-z0-9_:]*)\s*(\(?)", bare)
    return {name for name, call in found if not call and name.lower() not in WORDS and name != "le"}


def expressions(file):
    """What a file of rules, a dashboard or a runbook asks Prometheus."""
    text = file.read_text()
    if file.suffix == ".md":
        return [line for block in re.findall(r"```promql\n(.*?)```", text, re.S) for line in block.splitlines() if line]
    if file.suffix == ".json":
        dashboard = json.loads(text)
        asked = [concrete(target["expr"]) for panel in panels(dashboard) for target in panel.get("targets", [])]
        return asked + [query for variable in dashboard["templating"]["list"] for query in [values_of(variable)] if query]
    return [rule["expr"] for rule in alerts(file)]


def panels(dashboard):
    for panel in dashboard["panels"]:
        yield panel
        yield from panel.get("panels", [])


def values_of(variable):
    """The series that a variable takes its values from, by the label."""
    if variable["type"] != "query":
        return None
    query = variable["query"]["query"]
    series, label = re.fullmatch(r"label_values\((.*), (\w+)\)", query).groups()
    return f"count by ({label}) ({concrete(series)})"


def concrete(expression):
    """The expression as Grafana would send it."""
    return re.sub(r"\$\{?\w+\}?", "x", expression.replace("$__rate_interval", "4m").replace("$__range", "6h"))


def dashboards(folder):
    wrong, seen, asked = [], {}, []
    files = sorted(pathlib.Path(folder).glob("*.json"))
    if not files:
        wrong.append(f"{folder} has no dashboards")
    for file in files:
        try:
            dashboard = json.loads(file.read_text())
        except ValueError as error:
            wrong.append(f"{file} is no JSON: {error}")
            continue
        wrong.extend(f"{file}: {what}" for what in lacking(dashboard))
        for key in ("uid", "title"):
            other = seen.setdefault((key, dashboard.get(key)), file)
            if other != file:
                wrong.append(f"{file} and {other} have the same {key}")
        asked.extend(expressions(file))
    if not wrong:
        group = {"name": "dashboards", "rules": [{"record": f"asked:{n}", "expr": one} for n, one in enumerate(asked)]}
        print(yaml.safe_dump({"groups": [group]}, width=1000), end="")
    return wrong


def lacking(dashboard):
    variables = {variable["name"]: variable for variable in dashboard["templating"]["list"]}
    if variables.get("datasource", {}).get("type") != "datasource":
        yield "has no variable `datasource`, by which one chooses a Prometheus"
    if "namespace" not in variables:
        yield "has no variable `namespace`"
    for variable in variables.values():
        if variable["type"] == "query" and variable["datasource"]["uid"] != "${datasource}":
            yield f"the variable {variable['name']} asks a datasource of its own"
    numbers = [panel["id"] for panel in panels(dashboard)]
    if len(numbers) != len(set(numbers)):
        yield "two panels have the same id"
    for panel in panels(dashboard):
        if panel["type"] == "row":
            continue
        title = panel.get("title") or f"panel {panel['id']}"
        if not panel.get("title") or not panel.get("description"):
            yield f"{title} has to have a title and a description"
        if not panel["fieldConfig"]["defaults"].get("unit"):
            yield f"{title} has no unit"
        if panel["datasource"]["uid"] != "${datasource}":
            yield f"{title} asks a datasource of its own"
        for target in panel["targets"]:
            named = set(re.findall(r"\$\{?(\w+)", target["expr"] + target.get("legendFormat", "")))
            for name in sorted(named - set(variables) - {"__rate_interval", "__range"}):
                yield f"{title} uses ${name}, which is no variable"


main(*sys.argv[1:])
