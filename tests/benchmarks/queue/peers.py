"""The other queues: what each is, what it promises, and how it is run.

Each has an environment of its own; its worker and its producer import nothing of Deskhand.
"""

from __future__ import annotations

import contextlib
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tests.benchmarks.machine import ROOT
from tests.benchmarks.peers import python_of, versions_of
from tests.benchmarks.queue import brokers
from tests.benchmarks.queue.brokers import Fsync
from tests.benchmarks.queue.children import Child, child
from tests.benchmarks.queue.records import Records
from tests.benchmarks.queue.systems import WARM_JOBS, Queue

RIVALS = "tests.benchmarks.queue.rivals"
START_SECONDS = 60.0
SETTLE_SECONDS = 0.3
REDIS_CLIENT = "redis==8.1.0"


@dataclass(frozen=True, slots=True)
class Peer:
    name: str
    module: str
    """Of `rivals`."""
    requirements: tuple[str, ...]
    worker: tuple[str, ...]
    """The command, its program in the peer's own environment; MODULE and BROKER stand for both."""
    promise: str
    """What becomes of a job whose worker is killed."""
    broker: Literal["redis", "sqlite", "postgres"] = "redis"
    is_at_least_once: bool = True

    @property
    def packages(self) -> tuple[str, ...]:
        return tuple(one.partition("==")[0].partition("[")[0] for one in self.requirements)

    def stands(self, fsync: Fsync) -> str:
        """What a figure of it stands under."""
        log = "fsync before ack" if fsync == "always" else "fsync once a second"
        return f"{self.promise}, {log}"

    def python(self) -> Path:
        """Raises subprocess.SubprocessError: it cannot be installed."""
        return python_of(f"queue-{self.module.removesuffix('_jobs')}", *self.requirements)

    def versions(self) -> dict[str, str]:
        return versions_of(self.python(), *self.packages)


CELERY = Peer(
    "Celery",
    "celery_jobs",
    ("celery[redis]==5.7.0", REDIS_CLIENT),
    (
        "celery", "-A", "MODULE", "worker", "-P", "prefork", "-c", "1", "-l", "ERROR",
        "--without-gossip", "--without-mingle",
    ),
    "late ack: at least once",
)  # fmt: skip
TASKIQ = Peer(
    "taskiq",
    "taskiq_jobs",
    ("taskiq==0.13.0", "taskiq-redis==1.2.4", REDIS_CLIENT),
    ("taskiq", "worker", "MODULE:broker", "-w", "1", "--log-level", "ERROR"),
    "stream ack: at least once",
)
PEERS = (
    CELERY,
    Peer(
        "Dramatiq",
        "dramatiq_jobs",
        ("dramatiq==2.2.1", REDIS_CLIENT),
        ("dramatiq", "MODULE", "-p", "1", "-t", "8"),
        "at least once",
    ),
    TASKIQ,
    Peer(
        "RQ SimpleWorker",
        "rq_jobs",
        ("rq==2.12.0", REDIS_CLIENT),
        ("rq", "worker", "-q", "-w", "rq.worker.SimpleWorker", "-u", "BROKER", "default"),
        "at most once: a killed worker's job fails",
        is_at_least_once=False,
    ),
    Peer(
        "Huey Redis",
        "huey_redis_jobs",
        ("huey==3.5.4", REDIS_CLIENT),
        ("huey_consumer", "MODULE.huey", "-q", "-w", "1"),
        "at most once",
        is_at_least_once=False,
    ),
    Peer(
        "Huey SQLite",
        "huey_sqlite_jobs",
        ("huey==3.5.4",),
        # It polls; without -m it would look ever less often while nothing is there.
        ("huey_consumer", "MODULE.huey", "-q", "-w", "1", "-d", "0.1", "-m", "0.1"),
        "at most once",
        broker="sqlite",
        is_at_least_once=False,
    ),
    Peer(
        "Procrastinate",
        "procrastinate_jobs",
        ("procrastinate==3.10.0", "psycopg[binary]==3.3.9"),
        ("procrastinate", "--app=MODULE.app", "worker", "-c", "10"),
        "at most once: what stalls waits for its owner",
        broker="postgres",
        is_at_least_once=False,
    ),
)


@contextlib.contextmanager
def running(peer: Peer, folder: Path, fsync: Fsync) -> Iterator[Queue]:
    """Run a peer with its broker, one worker process and one producer.

    Raises:
        Absent: its broker is not on this machine.
        ChildProcessError, TimeoutError, subprocess.SubprocessError: it does not run.
    """
    python, module = peer.python(), f"{RIVALS}.{peer.module}"
    records = Records(folder / "records")
    with contextlib.ExitStack() as ends:
        broker = ends.enter_context(_broker(peer, folder, fsync))
        environment = {
            "BENCH_BROKER": broker,
            "BENCH_RECORDS": str(folder / "records"),
            "PYTHONPATH": str(ROOT),
            "PYTHONDONTWRITEBYTECODE": "1",
        }

        def program(*words: str | Path) -> Child:
            log = folder / f"{Path(words[0]).name}.log"
            return ends.enter_context(child(words, log, environment=environment))

        scripts = python.parent
        if peer.broker == "postgres":
            schema: list[str | Path] = [
                scripts / "procrastinate",
                f"--app={module}.app",
                "schema",
                "--apply",
            ]
            made = program(*schema)
            made.until(lambda: made.has_ended, START_SECONDS)
        command = [word.replace("MODULE", module).replace("BROKER", broker) for word in peer.worker]
        program(scripts / command[0], *command[1:])
        queue = Queue(program(python, "-m", f"{RIVALS}.produce", peer.module), records)
        # The first job is done once the worker is there.
        queue.run(1, 1)
        time.sleep(SETTLE_SECONDS)
        queue.run(WARM_JOBS, 1)
        yield queue


@contextlib.contextmanager
def _broker(peer: Peer, folder: Path, fsync: Fsync) -> Iterator[str]:
    match peer.broker:
        case "redis":
            with brokers.redis(folder, fsync) as address:
                yield address
        case "postgres":
            with brokers.postgres(folder) as address:
                yield address
        case "sqlite":
            yield str(folder / "jobs.db")


def installed(peers: tuple[Peer, ...]) -> tuple[list[Peer], dict[str, str], list[str]]:
    """Install peers whose broker is here.

    Returns:
        Those that can be run, their versions, and why others cannot.
    """
    ready, versions, missing = list[Peer](), dict[str, str](), list[str]()
    for peer in peers:
        try:
            match peer.broker:
                case "redis":
                    versions["redis-server"] = brokers.version_of(brokers.redis_server())
                case "postgres":
                    server = brokers.postgres_folder() / "postgres"
                    versions["PostgreSQL"] = brokers.version_of(server)
                case "sqlite":
                    pass
            versions |= peer.versions()
        except (brokers.Absent, OSError, subprocess.SubprocessError) as error:
            missing.append(f"{peer.name} was not measured: {error}.")
        else:
            ready.append(peer)
    return ready, versions, missing
