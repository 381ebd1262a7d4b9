"""Both ends, joined by wires that can be cut: what the protocol's tests play with."""

from __future__ import annotations

from datetime import UTC, datetime

from shared.events import Event, JobLogged, write_event
from shared.ids import JobId, WorkerId
from shared.messages import Hello, Numbered
from shared.protocol import HubEnd, WorkerEnd

AT = datetime(2026, 11, 20, 12, 3, tzinfo=UTC)
WORKER = WorkerId("worker")


def hello(**changes: object) -> Hello:
    return Hello(
        device=WORKER,
        epoch=0,
        name="anna-pc",
        capabilities=(),
        slots=1,
        outbox_seq=0,
        hub_seq=0,
    ).model_copy(update=changes)


def event(seq: int, *, device: str = WORKER, epoch: int = 0, text: str = "x") -> Event:
    body = JobLogged(job_id=JobId("job"), attempt=1, fence=1, lines=(text,))
    return write_event(body, device=device, epoch=epoch, seq=seq, at=AT)


def numbered(hub_seq: int) -> Numbered:
    return Numbered(hub_seq=hub_seq, event=event(hub_seq, device="hub"))


def opened(
    *, acked_seq: int = 0, outbox_seq: int = 0, hub_seq: int = 0, now: float = 0.0
) -> tuple[WorkerEnd, HubEnd]:
    """Two ends that have said hello and welcome."""
    worker = WorkerEnd(hub_epoch="h", hub_seq=hub_seq, outbox_seq=outbox_seq, now=now)
    hub = HubEnd(now)
    worker.hello(hello(outbox_seq=outbox_seq, hub_seq=hub_seq, hub_epoch="h"))
    for frame in worker.frames_to_send():
        hub.receive(frame, now)
    hub.welcome(hub_epoch="h", acked_seq=acked_seq, hub_seq=hub_seq, time=AT, verdicts=())
    for frame in hub.frames_to_send():
        worker.receive(frame, now)
    return worker, hub
