"""What stands in the files for Fly.io: fields that there are, and what must hold for hub and nodes.

Nobody has run these: names are held to those of flyctl's own reader (superfly/flyctl,
internal/appconfig/config.go).
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "packaging" / "fly"
FILES = {path.stem: tomllib.loads(path.read_text()) for path in sorted(FOLDER.glob("*.toml"))}
DOCKERFILE = (ROOT / "packaging" / "compose" / "Dockerfile").read_text()
KNOWN = {
    "": "app primary_region kill_signal kill_timeout build deploy env mounts http_service restart"
    " vm",
    "build": "dockerfile build-target args",
    "deploy": "strategy wait_timeout",
    "mounts": "source destination initial_size",
    "http_service": "internal_port force_https auto_stop_machines auto_start_machines"
    " min_machines_running concurrency checks",
    "concurrency": "type soft_limit hard_limit",
    "checks": "method path interval timeout grace_period",
    "restart": "policy retries",
    "vm": "size memory",
}
FREE = ("env", "args")
KILL_SECONDS_MAX = 300


def unknown(body: dict[str, Any], section: str = "") -> list[str]:
    found = [f"{section}.{name}" for name in body.keys() - KNOWN[section].split()]
    for name, value in body.items():
        for one in value if isinstance(value, list) else [value]:
            if isinstance(one, dict) and name not in FREE and name in KNOWN:
                found += unknown(one, name)
    return found


@pytest.mark.parametrize("name", FILES)
def test_only_fields_are_used_that_there_are(name: str) -> None:
    assert unknown(FILES[name]) == []
    assert unknown({**FILES[name], "mount": {}, "vm": [{"cpu": 1}]}) != []


@pytest.mark.parametrize("name", FILES)
def test_what_is_built_is_there_and_is_stopped_gently(name: str) -> None:
    told = FILES[name]
    assert (ROOT / told["build"]["dockerfile"]).exists()
    assert f" AS {told['build']['build-target']}\n" in DOCKERFILE
    lock = told["build"].get("args", {}).get("HUB_LOCK", "fleet")
    assert (ROOT / "packaging" / "locks" / f"{lock}.txt").exists()
    assert told["kill_signal"] == "SIGTERM"
    assert int(told["kill_timeout"].removesuffix("s")) <= KILL_SECONDS_MAX
    assert not any(re.search("KEY|TOKEN|BROKER|PASSWORD", setting) for setting in told["env"])


def test_the_hub_is_one_stays_awake_and_keeps_its_store_on_the_volume() -> None:
    hub = FILES["hub"]
    [mount] = hub["mounts"]
    assert hub["env"]["HUB_DATA"].startswith(f"{mount['destination']}/")
    service = hub["http_service"]
    assert (service["internal_port"], service["auto_stop_machines"]) == (8765, "off")
    assert service["checks"][0]["path"] == "/api/v1/health"
    assert hub["deploy"]["strategy"] == "rolling"


def test_nodes_serve_nothing_and_have_time_to_end_their_jobs() -> None:
    nodes = FILES["nodes"]
    assert not nodes.keys() & {"http_service", "services", "mounts"}
    drain_seconds = int(nodes["env"]["DESKHAND_FLEET_DRAIN_SECONDS"])
    assert drain_seconds + 30 <= int(nodes["kill_timeout"].removesuffix("s"))
    assert nodes["env"]["DESKHAND_FLEET_KINDS"] == FILES["hub"]["env"]["HUB_FLEET_KINDS"]
    assert nodes["env"]["DESKHAND_FLEET_HUB"] == FILES["hub"]["env"]["HUB_PUBLIC_URL"]
