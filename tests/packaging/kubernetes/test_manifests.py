"""The cluster's manifests: every object is one that Kubernetes takes, and they fit each other."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from hub.hosts.nodes import LABEL
from hub.scaler.pools import parse_pools
from shared.fleet import queues_of
from tests.packaging.kubernetes.models import (
    EXAMPLES,
    FOLDER,
    MODELS,
    ROOT,
    Object,
    Unfit,
    check,
    rendered,
    written,
)

KEDA = json.loads((Path(__file__).parent / "keda.schema.json").read_text())
RENDERED = pytest.mark.skipif(shutil.which("kubectl") is None, reason="kubectl is not here")
HUB_PORT = 8765


def bodies(*kinds: str) -> list[Object]:
    return [body for _, body in written() if body["kind"] in kinds]


def named(kind: str, name: str) -> Object:
    [found] = [one for one in bodies(kind) if one["metadata"]["name"] == name]
    return found


def pods() -> Iterator[tuple[str, Object]]:
    """Yield what makes pods, and their templates."""
    for body in bodies("Deployment", "StatefulSet"):
        yield body["metadata"]["name"], body["spec"]["template"]


PODS = tuple(pods())


@pytest.mark.parametrize(
    ("path", "body"),
    [(path, body) for path, body in written() if (body["apiVersion"], body["kind"]) in MODELS],
    ids=lambda one: one.name if isinstance(one, Path) else one["kind"],
)
def test_every_core_object_is_as_the_official_models_have_it(path: Path, body: Object) -> None:
    check(body)


def test_the_check_refuses_what_a_cluster_would() -> None:
    body = json.loads(json.dumps(named("Deployment", "deskhand-fleet")))
    spec = body["spec"]["template"]["spec"]
    kept = dict(spec)
    for field, value, words in (
        ("hostNetwrk", True, "no field ['hostNetwrk']"),
        ("terminationGracePeriodSeconds", "660", "is no int"),
        ("containers", None, "is no list"),
    ):
        spec[field] = value
        with pytest.raises(Unfit, match=re.escape(words)):
            check(body)
        spec.clear()
        spec.update(kept)
    del spec["containers"]
    with pytest.raises(Unfit, match=r"containers\s+Field required"):
        check(body)


@pytest.mark.parametrize("kind", ["ScaledObject", "TriggerAuthentication"])
def test_objects_of_keda_are_as_its_own_definitions_have_them(kind: str) -> None:
    validator = jsonschema_rs.validator_for(KEDA[kind])
    found = bodies(kind)
    assert found
    for body in found:
        validator.validate(dict(body))
    broken = {**found[0], "spec": {**found[0]["spec"], "minReplicas": 1}}
    assert not validator.is_valid(broken)


def test_nothing_else_is_there_that_nobody_checks() -> None:
    known = {kind for _, kind in MODELS} | set(KEDA) | {"ServiceMonitor"}
    assert {body["kind"] for _, body in written()} <= known


@pytest.mark.parametrize(("name", "template"), PODS, ids=list(dict(PODS)))
def test_a_pod_keeps_to_the_strictest_standard(name: str, template: Object) -> None:
    spec = template["spec"]
    assert not spec.keys() & {"hostNetwork", "hostPID", "hostIPC"}
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["runAsUser"] > 10_000
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    kept = {"secret", "emptyDir", "configMap", "projected"}
    for volume in spec.get("volumes", ()):
        assert volume.keys() - {"name"} <= kept
    for container in spec["containers"]:
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert {"cpu", "memory"} <= container["resources"]["requests"].keys()
        assert {"cpu", "memory"} <= container["resources"]["limits"].keys()
    # Only who speaks with the cluster has a key to it.
    assert spec["automountServiceAccountToken"] is (name == "deskhand-scaler")


@pytest.mark.parametrize(("name", "template"), PODS, ids=list(dict(PODS)))
def test_an_image_is_one_version_and_secrets_are_named_alone(name: str, template: Object) -> None:
    for container in template["spec"]["containers"]:
        assert re.search(r":\d+\.\d+\.\d+[\w.-]*$", container["image"]), container["image"]
        for variable in container.get("env", ()):
            if re.search(r"BROKER|TOKEN|PASSWORD|(^|_)KEY$", variable["name"]):
                assert "secretKeyRef" in variable["valueFrom"], variable
    assert not bodies("Secret")


def test_no_text_holds_a_password_or_a_key() -> None:
    for path in FOLDER.rglob("*"):
        if path.is_file():
            text = path.read_text()
            assert not re.search(r"://[^/\s]*:[^/\s]+@|dh_[a-z]+_\w{8}|requirepass \w", text), path
            assert ":latest" not in text


def test_selectors_find_their_pods_and_ports_are_those_that_are_open() -> None:
    by_name = dict(pods())
    for body in bodies("Deployment", "StatefulSet"):
        labels = body["spec"]["template"]["metadata"]["labels"]
        wanted = body["spec"]["selector"]["matchLabels"]
        assert wanted.items() <= labels.items()
    for service in bodies("Service"):
        template = by_name[service["metadata"]["name"]]
        selector = service["spec"]["selector"]
        assert selector.items() <= template["metadata"]["labels"].items()
        opened = {
            port["name"]: port["containerPort"]
            for container in template["spec"]["containers"]
            for port in container["ports"]
        }
        for port in service["spec"]["ports"]:
            assert opened[port["targetPort"]] == port["port"]
    for body in bodies("StatefulSet"):
        assert body["spec"]["serviceName"] == named("Service", body["metadata"]["name"])[
            "metadata"
        ]["name"]  # fmt: skip
    for policy in bodies("NetworkPolicy"):
        selector = policy["spec"]["podSelector"]
        if "matchLabels" in selector:
            name = selector["matchLabels"].get("app.kubernetes.io/name", "deskhand-hub")
            assert name in by_name
        else:
            assert selector["matchExpressions"] == [{"key": LABEL, "operator": "Exists"}]


def test_there_is_one_hub_with_a_volume_and_a_probe_that_it_answers() -> None:
    hub = named("StatefulSet", "deskhand-hub")
    [container] = hub["spec"]["template"]["spec"]["containers"]
    assert hub["spec"]["replicas"] == 1
    [claim] = hub["spec"]["volumeClaimTemplates"]
    assert claim["spec"]["accessModes"] == ["ReadWriteOnce"]
    data = {one["name"]: one["value"] for one in container["env"] if "value" in one}
    mounts = {mount["name"]: mount["mountPath"] for mount in container["volumeMounts"]}
    assert data["HUB_DATA"].startswith(f"{mounts[claim['metadata']['name']]}/")
    assert data["HUB_PORT"] == str(HUB_PORT)
    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        assert container[probe]["httpGet"] == {"path": "/api/v1/health", "port": "http"}


def test_every_variable_of_the_hub_is_one_of_its_settings() -> None:
    settings = re.findall(r"^#(HUB_[A-Z_]+)=", (ROOT / ".env.example").read_text(), re.M)
    [container] = named("StatefulSet", "deskhand-hub")["spec"]["template"]["spec"]["containers"]
    used = {one["name"] for one in container["env"]} | named("ConfigMap", "deskhand-hub")[
        "data"
    ].keys()
    assert used <= set(settings), used - set(settings)


def test_keda_looks_at_the_queues_that_the_hub_fills_and_at_all_of_them() -> None:
    kinds = named("ConfigMap", "deskhand-fleet")["data"]["DESKHAND_FLEET_KINDS"].split(",")
    [by_lists] = [
        body
        for path, body in written()
        if body["kind"] == "ScaledObject" and path.name == "keda-redis.yaml"
    ]
    triggers = by_lists["spec"]["triggers"]
    looked_at = [trigger["metadata"]["listName"] for trigger in triggers]
    assert looked_at == [queue for kind in kinds for queue in queues_of(kind)]
    formula = by_lists["spec"]["advanced"]["scalingModifiers"]["formula"]
    assert formula.split(" + ") == [trigger["name"] for trigger in triggers]
    service = named("Service", "deskhand-broker")
    address = f"{service['metadata']['name']}:{service['spec']['ports'][0]['port']}"
    assert {trigger["metadata"]["address"] for trigger in triggers} == {address}


def test_hub_and_nodes_are_for_the_same_kinds() -> None:
    hub = named("ConfigMap", "deskhand-hub")["data"]["HUB_FLEET_KINDS"]
    assert hub == named("ConfigMap", "deskhand-fleet")["data"]["DESKHAND_FLEET_KINDS"]


@pytest.mark.parametrize("place", ["keda-redis.yaml", "keda-prometheus.yaml"])
def test_keda_counts_by_what_a_node_takes_at_once(place: str) -> None:
    slots = named("ConfigMap", "deskhand-fleet")["data"]["DESKHAND_FLEET_SLOTS"]
    [scaled] = [
        body["spec"]
        for path, body in written()
        if body["kind"] == "ScaledObject" and path.name == place
    ]
    assert scaled["scaleTargetRef"]["name"] == "deskhand-fleet"
    if place == "keda-redis.yaml":
        assert scaled["advanced"]["scalingModifiers"]["target"] == slots
        # What waits alone is counted: it says nothing about who may go.
        behaviour = scaled["advanced"]["horizontalPodAutoscalerConfig"]["behavior"]
        assert behaviour["scaleDown"] == {"selectPolicy": "Disabled"}
        assert scaled["minReplicaCount"] == 0
    else:
        [trigger] = scaled["triggers"]
        assert trigger["metadata"]["threshold"] == slots
        assert 'state=~"waiting|running"' in trigger["metadata"]["query"]


def test_a_node_has_time_to_end_its_jobs() -> None:
    spec: Any = named("Deployment", "deskhand-fleet")["spec"]["template"]["spec"]
    variables = {one["name"]: one.get("value") for one in spec["containers"][0]["env"]}
    drain_seconds = int(variables["DESKHAND_FLEET_DRAIN_SECONDS"])
    assert spec["terminationGracePeriodSeconds"] >= drain_seconds + 30


def test_the_scalers_pools_are_good_and_fit_what_stands_beside_them() -> None:
    [pool] = parse_pools(named("ConfigMap", "deskhand-scaler")["data"]["fleet.toml"])
    nodes = named("Deployment", "deskhand-fleet")["spec"]["template"]["spec"]
    settings = named("ConfigMap", "deskhand-fleet")["data"]
    assert pool.host == "kubernetes"
    assert ",".join(pool.kinds) == settings["DESKHAND_FLEET_KINDS"]
    assert str(pool.slots) == settings["DESKHAND_FLEET_SLOTS"]
    told = pool.settings
    assert told["image"] == nodes["containers"][0]["image"]
    assert told["stop_seconds"] == nodes["terminationGracePeriodSeconds"]
    assert {"secretRef": {"name": told["secret"]}} in nodes["containers"][0]["envFrom"]
    [variable] = [one for one in nodes["containers"][0]["env"] if one["name"].endswith("_HUB")]
    assert told["hub"] == variable["value"]
    # With Jobs it makes, sees and deletes them: that is all that the host calls.
    assert told["mode"] == "jobs"
    [rule] = named("Role", "deskhand-scaler")["rules"]
    assert (rule["resources"], rule["verbs"]) == (["jobs"], ["list", "create", "delete"])


@RENDERED
@pytest.mark.parametrize("example", EXAMPLES)
def test_an_example_is_whole_and_every_object_of_it_is_good(example: str) -> None:
    found = rendered(example)
    for body in found:
        if (body["apiVersion"], body["kind"]) in MODELS:
            check(body)
        elif body["kind"] in KEDA:
            jsonschema_rs.validator_for(KEDA[body["kind"]]).validate(dict(body))
        if body["kind"] != "Namespace":
            assert body["metadata"]["namespace"] == "deskhand"
        if "template" in body.get("spec", {}):
            labels = body["spec"]["template"]["metadata"]["labels"]
            assert labels["app.kubernetes.io/part-of"] == "deskhand"
    names = [(body["kind"], body["metadata"]["name"]) for body in found]
    assert len(set(names)) == len(names)
    assert ("StatefulSet", "deskhand-hub") in names
    scales = [one for one in names if one[0] == "ScaledObject" or one[1] == "deskhand-scaler"]
    assert bool(scales) is (example != "fixed")
    assert len([kind for kind, _ in scales if kind in ("ScaledObject", "Deployment")]) <= 1
