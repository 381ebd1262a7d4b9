"""What packaging/observability holds, read once: rules, dashboards, and all that they ask."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[3]
FOLDER = ROOT / "packaging" / "observability"
DOCS = ROOT / "docs" / "observability.md"
RULES = sorted((FOLDER / "prometheus" / "rules").glob("*.yml"))
DASHBOARDS: dict[str, dict[str, Any]] = {
    file.name: json.loads(file.read_text())
    for file in sorted((FOLDER / "grafana" / "dashboards").glob("*.json"))
}
ALL_RULES: list[dict[str, Any]] = [
    rule
    for file in RULES
    for group in yaml.safe_load(file.read_text())["groups"]
    for rule in group["rules"]
]
ALERTS = [rule for rule in ALL_RULES if "alert" in rule]


def read_yaml(name: str) -> dict[str, Any]:
    told: dict[str, Any] = yaml.safe_load((FOLDER / name).read_text())
    return told


def panels() -> Iterator[tuple[str, dict[str, Any]]]:
    """All panels with their dashboard's file name."""
    for name, dashboard in DASHBOARDS.items():
        for panel in dashboard["panels"]:
            yield name, panel


def asked(panel: dict[str, Any], kind: str) -> list[str]:
    """The expressions of a panel for one sort of source: "prometheus", "loki"."""
    return [
        target["expr"]
        for target in panel.get("targets", ())
        if target["datasource"]["type"] == kind
    ]
