"""The Compose file and what it mounts: pinned, shut, without default passwords, in its place."""

from __future__ import annotations

import re
import stat
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.packaging.observability.stack import DASHBOARDS, FOLDER, ROOT, read_yaml

COMPOSE = read_yaml("compose.yaml")
SERVICES: Mapping[str, Mapping[str, Any]] = COMPOSE["services"]
KEY = "dh_metrics_0190_secret"


@pytest.mark.parametrize("name", SERVICES)
def test_a_container_is_pinned_fenced_and_bounded(name: str) -> None:
    service = SERVICES[name]
    assert re.fullmatch(r"docker\.io/[a-z/]+:v?\d+\.\d+\.\d+", service["image"])
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service.get("cap_add", []) == (["DAC_READ_SEARCH"] if name == "alloy" else [])
    assert {"mem_limit", "cpus", "pids_limit", "user"} <= service.keys()
    assert service["restart"] == "unless-stopped"
    assert "docker.sock" not in str(service)
    assert not service.keys() & {"privileged", "network_mode", "pid", "ipc", "devices"}


def test_ports_are_on_loopback() -> None:
    for service in SERVICES.values():
        for port in service.get("ports", ()):
            assert port.startswith("127.0.0.1:")
    assert {name for name, one in SERVICES.items() if "ports" in one} == {
        "prometheus",
        "alertmanager",
        "grafana",
    }
    assert COMPOSE["networks"]["watching"]["internal"] is True


def test_no_password_and_no_key_stands_anywhere() -> None:
    for file in FOLDER.rglob("*"):
        if file.is_file() and "secrets" not in file.parts:
            text = file.read_text()
            assert not re.search(r"dh_[a-z]+_[0-9a-z-]{8,}_", text), file
            assert not re.search(r"(?i)password:[ ]*[\"']?[a-z0-9]", text), file
    grafana = SERVICES["grafana"]["environment"]
    assert "GF_SECURITY_ADMIN_PASSWORD" not in grafana
    assert grafana["GF_SECURITY_ADMIN_PASSWORD__FILE"] == "/run/secrets/grafana_password"
    assert grafana["GF_AUTH_ANONYMOUS_ENABLED"] == "false"
    assert all(set(one) == {"file"} for one in COMPOSE["secrets"].values())
    assert "secrets/" in (FOLDER / ".gitignore").read_text().split()


def test_all_that_is_mounted_is_there_and_cannot_be_written() -> None:
    for service in SERVICES.values():
        for volume in service["volumes"]:
            source, _, rest = volume.removeprefix("${DOCKER_LOGS:-").partition(":")
            if source.startswith("./"):
                assert (FOLDER / source).exists(), volume
                assert rest.endswith(":ro")
            elif not source.startswith("/"):
                assert source in COMPOSE["volumes"]
        for secret in service.get("secrets", ()):
            assert secret in COMPOSE["secrets"]
        for network in service["networks"]:
            assert network in COMPOSE["networks"]


def test_it_reaches_the_hub_by_the_network_of_its_own_compose_file() -> None:
    hub = yaml.safe_load((ROOT / "packaging" / "compose" / "compose.yaml").read_text())
    name, _, network = (
        COMPOSE["networks"]["hub"]["name"]
        .removeprefix("${HUB_NETWORK:-")
        .rstrip("}")
        .partition("_")
    )
    assert hub["name"] == name
    assert network in hub["services"]["hub"]["networks"]
    targets = yaml.safe_load((FOLDER / "prometheus" / "targets" / "hub.yml").read_text())
    assert targets == [{"targets": ["hub:8765"]}]
    assert "hub" in SERVICES["prometheus"]["networks"]
    assert hub["services"]["hub"]["logging"]["options"]["tag"] == "{{.Name}}"


def test_prometheus_reads_the_key_that_is_given_to_it() -> None:
    told = read_yaml("prometheus/prometheus.yml")
    [hub] = [job for job in told["scrape_configs"] if job["job_name"] == "deskhand-hub"]
    file = hub["authorization"]["credentials_file"]
    assert Path(file).name in SERVICES["prometheus"]["secrets"]
    assert "credentials" not in hub["authorization"]
    watched = {
        target.partition(":")[0]
        for job in told["scrape_configs"]
        for config in job.get("static_configs", ())
        for target in config["targets"]
    }
    assert watched == {"localhost", *SERVICES} - {"prometheus", "grafana"}


def test_dashboards_are_found_where_they_are_mounted() -> None:
    [provider] = read_yaml("grafana/provisioning/dashboards/deskhand.yml")["providers"]
    place = provider["options"]["path"]
    assert f"./grafana/dashboards:{place}:ro" in SERVICES["grafana"]["volumes"]
    home = SERVICES["grafana"]["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]
    assert Path(home).name in DASHBOARDS
    assert Path(home).parent == Path(place)
    assert provider["folder"] == "Deskhand"


def test_sources_are_services_of_this_stack() -> None:
    for source in read_yaml("grafana/provisioning/datasources/deskhand.yml")["datasources"]:
        host = re.fullmatch(r"http://([a-z]+):\d+", source["url"])
        assert host
        assert host[1] in SERVICES


def test_loki_keeps_what_it_says_on_its_volume() -> None:
    told = read_yaml("loki/loki.yml")
    assert told["limits_config"]["retention_period"] == "720h"
    assert told["compactor"]["retention_enabled"] is True
    assert told["compactor"]["delete_request_store"] == "filesystem"
    [schema] = told["schema_config"]["configs"]
    assert (schema["store"], schema["schema"]) == ("tsdb", "v13")
    places = [*told["common"]["storage"]["filesystem"].values()]
    places += [told["common"]["path_prefix"], told["compactor"]["working_directory"]]
    assert all(place.startswith("/loki") for place in places)
    assert "loki-data:/loki" in SERVICES["loki"]["volumes"]


def test_alloys_components_lead_to_one_another() -> None:
    text = re.sub(r"//.*", "", (FOLDER / "alloy" / "config.alloy").read_text())
    bare = re.sub(r'"(?:[^"\\]|\\.)*"', '""', text)
    for opening, closing in ("{}", "[]", "()"):
        assert bare.count(opening) == bare.count(closing)
    made = set(re.findall(r'^([a-z_.]+) "([a-z]+)" \{$', text, re.M))
    wanted = re.findall(r"\b((?:local|loki)\.[a-z_]+)\.([a-z]+)\.(?:receiver|targets)", text)
    assert wanted
    assert set(wanted) <= made
    logs = next(v for v in SERVICES["alloy"]["volumes"] if "DOCKER_LOGS" in v)
    assert re.search(r'__path__" = "(/[a-z/]+)/\*/', text)[1] == logs.split(":")[-2]  # type: ignore[index]


def prepare(folder: Path, typed: str) -> subprocess.CompletedProcess[str]:
    script = folder / "prepare.sh"
    script.write_bytes((FOLDER / "prepare.sh").read_bytes())
    return subprocess.run(
        ["bash", str(script)], input=typed, capture_output=True, text=True, check=False
    )


def test_prepare_makes_a_password_once_and_keeps_the_key(tmp_path: Path) -> None:
    assert prepare(tmp_path, KEY + "\n").returncode == 0
    secrets = tmp_path / "secrets"
    password = (secrets / "grafana_password").read_text()
    assert len(password) >= 24
    assert (secrets / "hub_metrics_key").read_text() == KEY
    assert stat.S_IMODE(secrets.stat().st_mode) == 0o700
    again = prepare(tmp_path, "")
    assert again.returncode == 0
    assert (secrets / "grafana_password").read_text() == password
    assert password not in again.stderr + again.stdout


def test_prepare_refuses_a_key_that_opens_more(tmp_path: Path) -> None:
    told = prepare(tmp_path, "dh_admin_0190_secret\n")
    assert told.returncode == 2
    assert "dh_metrics_" in told.stderr
    assert not (tmp_path / "secrets" / "hub_metrics_key").exists()
