"""A hub and workers as processes, a person who keeps asking over REST, and a hand that kills."""

from __future__ import annotations

import random
import socket
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import psutil

from desktop.core.policy import Policy, write_policy
from desktop.store import facts
from desktop.store.database import open_store
from desktop.system.paths import Paths
from shared.jobs import Origin
from tests.flows import programs
from tests.flows.joining import join
from tests.flows.play import KINDS

PATIENCE_SECONDS = 60.0
CALL_SECONDS = 5.0


@dataclass
class World:
    """Everything that lives and may be killed."""

    folder: Path
    seed: int
    port: int = 0
    hub: subprocess.Popen[bytes] | None = None
    workers: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    asked: dict[str, str] = field(default_factory=dict)
    """Idempotency key -> job id, for every request the hub has acknowledged."""
    kills: dict[str, int] = field(default_factory=dict)
    under: tuple[str, ...] = ()
    """A command that runs the programs: one that makes their disks fail, say."""

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/api/v1"

    @property
    def marks(self) -> Path:
        """Where jobs leave a visible effect, one line a run."""
        return self.folder / "marks"

    def start_hub(self) -> None:
        self.hub = programs.start(
            "hub", self.folder / "hub", str(self.port), log=self.log("hub"), under=self.under
        )
        self.wait_for("the hub answers", self._hub_answers)

    def start_worker(self, name: str) -> None:
        self.workers[name] = programs.start(
            "worker", self.folder / name, log=self.log(name), under=self.under
        )

    def policy(self, *left_out: str) -> Policy:
        """What a worker allows: all, or all but some kinds."""
        kinds = tuple(kind for kind in KINDS if kind not in left_out) if left_out else ("*",)
        return Policy(
            folders=(str(self.folder),),
            slots=2,
            disk_free_bytes_min=0,
            kinds=dict.fromkeys(Origin, kinds),
        )

    def pair(self, name: str, *left_out: str) -> None:
        """Join a new worker; it is not started yet. `left_out`: kinds that it does not allow."""
        home = self.folder / name
        paths = Paths(data=home, config=home)
        paths.make()
        paths.policy.write_text(write_policy(self.policy(*left_out)))
        code = self.post("/invitations", {"is_approved": True})["code"]
        pairing, token = join(self.url.removesuffix("/api/v1"), str(code), name)
        paths.token.write_text(token)
        with open_store(paths.store) as database:
            database.submit(lambda connection: facts.save_pairing(connection, pairing)).result(10)

    def ask_for(self, key: str, kind: str, **inputs: object) -> str:
        """Ask for a job until the hub has acknowledged it; the key makes repeats harmless."""
        body: dict[str, object] = {"kind": kind, "inputs": inputs}
        shown = self.wait_for(
            f"the hub takes {key}", lambda: self._try_post("/tasks", body, {"Idempotency-Key": key})
        )
        self.asked[key] = str(shown["job_id"])
        return self.asked[key]

    def jobs(self) -> dict[str, dict[str, object]]:
        """Every acknowledged job as the hub shows it now."""
        return {job_id: self.get(f"/jobs/{job_id}") for job_id in self.asked.values()}

    def open_questions(self) -> list[str]:
        questions = self.get("/questions")["questions"]
        assert isinstance(questions, list)
        return [str(question["question_id"]) for question in questions]

    def get(self, path: str) -> dict[str, object]:
        answer = self._call("GET", path)
        answer.raise_for_status()
        told: dict[str, object] = answer.json()
        return told

    def post(self, path: str, body: dict[str, object]) -> dict[str, object]:
        answer = self._call("POST", path, body)
        answer.raise_for_status()
        told: dict[str, object] = answer.json()
        return told

    def kill_something(self) -> str:
        """Kill the hub, a worker or a child at random, and start again what does not by itself."""
        victim = self.random.choice(["hub", "worker", "worker", "child", "child"])
        self.kills[victim] = self.kills.get(victim, 0) + 1
        match victim:
            case "hub":
                assert self.hub is not None
                programs.kill(self.hub)
                self.start_hub()
            case "worker":
                name = self.random.choice(sorted(self.workers))
                programs.kill(self.workers[name])
                self.start_worker(name)
            case _:
                self._kill_child()
        return victim

    def _kill_child(self) -> None:
        children = [child for process in self.workers.values() for child in _children(process.pid)]
        if children:
            victim = self.random.choice(sorted(children, key=lambda child: child.pid))
            try:
                victim.kill()
            except psutil.NoSuchProcess:
                return

    def close(self) -> None:
        for process in [*self.workers.values(), *([self.hub] if self.hub else [])]:
            programs.kill(process)

    def wait_for(self, what: str, probe: Callable[[], object]) -> dict[str, object]:
        """Try until `probe` returns something."""
        ends = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < ends:
            if found := probe():
                return found if isinstance(found, dict) else {}
            time.sleep(0.02)
        raise AssertionError(f"waited {PATIENCE_SECONDS:.0f} s in vain until {what}")

    def log(self, name: str) -> Path:
        return self.folder / f"{name}.log"

    def _hub_answers(self) -> bool:
        try:
            return httpx.get(f"{self.url}/health", timeout=1).status_code == 200
        except httpx.HTTPError:
            return False

    def _try_post(
        self, path: str, body: dict[str, object], headers: dict[str, str]
    ) -> dict[str, object] | None:
        try:
            answer = self._call("POST", path, body, headers)
        except httpx.HTTPError:
            return None
        if answer.status_code == 503:
            return None  # nothing was taken: the disk fails, or is full
        assert answer.status_code in (200, 201), answer.text
        told: dict[str, object] = answer.json()
        return told

    def _call(
        self,
        method: str,
        path: str,
        body: dict[str, object] | None = None,
        headers: dict[str, str] | None = None,
    ) -> httpx.Response:
        key = (self.folder / "hub" / "admin.key").read_text().strip()
        return httpx.request(
            method,
            self.url + path,
            json=body,
            headers={"Authorization": f"Bearer {key}", **(headers or {})},
            timeout=CALL_SECONDS,
        )


def _children(pid: int) -> list[psutil.Process]:
    try:
        return psutil.Process(pid).children()
    except psutil.NoSuchProcess:
        return []
