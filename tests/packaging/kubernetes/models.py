"""Reads manifests, and checks objects strictly against the models of Kubernetes' own client."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[3]
FOLDER = ROOT / "packaging" / "kubernetes"
EXAMPLES = sorted(path.name for path in (FOLDER / "examples").iterdir())
Object = Mapping[str, Any]

MODELS = {
    ("v1", "ConfigMap"): "V1ConfigMap",
    ("v1", "Namespace"): "V1Namespace",
    ("v1", "Service"): "V1Service",
    ("v1", "ServiceAccount"): "V1ServiceAccount",
    ("apps/v1", "Deployment"): "V1Deployment",
    ("apps/v1", "StatefulSet"): "V1StatefulSet",
    ("networking.k8s.io/v1", "NetworkPolicy"): "V1NetworkPolicy",
    ("rbac.authorization.k8s.io/v1", "Role"): "V1Role",
    ("rbac.authorization.k8s.io/v1", "RoleBinding"): "V1RoleBinding",
}
PLAIN: Mapping[str, type | tuple[type, ...]] = {
    "str": str,
    "int": int,
    "bool": bool,
    "object": (str, int, dict, list, bool),
}


class Unfit(Exception):
    """An object that Kubernetes would refuse, or silently read otherwise."""


@cache
def written() -> tuple[tuple[Path, Object], ...]:
    """Read every object of base and components, as it is written."""
    files = sorted(path for path in FOLDER.rglob("*.yaml") if path.name != "kustomization.yaml")
    return tuple(
        (path, body) for path in files for body in yaml.safe_load_all(path.read_text()) if body
    )


@cache
def rendered(example: str) -> tuple[Object, ...]:
    """Read what kubectl makes of an example."""
    ran = subprocess.run(
        ["kubectl", "kustomize", str(FOLDER / "examples" / example)],
        capture_output=True,
        text=True,
        check=True,
    )
    return tuple(body for body in yaml.safe_load_all(ran.stdout) if body)


def check(body: Object) -> None:
    """Check a core object.

    Raises:
        Unfit: a field that there is not, one that is missing, or a value of another type.
    """
    models = import_module("kubernetes.client.models")
    _make(models, MODELS[body["apiVersion"], body["kind"]], body, body["kind"])


def _make(models: Any, name: str, value: object, where: str) -> object:
    """Build the client's model of a value; its own checks say what is required."""
    if name in PLAIN:
        if not isinstance(value, PLAIN[name]) or (name == "int" and isinstance(value, bool)):
            raise Unfit(f"{where}: {value!r} is no {name}")
        return value
    if found := re.fullmatch(r"[Ll]ist\[(.*)\]", name):
        if not isinstance(value, list):
            raise Unfit(f"{where}: {value!r} is no list")
        return [_make(models, found[1], one, f"{where}[{i}]") for i, one in enumerate(value)]
    if found := re.fullmatch(r"[Dd]ict[(\[]str, (.*)[)\]]", name):
        if not isinstance(value, dict):
            raise Unfit(f"{where}: {value!r} is no mapping")
        return {key: _make(models, found[1], one, f"{where}.{key}") for key, one in value.items()}
    if not isinstance(value, dict):
        raise Unfit(f"{where}: {value!r} is no {name}")
    model = getattr(models, name)
    attributes = {told: attribute for attribute, told in model.attribute_map.items()}
    if unknown := value.keys() - attributes.keys():
        raise Unfit(f"{where}: there is no field {sorted(unknown)}")
    given = {
        attributes[told]: _make(
            models, model.openapi_types[attributes[told]], one, f"{where}.{told}"
        )
        for told, one in value.items()
    }
    try:
        return model(**given)
    except ValueError as error:
        raise Unfit(f"{where}: {error}") from None
