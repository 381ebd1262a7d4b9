"""A hub's log that tells of jobs which another machine of the person's has done.

The machine is paired and signs each of its events, as every machine with a key does, so whoever
takes the log in has as much to check as in life: of twelve events nine are the machine's.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

from desktop.system.device_key import DeviceKey, make_key
from hub.store.database import open_store
from hub.store.ledger import Entry, Ledger
from shared import hlc
from shared.environment import Environment
from shared.events import (
    EventBody,
    JobGranted,
    JobLogged,
    JobQueued,
    JobStarted,
    JobSucceeded,
    TaskCreated,
    WorkerPaired,
    write_event,
)
from shared.ids import JobId, PersonId, TaskId, WorkerId
from shared.pairing import b64
from shared.signatures import signed
from shared.times import to_ms

LOGS_PER_JOB = 7
LINES_PER_LOG = 4
JOBS_PER_COMMIT = 200
EVENTS_PER_JOB = 3 + 1 + LOGS_PER_JOB + 1


async def fill(folder: Path, person_id: PersonId, events: int) -> None:
    """Let the log of a hub that does not run grow to so many events."""
    environment = Environment()
    with open_store(folder) as database:
        await Writer(person_id, environment).grow(Ledger(database, environment), events)


class Writer:
    """The other machine: it writes a log of its own, and the hub's is written beside it."""

    def __init__(self, person_id: PersonId, environment: Environment) -> None:
        self._person_id = person_id
        self._environment = environment
        self._key: DeviceKey = make_key()
        self.device = WorkerId(environment.new_id())
        self._seq = self._stamp = 0

    async def grow(self, ledger: Ledger, events: int) -> None:
        """Let a hub's log grow to so many events at least."""
        if not self._seq:
            await ledger.write(self._pair)
        while ledger.position < events:
            lacking = -(-(events - ledger.position) // EVENTS_PER_JOB)
            jobs = min(JOBS_PER_COMMIT, lacking)
            await ledger.write(partial(self._tell_jobs, jobs=jobs))

    def tell_job(self, entry: Entry) -> None:
        """Tell of one job from the request to its result: twelve events."""
        job_id, task_id = JobId(self._environment.new_id()), TaskId(self._environment.new_id())
        names = {"job_id": job_id, "attempt": 1, "fence": 1}
        told: list[EventBody] = [
            TaskCreated(task_id=task_id, person_id=self._person_id, text="train it"),
            JobQueued(job_id=job_id, task_id=task_id, kind="ml.train", title="Train", attempt=1),
            JobGranted(**names, worker_id=self.device),
        ]
        for body in told:
            entry.tell(self._person_id, body)
        lines = tuple(f"epoch {line}: loss 0.{line}" for line in range(LINES_PER_LOG))
        self._keep(entry, JobStarted(**names))
        for _ in range(LOGS_PER_JOB):
            self._keep(entry, JobLogged(**names, lines=lines))
        result = {"headline": "Trained: R² 0.91."}
        self._keep(entry, JobSucceeded(**names, result=result, running_seconds=2.5))

    def _pair(self, entry: Entry) -> None:
        key = b64(self._key.public)
        told = WorkerPaired(worker_id=self.device, name="the other pc", public_key=key)
        entry.tell(self._person_id, told, entity=self.device)

    def _tell_jobs(self, entry: Entry, jobs: int) -> None:
        for _ in range(jobs):
            self.tell_job(entry)

    def _keep(self, entry: Entry, body: EventBody) -> None:
        self._seq += 1
        at = self._environment.now()
        self._stamp = hlc.tick(self._stamp, to_ms(at))
        event = write_event(
            body, device=self.device, epoch=1, seq=self._seq, at=at, hlc=self._stamp
        )
        entry.keep(self._person_id, signed(event, self._key.sign))
