"""What the playbooks decide, as functions of what was read: nothing here asks anybody anything."""

from __future__ import annotations

from typing import Any, Mapping, NamedTuple, Sequence

# Reasons of Ready that end only when a person does something, or a clock reaches a window.
HELD = frozenset({"Paused", "Hibernated", "Planned", "WaitingForApproval", "WindowOpen"})
# Reasons of Ready with which a release is refused before anything is changed.
REFUSED = frozenset({"InvalidSpec", "Unreadable", "UnsupportedStep", "PointOfNoReturn"})
# Reasons of Progressing with which a rollout has ended badly.
ENDED_BADLY = frozenset({"RolledBack", "Failed"})


class Condition(NamedTuple):
    """One condition of a resource; what the resource does not say is unknown."""

    status: str = "Unknown"
    reason: str = ""
    message: str = ""


def condition(resource: Mapping[str, Any], kind: str) -> Condition:
    """The condition of that type."""
    for said in resource.get("status", {}).get("conditions", []):
        if said["type"] == kind:
            return Condition(said["status"], said.get("reason", ""), said.get("message", ""))
    return Condition()


def verdict(resource: Mapping[str, Any]) -> dict[str, Any]:
    """How a BigTix resource stands: `settled`, `failed`, `held` or `going`, and the operator's own sentence.

    `over` says that waiting longer changes nothing.
    """
    state, sentence = _stands(resource)
    return {"state": state, "sentence": sentence, "over": state != "going"}


def _stands(resource: Mapping[str, Any]) -> tuple[str, str]:
    status = resource.get("status", {})
    if status.get("observedGeneration") != resource["metadata"].get("generation"):
        return "going", "the operator has not looked at the resource yet"
    ready = condition(resource, "Ready")
    progressing = condition(resource, "Progressing")
    if ready.reason in REFUSED and ready.status == "False":
        return "failed", f"{ready.reason}: {ready.message}"
    if progressing.status == "False" and progressing.reason in ENDED_BADLY:
        return "failed", _with_cause(progressing, status.get("history", []))
    if ready.reason in HELD:
        return "held", f"{ready.reason}: {ready.message}"
    if ready.status == "True" and status.get("version", {}).get("current") == resource["spec"]["version"]:
        return "settled", ready.message
    return "going", f"{ready.reason}: {ready.message}"


def _with_cause(progressing: Condition, history: Sequence[Mapping[str, Any]]) -> str:
    sentence = f"{progressing.reason}: {progressing.message}"
    # The condition says what became of the release; why it failed stands in the newest entry of the history.
    if progressing.reason == "RolledBack" and history and history[0].get("reason"):
        return f"{sentence}; {history[0]['reason']}"
    return sentence


def release_of(spec: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a spec that say which release is asked for, and nothing else of it."""
    services = {
        name: {field: own[field] for field in ("version", "image") if own.get(field)}
        for name, own in (spec.get("services") or {}).items()
    }
    return {
        "version": spec["version"],
        "services": {name: own for name, own in sorted(services.items()) if own},
    }


def release(
    entry: Mapping[str, Any],
    versions: Mapping[str, str],
    digests: Mapping[str, str],
    registry: str,
) -> dict[str, Any]:
    """The fields of a spec that ask for these versions of the services.

    `entry` is the release of the catalog, `digests` what the registry says of the images, empty where nobody asked
    it. The release speaks for its own versions; only what differs from it is named service by service.
    """
    services: dict[str, dict[str, str]] = {}
    for name, version in sorted(versions.items()):
        own = {}
        is_released = version == entry["services"].get(name)
        if not is_released:
            own["version"] = version
        digest = digests.get(name)
        if digest and not (is_released and entry.get("digests", {}).get(name)):
            own["image"] = f"{registry}/{name}:{version}@{digest}"
        if own:
            services[name] = own
    return {"version": entry["version"], "services": services}


def patch(asked: Mapping[str, Any], current: Mapping[str, Any] | None) -> dict[str, Any]:
    """The merge patch of a spec after which exactly that release is asked for; `current` is none for a shop to be made.

    A version or an image that somebody named before and that the release does not name is taken out.
    """
    named = release_of(current)["services"] if current else {}
    services: dict[str, dict[str, str | None]] = {}
    for name in sorted(named.keys() | asked["services"].keys()):
        absent = dict.fromkeys(named.get(name, {}))
        services[name] = absent | asked["services"].get(name, {})
    return {"version": asked["version"]} | ({"services": services} if services else {})


def mismatches(entry: Mapping[str, Any], versions: Mapping[str, str]) -> list[str]:
    """In what a release of the catalog differs from the versions of the services, as sentences."""
    released = entry["services"]
    return [
        f"{name} is {versions.get(name, 'missing')} and {released.get(name, 'missing')} in release {entry['version']}"
        for name in sorted(released.keys() | versions.keys())
        if released.get(name) != versions.get(name)
    ]


def image_id(manifest: Mapping[str, Any]) -> str:
    """What tells an image's content from any other, however its layers are packed; empty for an index of images."""
    return manifest.get("config", {}).get("digest", "")


def summary(resource: Mapping[str, Any]) -> list[str]:
    """How a shop stands, as lines for a person."""
    status = resource.get("status", {})
    versions = status.get("version", {})
    stands = verdict(resource)
    lines = [
        f"{resource['metadata']['namespace']}/{resource['metadata']['name']}: {stands['state']}: {stands['sentence']}",
        f"asked for {resource['spec']['version']}, serves {versions.get('current', 'nothing yet')}"
        f" at {status.get('url', 'no address yet')}",
    ]
    for service in status.get("services", []):
        lines.append(f"{service['name']}: {service['ready']} of {service['desired']} ready, {service['image']}")
    for said in status.get("conditions", []):
        message = f": {said['message']}" if said.get("message") else ""
        lines.append(f"{said['type']}={said['status']} {said['reason']}{message}")
    if versions.get("rejected"):
        lines.append(f"taken back and not tried again: {versions['rejected']}")
    return lines


class FilterModule:
    """The filters by the names that playbooks use."""

    def filters(self) -> dict[str, Any]:
        return {
            "bigtix_condition": lambda resource, kind: condition(resource, kind)._asdict(),
            "bigtix_image_id": image_id,
            "bigtix_mismatches": mismatches,
            "bigtix_patch": patch,
            "bigtix_release": release,
            "bigtix_release_of": release_of,
            "bigtix_summary": summary,
            "bigtix_verdict": verdict,
        }

