"""The containers: what Compose file and images promise, and their entrypoints, run for real."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.packaging.test_scripts import read_yaml

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "packaging" / "compose"
COMPOSE = read_yaml(FOLDER / "compose.yaml")
SERVICES: Mapping[str, Mapping[str, Any]] = COMPOSE["services"]
BUILT = [name for name, service in SERVICES.items() if "build" in service]
DOCKERFILE = (FOLDER / "Dockerfile").read_text()
WAIT_SECONDS = 100.0
"""Programs start slowly on a machine that does much else."""
FLOW_SECONDS = 300
IN_CONTAINERS = pytest.mark.skipif(sys.platform != "linux", reason="entrypoints run on Linux")


@pytest.mark.parametrize("name", SERVICES)
def test_a_container_can_do_no_more_than_it_needs(name: str) -> None:
    service = SERVICES[name]
    assert service["user"] == ("999:999" if name == "broker" else "10001:10001")
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert "cap_add" not in service
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert not service.keys() & {"privileged", "network_mode", "pid", "ipc", "devices"}
    assert all("nosuid" in place for place in service["tmpfs"])
    assert not any("docker.sock" in str(volume) for volume in service["volumes"])


@pytest.mark.parametrize("name", SERVICES)
def test_a_container_has_limits_a_health_check_and_time_to_stop(name: str) -> None:
    service = SERVICES[name]
    assert {"mem_limit", "cpus", "pids_limit"} <= service.keys()
    if name in BUILT:
        assert service["healthcheck"]["test"][:2] == ["CMD", "python3"]
        assert service["healthcheck"]["test"][-1] == "check"
    else:
        assert re.search(r":\d+\.\d+\.\d+-", service["image"])
    assert service["stop_grace_period"] in ("30s", "60s")
    assert service["restart"] == "unless-stopped"
    assert service["logging"]["options"]["max-size"]


def test_the_hub_is_published_on_loopback_and_workers_nowhere() -> None:
    assert SERVICES["hub"]["ports"] == ["${HUB_LISTEN:-127.0.0.1:8765}:8765"]
    assert not SERVICES["worker"].keys() & {"ports", "container_name"}
    assert SERVICES["worker"]["networks"] == ["inside"]
    assert COMPOSE["networks"]["inside"]["internal"] is True


def test_what_is_kept_lies_in_volumes_and_workers_cannot_write_keys() -> None:
    named = {str(v).partition(":")[0] for s in SERVICES.values() for v in s["volumes"]}
    kept = {"hub-data", "worker-data", "enrolment", "fleet-key", "broker-data"}
    assert kept == COMPOSE["volumes"].keys() & named
    worker = [str(volume) for volume in SERVICES["worker"]["volumes"]]
    assert "enrolment:/enrolment:ro" in worker
    assert not any(volume.startswith("hub-data") for volume in worker)
    assert SERVICES["worker"]["depends_on"] == {"hub": {"condition": "service_healthy"}}


def test_every_setting_stands_in_the_example_with_its_default() -> None:
    text = (FOLDER / "compose.yaml").read_text()
    used = dict(re.findall(r"\$\{([A-Z_]+):-([^}]*)\}", text))
    told = dict(re.findall(r"^#([A-Z_]+)=(.*)$", (FOLDER / ".env.example").read_text(), re.M))
    assert told == used


def test_every_setting_of_chats_and_fleet_reaches_the_hub() -> None:
    settings = re.findall(r"^#(HUB_[A-Z_]+)=", (ROOT / ".env.example").read_text(), re.M)
    passed = SERVICES["hub"]["environment"]
    wanted = {one for one in settings if re.match(r"HUB_(MATRIX|DISCORD|SMS|FLEET)_", one)}
    # A proxy of one's own for Discord is for those who test.
    assert wanted - passed.keys() == {"HUB_DISCORD_API_URL"}
    assert passed.keys() <= set(settings)
    for name, value in passed.items():
        assert value.startswith(f"${{{name}:-")


def test_the_fleet_is_off_until_its_profile_is_on_and_keeps_to_itself() -> None:
    assert [name for name, one in SERVICES.items() if one.get("profiles")] == ["broker", "node"]
    broker, node = SERVICES["broker"], SERVICES["node"]
    assert broker["networks"] == ["fleet"]
    assert COMPOSE["networks"]["fleet"]["internal"] is True
    assert "fleet" not in SERVICES["worker"]["networks"]
    assert not any(one.keys() & {"ports", "container_name"} for one in (broker, node))
    # A node has no folder and no key but the one that takes the fleet's work.
    assert node["volumes"] == ["fleet-key:/fleet:ro"]
    mounted = [name for name, one in SERVICES.items() if "fleet-key" in str(one["volumes"])]
    assert mounted == ["hub", "node"]
    drain_seconds = int(node["environment"]["DESKHAND_FLEET_DRAIN_SECONDS"])
    assert drain_seconds + 10 <= int(node["stop_grace_period"].removesuffix("s"))
    order = broker["command"]
    assert order[order.index("--maxmemory-policy") + 1] == "noeviction"


def test_nothing_is_installed_that_is_not_locked_by_its_hash() -> None:
    steps = re.findall(r"^RUN (.*?)(?<!\\)$", DOCKERFILE, re.M | re.S)
    installs = [" ".join(step.split()) for step in steps if "pip" in step and " install " in step]
    assert installs
    for step in installs:
        assert "--require-hashes" in step or ("--no-index" in step and step.endswith("*.whl")), step
        assert "--no-deps" in step
    for name in re.findall(r"packaging/locks/([a-z-]+)\.txt", DOCKERFILE):
        assert (ROOT / "packaging" / "locks" / f"{name}.txt").exists()


def test_images_end_without_tools_to_build_and_without_root() -> None:
    stages = DOCKERFILE.split("\nFROM ")[1:]
    last = {stage.split()[2]: stage for stage in stages}
    for name, stage in last.items():
        base = name.removesuffix("-fly") if name.endswith("-fly") else "${BASE}"
        assert stage.startswith(f"{base} AS ")
    for name in BUILT:
        stage = last[SERVICES[name]["build"]["target"]]
        assert not re.search(r"\bpip\b|gcc|build-essential|git\b", stage)
        assert re.search(r"^USER 10001:10001$", stage, re.M)
        assert "ENTRYPOINT" in stage
        assert SERVICES[name]["build"]["target"] == ("fleet" if name == "node" else name)
    assert "apt-get install -y --no-install-recommends" in last["worker"]
    qt = re.search(r'^windows="([^"]*)"', (ROOT / "packaging" / "system.sh").read_text(), re.M)
    assert qt is not None
    assert set(qt[1].split()) <= set(last["worker"].split())


def test_what_the_images_copy_is_there_and_is_let_in() -> None:
    let_in = re.findall(r"^!(.*)$", (ROOT / ".dockerignore").read_text(), re.M)
    for step in re.findall(r"^COPY (?!--from)(.*)$", DOCKERFILE, re.M):
        for place in step.split()[:-1]:
            path = place.replace("${WORKER_LOCK}", "worker-ml").replace("${HUB_LOCK}", "hub")
            assert (ROOT / path).exists(), path
            assert any(Path(path).match(one) or path.startswith(one) for one in let_in), path


@dataclass
class Project:
    """What Compose runs, as processes of this machine."""

    folder: Path
    port: int
    running: list[subprocess.Popen[bytes]] = field(default_factory=list)
    more: dict[str, str] = field(default_factory=dict)
    """Settings beside those that every container has here."""

    def __post_init__(self) -> None:
        for name in ("hub", "enrolment", "fleet", "workers", "files", "bin"):
            (self.folder / name).mkdir()
        for name, module in (("deskhand", "desktop"), ("deskhand-hub", "hub")):
            program = self.folder / "bin" / name
            program.write_text(f'#!/bin/sh\nexec {sys.executable} -m {module} "$@"\n')
            program.chmod(0o755)

    def environment(self, number: int = 0) -> dict[str, str]:
        return {
            "PATH": f"{self.folder / 'bin'}:{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
            "HOME": str(self.folder),
            "HUB_DATA": str(self.folder / "hub"),
            "HUB_PORT": str(self.port),
            "ENROLMENT_KEY_FILE": str(self.folder / "enrolment" / "key"),
            "FLEET_KEY_FILE": str(self.folder / "fleet" / "key"),
            "DESKHAND_FLEET_HUB": f"http://127.0.0.1:{self.port}",
            "DESKHAND_FLEET_BROKER": "redis://127.0.0.1:1/0",
            "DESKHAND_HUB": f"http://127.0.0.1:{self.port}",
            "WORKER_DATA": str(self.folder / "workers"),
            "WORKER_FILES": str(self.folder / "files"),
            "WORKER_NOTE": str(self.folder / f"note-{number}"),
            **self.more,
        }

    def start(self, entry: str, number: int = 0) -> subprocess.Popen[bytes]:
        with (self.folder / f"{entry}-{number}.log").open("ab") as log:
            started = subprocess.Popen(
                [sys.executable, FOLDER / f"{entry}.py"],
                env=self.environment(number),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        self.running.append(started)
        return started

    def check(self, entry: str, number: int = 0) -> str:
        """Run a health check; its words when it is well, else nothing."""
        told = self._checked(entry, number)
        return told.stdout.strip() if told.returncode == 0 else ""

    def log_of_check(self, entry: str) -> str:
        """Run a health check that finds something wrong; its words."""
        told = self._checked(entry, 0)
        assert told.returncode == 1
        return told.stdout

    def _checked(self, entry: str, number: int) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, FOLDER / f"{entry}.py", "check"],
            env=self.environment(number),
            capture_output=True,
            text=True,
            check=False,
        )

    def ask(self, method: str, path: str, body: object = None) -> dict[str, Any]:
        key = (self.folder / "hub" / "admin.key").read_text().strip()
        return self.ask_with(key, method, path, body)

    def ask_with(self, key: str, method: str, path: str, body: object = None) -> dict[str, Any]:
        asked = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/api/v1{path}",
            None if body is None else json.dumps(body).encode(),
            {"authorization": f"Bearer {key}", "content-type": "application/json"},
            method=method,
        )
        with urllib.request.urlopen(asked, timeout=10) as answer:
            return dict(json.loads(answer.read() or b"{}"))

    @property
    def enrolment_key(self) -> str:
        return (self.folder / "enrolment" / "key").read_text().strip()

    def workers(self) -> dict[str, str]:
        """Names and ids of all that the hub knows."""
        return {w["name"]: w["worker_id"] for w in self.ask("GET", "/workers")["workers"]}

    def log(self, entry: str, number: int = 0) -> str:
        return (self.folder / f"{entry}-{number}.log").read_text()

    def stop(self) -> None:
        for process in reversed(self.running):
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
        for process in self.running:
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    project = Project(tmp_path, port)
    yield project
    project.stop()


def until(is_so: Callable[[], object]) -> None:
    """Wait for something that other programs do, bounded."""
    end = time.monotonic() + WAIT_SECONDS
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.5)


@IN_CONTAINERS
@pytest.mark.flow
@pytest.mark.timeout(FLOW_SECONDS)
def test_three_workers_enrol_by_themselves_and_take_three_jobs(project: Project) -> None:
    # Workers may come first: they wait for the hub and for their key.
    workers = [project.start("worker", number) for number in (1, 2, 3)]
    hub = project.start("hub")
    until(lambda: all(project.check("worker", number) for number in (1, 2, 3)))
    assert project.check("hub") == "The hub is ok; 3 workers are online."
    assert sorted(project.workers()) == ["worker-1", "worker-2", "worker-3"]
    policy = (project.folder / "workers" / "worker-1" / "policy.toml").read_text()
    assert policy.startswith(f'slots = 1\nfolders = ["{project.folder / "files"}"]\n')

    # At the same time, so that none has ended before the last one is there.
    with ThreadPoolExecutor(3) as people:
        asked = people.map(lambda _: project.ask("POST", "/tasks", {"kind": "ml.models"}), range(3))
        made = [task["job_id"] for task in asked]

    def jobs() -> list[dict[str, Any]]:
        return [project.ask("GET", f"/jobs/{job_id}") for job_id in made]

    until(lambda: all(job["state"] == "succeeded" for job in jobs()))
    assert {job["worker_id"] for job in jobs()} == set(project.workers().values())
    the_key_lets_in_and_does_nothing_else(project)

    for process in workers:
        process.send_signal(signal.SIGTERM)
    assert [process.wait(30) for process in workers] == [0, 0, 0]
    until(lambda: "0 workers" in project.check("hub"))
    hub.send_signal(signal.SIGTERM)
    assert hub.wait(30) == 0
    assert project.check("hub") == ""


def the_key_lets_in_and_does_nothing_else(project: Project) -> None:
    key = project.enrolment_key
    assert key.startswith("dh_enrol_")
    assert (project.folder / "enrolment" / "key").stat().st_mode & 0o777 == 0o400
    assert project.ask_with(key, "POST", "/invitations", {"is_approved": True})["code"]
    for method, path, body in (
        ("GET", "/workers", None),
        ("GET", "/jobs", None),
        ("GET", "/keys", None),
        ("POST", "/tasks", {"kind": "ml.models"}),
        ("POST", "/keys", {"name": "more", "scope": "person"}),
        ("POST", "/invitations", {"is_approved": True, "purpose": "account"}),
    ):
        with pytest.raises(urllib.error.HTTPError) as refused:
            project.ask_with(key, method, path, body)
        assert refused.value.code in (403, 422)
        refused.value.close()
    assert key not in project.log("hub")


@IN_CONTAINERS
@pytest.mark.flow
@pytest.mark.timeout(FLOW_SECONDS)
def test_with_a_broker_the_hub_leaves_a_key_for_nodes_and_without_one_it_does_not(
    project: Project,
) -> None:
    place = project.folder / "fleet" / "key"
    hub = project.start("hub")
    until((project.folder / "enrolment" / "key").exists)
    hub.terminate()
    assert hub.wait(30) == 0
    assert not place.exists()

    # A broker that is away does not keep the hub from its work.
    project.more = {"HUB_FLEET_BROKER": "redis://127.0.0.1:1/0", "HUB_FLEET_KINDS": "llm.ask"}
    project.start("hub")
    until(place.exists)
    assert place.stat().st_mode & 0o777 == 0o400
    key = place.read_text().strip()
    beat = {"node": "node-1", "kinds": ["llm.ask"], "slots": 1}
    assert project.ask_with(key, "POST", "/fleet/beat", beat)["must_drain"] is False
    with pytest.raises(urllib.error.HTTPError) as refused:
        project.ask_with(key, "GET", "/jobs")
    assert refused.value.code == 403
    refused.value.close()
    assert project.check("hub").startswith("The hub is ok")
    assert "does not reach its hub or its broker" in project.log_of_check("fleet")


@IN_CONTAINERS
@pytest.mark.flow
@pytest.mark.timeout(FLOW_SECONDS)
def test_who_comes_again_takes_the_seat_of_before_and_who_was_shown_out_stays_out(
    project: Project,
) -> None:
    hub = project.start("hub")
    first = project.start("worker", 1)
    until(lambda: project.check("worker", 1))
    known, key = project.workers(), project.enrolment_key

    first.terminate()
    assert first.wait(30) == 0
    hub.terminate()
    assert hub.wait(30) == 0
    project.start("hub")
    again = project.start("worker", 2)
    until(lambda: project.check("worker", 2))
    assert project.check("worker", 2) == "worker-1 is online."
    assert (project.workers(), project.enrolment_key) == (known, key)

    project.ask("DELETE", f"/workers/{known['worker-1']}")
    until(lambda: "was shown out" in project.log("worker", 2))
    assert project.check("worker", 2) == ""
    assert project.workers() == {}
    assert again.poll() is None


def test_the_door_carries_both_ways_and_ends_with_its_ends(tmp_path: Path) -> None:
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]); from relay import open_door;"
        "open_door(int(sys.argv[2]), '127.0.0.1', int(sys.argv[3]));"
        "print('open', flush=True); sys.stdin.read()"
    )
    with socket.create_server(("127.0.0.1", 0)) as hub, socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        door = int(free.getsockname()[1])
        free.close()
        ports = [str(door), str(hub.getsockname()[1])]
        running = subprocess.Popen(
            [sys.executable, "-c", code, FOLDER, *ports],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        with running:
            assert running.stdout is not None
            assert running.stdout.readline() == b"open\n"
            with socket.create_connection(("127.0.0.1", door), 5) as worker:
                there, _ = hub.accept()
                with there:
                    worker.sendall(b"ask" * 100_000)
                    assert _read(there, 300_000) == b"ask" * 100_000
                    there.sendall(b"answer")
                    assert _read(worker, 6) == b"answer"
                assert worker.recv(1) == b""
            running.terminate()


def _read(line: socket.socket, count: int) -> bytes:
    line.settimeout(5)
    told = b""
    while len(told) < count:
        told += line.recv(count - len(told))
    return told
