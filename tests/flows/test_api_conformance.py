"""The running API against its own document: schemathesis, with all its checks, finds nothing.

A hub and two workers run as programs; requests are made out of the document: examples, borders,
nonsense, and chains of calls by its links, with keys of several sorts. Anna and Ben are peers:
what one of them reads, the other must not get.

API_EXAMPLES=200 makes it a long run, API_SEED=… repeats one.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from desktop.core.policy import Policy, write_policy
from desktop.store import facts
from desktop.store.database import open_store
from desktop.system.paths import Paths
from shared.api.client import Client
from shared.api.pairings import NewInvitation
from shared.api.people import NewPerson
from shared.api.workers import NewWorker
from shared.capabilities import Capability
from shared.errors import AppError
from shared.jobs import Origin
from tests.flows import programs
from tests.flows.joining import join

BORDERS = "examples,coverage"
"""Phases that run side by side. In those that draw their data at random, threads of Python 3.11
stumble over each other in `ast.parse` (CPython issue 106905)."""
KINDS = "play.count,play.ask,play.refuse"
EXAMPLES = int(os.environ.get("API_EXAMPLES", "2"))
SEED = int(os.environ.get("API_SEED", "6"))
SECONDS_MAX = 400 if EXAMPLES <= 2 else 3600
PATIENCE_SECONDS = 60.0
SHOWN_CHARS = 12_000

REFUSES = ("2xx", "401", "403", "404", "409", "422", "429", "5xx")
"""Of an operation whose body may say what no schema can tell apart: inputs that are none of the
kind's, a result that is none of it, an answer that is none of the choices, a kind that the worker
has not, a time zone that is none, a code that nobody was given, an address that is not to be
called."""
REFUSING = (
    "create_task", "enqueue_job", "create_job", "answer_question", "create_pairing",
    "create_token", "create_webhook", "register_worker", "create_key", "claim_job", "complete_job",
    "create_schedule", "run_schedule",
)  # fmt: skip


OPERATORS = ("create_person", "unlock_person", "create_invitation", "list_people", "create_key")
PULLERS = (
    "claim_job", "tell_progress", "log_lines", "ask_question", "get_answer", "park_job",
    "complete_job", "fail_job", "beat_worker", "get_worker",
)  # fmt: skip


class Stage:
    """A hub with people, their keys and their computers, as programs."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.url = f"http://127.0.0.1:{probe.getsockname()[1]}"
        self.keys: dict[str, str] = {}
        self._programs: list[subprocess.Popen[bytes]] = []

    def prepare(self) -> None:
        data = self.folder / "hub"
        self._start("hub", str(data), self.url.rpartition(":")[2])
        patiently(self._is_up)
        operator = (data / "admin.key").read_text().strip()
        for name in ("anna", "ben"):
            self.keys[name] = Client(self.url, operator).create_person(NewPerson(name=name)).key
            self._pair(name)
        self.keys["operator"] = operator
        wanted = NewWorker(name="gpu-box", capabilities=(Capability(kind="play.count"),))
        self.keys["puller"] = Client(self.url, self.keys["anna"]).register_worker(wanted).key

    def stop(self) -> None:
        for program in self._programs:
            programs.kill(program)

    def log(self) -> str:
        return (self.folder / "hub.log").read_text()

    def _start(self, *words: str) -> None:
        log = self.folder / f"{words[0]}.log"
        self._programs.append(programs.start(*words, log=log))

    def _is_up(self) -> bool:
        try:
            return Client(self.url).get_health().status == "ok"
        except AppError:
            return False

    def _pair(self, name: str) -> None:
        """A computer of a person's, that runs what is asked for."""
        home = self.folder / name
        paths = Paths(data=home, config=home)
        paths.make()
        policy = Policy(
            folders=(str(self.folder),),
            slots=2,
            disk_free_bytes_min=0,
            kinds=dict.fromkeys(Origin, ("*",)),
        )
        paths.policy.write_text(write_policy(policy))
        client = Client(self.url, self.keys[name])
        code = client.create_invitation(NewInvitation(is_approved=True)).code
        pairing, token = join(self.url, code, f"{name}-pc")
        paths.token.write_text(token)
        with open_store(paths.store) as database:
            database.submit(lambda connection: facts.save_pairing(connection, pairing)).result(10)
        self._start("worker", str(home))
        patiently(lambda: any(w.is_online for w in client.list_workers().workers))


def patiently(is_so: Callable[[], bool]) -> None:
    """Wait for a program, bounded; they ring no bell here."""
    end = time.monotonic() + PATIENCE_SECONDS
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.05)


@pytest.fixture
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    monkeypatch.setenv(programs.KINDS, KINDS)
    stage = Stage(tmp_path)
    try:
        stage.prepare()
        yield stage
    finally:
        stage.stop()


def configured(stage: Stage, users: tuple[str, ...]) -> Path:
    """Write down whose keys there are, and what is expected of whom."""
    auth = [
        {
            "name": name,
            "fixedHeaders": [{"name": "Authorization", "value": f"Bearer {stage.keys[name]}"}],
        }
        for name in users
    ]
    (stage.folder / "auth.json").write_text(json.dumps({"auth": auth}))
    config = stage.folder / "schemathesis.toml"
    config.write_text(
        f"""
seed = {SEED}
hooks = "tests.flows.conformance_hooks"

[auth.wfc]
path = "auth.json"
{f"peers = {json.dumps(users)}" if len(users) > 1 else ""}

[phases.stateful]
generation.max-examples = {EXAMPLES * 4}

[[operations]]
include-operation-id = {json.dumps(REFUSING)}
checks.positive_data_acceptance.expected-statuses = {json.dumps(REFUSES)}

[[operations]]
include-operation-id = ["update_task", "update_webhook"]
# The version that a generated request names is another one than the thing's.
checks.positive_data_acceptance.expected-statuses = {json.dumps([*REFUSES, "412"])}
# RFC 6585, section 3.
checks.missing_required_header.expected-statuses = ["401", "403", "422", "428"]
"""
    )
    return config


def conforms(stage: Stage, users: tuple[str, ...], phases: str, *chosen: str) -> None:
    """Let schemathesis find whatever is wrong for some people's keys."""
    print(f"API_SEED={SEED} API_EXAMPLES={EXAMPLES} {users}")
    config = configured(stage, users)
    done = subprocess.run(
        [
            sys.executable, "-m", "schemathesis.cli", "--config-file", str(config),
            "run", f"{stage.url}/api/v1/openapi.json",
            "--checks", "all",
            "--phases", phases,
            "--max-examples", str(EXAMPLES),
            "--workers", "4" if phases == BORDERS else "1",
            "--generation-database", "none",
            "--no-color", "--no-shrink",
            *(word for name in chosen for word in ("--include-operation-id", name)),
        ],
        cwd=stage.folder,
        env={**os.environ, "PYTHONPATH": str(programs.ROOT)},
        capture_output=True,
        text=True,
        timeout=SECONDS_MAX,
        check=False,
    )  # fmt: skip
    print(done.stdout[-SHOWN_CHARS:])
    assert done.returncode == 0, done.stdout[-SHOWN_CHARS:] + done.stderr[-SHOWN_CHARS:]
    assert "Tested:" in done.stdout
    assert "Traceback" not in stage.log()


@pytest.mark.flow
@pytest.mark.timeout(4 * SECONDS_MAX)
def test_the_api_is_as_its_document_says(stage: Stage) -> None:
    conforms(stage, ("anna", "ben"), BORDERS)
    conforms(stage, ("anna", "ben"), "fuzzing,stateful")
    conforms(stage, ("operator",), "examples,fuzzing", *OPERATORS)
    conforms(stage, ("puller",), "examples,fuzzing", *PULLERS)
