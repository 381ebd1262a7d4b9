"""Tells a person's computers what each of them can run, whenever that has changed."""

from __future__ import annotations

from hub.core.worker import Worker
from hub.store import events
from hub.store.ledger import Entry
from shared.events import WorkerOffers

_TYPE: str = WorkerOffers.model_fields["type"].default


def tell(entry: Entry, worker: Worker) -> None:
    """Tell what a worker can run, unless that is what was told last."""
    kinds = tuple(sorted(capability.kind for capability in worker.capabilities))
    told = events.newest_of(entry.connection, worker.person_id, worker.worker_id, _TYPE)
    if told is not None and told.payload.get("kinds") == list(kinds):
        return
    body = WorkerOffers(worker_id=worker.worker_id, name=worker.name, kinds=kinds)
    entry.tell(worker.person_id, body, entity=worker.worker_id)
