"""What waits for the hub is counted in what people did, not in lines of logs."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from desktop.store import facts, outbox, pending
from desktop.store.database import open_store
from desktop.store.facts import Pairing
from shared.events import (
    CancelAsked,
    JobLogged,
    JobStarted,
    JobSucceeded,
    OwnEventBody,
    TaskRequested,
)
from shared.ids import JobId, TaskId, WorkerId

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
JOB = JobId("job-1")
PAIRING = Pairing(
    hub_url="http://127.0.0.1", worker_id=WorkerId("here"), worker_name="anna-pc",
    hub_name="hub", person_name="Anna",
)  # fmt: skip
DONE: tuple[OwnEventBody, ...] = (
    TaskRequested(task_id=TaskId("task-1"), job_id=JOB, kind="ml.train"),
    JobStarted(job_id=JOB, attempt=1, fence=1),
    *(JobLogged(job_id=JOB, attempt=1, fence=1, lines=(f"fold {n}",)) for n in range(50)),
    JobSucceeded(job_id=JOB, attempt=1, fence=1, result={}, running_seconds=1),
    CancelAsked(job_id=JOB),
)


def test_what_the_hub_has_not_got_is_counted_without_logs(tmp_path: Path) -> None:
    with open_store(tmp_path / "worker.sqlite3") as store:
        store.submit(lambda c: facts.save_pairing(c, PAIRING)).result()
        for body in DONE:
            store.submit(partial(outbox.append, body=body, at=NOON)).result()
        assert store.submit(pending.changes).result() == 3
        store.submit(lambda c: outbox.acknowledge(c, len(DONE) - 1)).result()
        assert store.submit(pending.changes).result() == 1
        store.submit(lambda c: outbox.acknowledge(c, len(DONE))).result()
        assert store.submit(pending.read).result() == pending.Pending()
