"""The log of a worker that fetches its work: the hub writes it down for it, in order.

Such a worker has no store. What it reports becomes an event of its own log all the same, numbered
in an epoch of the hub's life, so that no number is used twice after a backup was restored.
Steps of somebody's transaction.
"""

from __future__ import annotations

from hub.core import job as core
from hub.core.job import Job
from hub.store import events, queue
from hub.store.ledger import Entry
from shared.events import AttemptEventBody, Event, JobStarted, write_event
from shared.ids import WorkerId


def event_of(entry: Entry, worker_id: WorkerId, body: AttemptEventBody) -> Event:
    """Make the next event of a worker's log; its number is taken."""
    seq = events.cursor(entry.connection, worker_id, entry.epoch) + 1
    event = write_event(body, device=worker_id, epoch=entry.epoch, seq=seq, at=entry.now)
    events.move_cursor(entry, event)
    return event


def start(entry: Entry, job: Job) -> Job:
    """A job that was fetched has begun: nobody tells its hub of it twice."""
    life = job.life
    assert life.worker_id is not None
    body = JobStarted(job_id=job.job_id, attempt=life.attempt, fence=life.fence)
    entry.keep(job.person_id, event_of(entry, life.worker_id, body))
    return queue.save(entry, job, core.start(life))
