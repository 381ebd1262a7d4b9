"""A hub, a broker and nodes of its fleet, all as programs, and the owner who asks over REST."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from shared.api.client import Client
from shared.api.jobs import JobShown
from shared.api.keys import KeyScope, NewKey
from shared.api.questions import QuestionShown, Reply
from shared.api.tasks import NewTask
from shared.errors import AppError
from shared.jobs import JobState
from tests.brokers.server import Server, free_port
from tests.flows import fleet_programs

PATIENCE_SECONDS = 60.0
PRODUCT_KINDS = "llm.ask,llm.probe"
PLAY_KINDS = "play.count,play.effect,play.hang,play.ask,play.steps,play.stumble,play.refuse"
T = TypeVar("T")


@dataclass
class Fleet:
    """Everything that lives and may be killed."""

    folder: Path
    broker: Server
    is_play: bool = False
    port: int = field(default_factory=free_port)
    hub: subprocess.Popen[bytes] | None = None
    nodes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    key: str = ""
    policy: Path | None = None
    asked: dict[str, str] = field(default_factory=dict)
    """Idempotency key -> job, for all that the hub has acknowledged."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def client(self) -> Client:
        return Client(self.url, (self.folder / "hub" / "admin.key").read_text().strip())

    @property
    def kinds(self) -> str:
        return PLAY_KINDS if self.is_play else PRODUCT_KINDS

    def log(self, name: str) -> Path:
        return self.folder / f"{name}.log"

    # Programs.

    def start_hub(self) -> None:
        more = {fleet_programs.PLAY: "1"} if self.is_play else {}
        self.hub = fleet_programs.start(
            "tests.flows.fleet_programs",
            "hub",
            str(self.folder / "hub"),
            str(self.port),
            log=self.log("hub"),
            HUB_FLEET_BROKER=self.broker.url,
            HUB_FLEET_KINDS=self.kinds,
            **more,
        )
        wait_for("the hub answers", self._is_up)
        if not self.key:
            new = NewKey(name="nodes", scope=KeyScope.FLEET)
            self.key = self.client.create_key(new).key
            (self.folder / "fleet.key").write_text(self.key)

    def start_node(self, name: str, slots: int = 2) -> None:
        """Start a node: the product's program, unless the kinds are the tests'."""
        if self.is_play:
            words = [self.url, self.key, self.broker.url, self.kinds, str(slots), name]
            words = ["tests.flows.fleet_programs", "node", *words]
        else:
            words = ["desktop.fleet", "worker", "--hub", self.url, "--broker", self.broker.url]
            words += ["--key-file", str(self.folder / "fleet.key"), "--kinds", self.kinds]
            words += ["--slots", str(slots), "--node", name, "--json-logs"]
            words += ["--policy", str(self.policy)] if self.policy else []
        self.nodes[name] = fleet_programs.start(*words, log=self.log(name))

    def until_here(self, *names: str) -> None:
        """Wait until the hub has heard of nodes, and of the broker."""

        def are_here() -> bool:
            told = self.client.get_fleet()
            return told.is_broker_up and set(names) <= {one.node for one in told.nodes}

        wait_for(f"{names} are here", are_here)

    def close(self) -> None:
        for process in (*self.nodes.values(), self.hub):
            if process is not None:
                kill(process)
        self.broker.close()

    # What the owner does.

    def ask_for(self, key: str, kind: str, worker: str = "fleet", **inputs: object) -> str:
        """Ask for a job until the hub has acknowledged it."""
        new = NewTask.model_validate({"kind": kind, "inputs": inputs, "worker": worker})

        def asked() -> str:
            with contextlib.suppress(AppError):
                return self.client.create_task(new, idempotency_key=key).job_id
            return ""

        self.asked[key] = wait_for(f"the hub takes {key}", asked)
        return self.asked[key]

    def job(self, job_id: str) -> JobShown:
        return wait_for("the hub shows a job", lambda: self._try(self._shown, job_id))

    def until(self, job_id: str, *states: JobState, seconds: float = PATIENCE_SECONDS) -> JobShown:
        """Wait until a job is in one of the states."""

        def found() -> JobShown | None:
            job = self.job(job_id)
            return job if job.state in states else None

        try:
            return wait_for(f"{job_id} is {states}", found, seconds)
        except AssertionError:
            told = f"it is {self.job(job_id)}, it went {self.types(job_id)}"
            raise AssertionError(told) from None

    def question(self, job_id: str) -> QuestionShown:
        def found() -> QuestionShown | None:
            told = self.client.list_questions().questions
            return next((one for one in told if one.job_id == job_id), None)

        return wait_for(f"{job_id} asks", found)

    def answer(self, job_id: str, reply: str) -> None:
        question = self.question(job_id)
        self.client.answer_question(question.question_id, Reply(reply=reply))

    def types(self, job_id: str) -> list[str]:
        return [one.type for one in self.client.get_job_events(job_id).events]

    def starts(self, job_id: str) -> Counter[int]:
        """How often each fence of a job was started."""
        told = self.client.get_job_events(job_id).events
        return Counter(
            fence
            for one in told
            if one.type == "job_started" and isinstance(fence := one.body["fence"], int)
        )

    def _shown(self, job_id: str) -> JobShown:
        return self.client.get_job(job_id)

    def _try(self, call: Callable[[str], T], told: str) -> T | None:
        with contextlib.suppress(AppError):
            return call(told)
        return None

    def _is_up(self) -> bool:
        with contextlib.suppress(AppError, OSError):
            return bool(self.client.get_health())
        return False


def kill(process: subprocess.Popen[bytes]) -> None:
    """Kill a program as a power cut does; its children are left to notice."""
    with contextlib.suppress(ProcessLookupError):
        process.send_signal(signal.SIGKILL)
    process.wait()


def wait_for(what: str, probe: Callable[[], T | None], seconds: float = PATIENCE_SECONDS) -> T:
    """Try until `probe` returns something; nothing here rings a bell."""
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        if found := probe():
            return found
        time.sleep(0.03)
    raise AssertionError(f"waited {seconds:.0f} s in vain until {what}")


@contextlib.contextmanager
def a_fleet(folder: Path, broker: Server, *, is_play: bool = False) -> Iterator[Fleet]:
    """Start the broker and a hub; end all of it."""
    broker.start_blocking()
    fleet = Fleet(folder, broker, is_play=is_play)
    try:
        fleet.start_hub()
        yield fleet
    finally:
        fleet.close()
