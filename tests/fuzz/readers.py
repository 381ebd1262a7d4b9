"""Targets without I/O: the decoder, the protocol's two ends, and a desktop's copy of the log."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from functools import partial
from typing import TypeVar

from pydantic import TypeAdapter, ValidationError

from desktop.store import copies
from desktop.store.database import MIGRATIONS
from shared.events import Event
from shared.messages import Bye, Events, FromHub, FromWorker, Hello, Numbered, Push, Welcome
from shared.protocol import FRAME_BYTES_MAX, HubEnd, Phase, ProtocolError, WorkerEnd
from shared.protocol.frames import FROM_HUB, FROM_WORKER, decode
from tests.fuzz import samples
from tests.fuzz.saying import Voice
from tests.fuzz.targets import Round, Trouble
from tests.shared.protocol.worlds import AT, WORKER, hello

Read = TypeVar("Read", FromWorker, FromHub)
POOL = (WORKER, "job-1", "job-2", "q-1", "task-1", "hub", "0192f000-0000-7000-8000-00000000abcd")


def decoding(played: Round, count: int) -> None:
    """A frame is a message or one error with a code, whoever reads it."""
    voice = Voice(played, POOL)
    models = (*samples.FROM_WORKER, *samples.FROM_HUB)
    for frame in voice.frames(count, lambda: voice.any_of(models)):
        read_by_both(played, frame)


def read_by_both(played: Round, frame: str | bytes) -> None:
    """Decode a frame as the hub does, and as a worker does."""
    _decoded(played, frame, FROM_WORKER)
    _decoded(played, frame, FROM_HUB)


def _decoded(played: Round, frame: str | bytes, readable: TypeAdapter[Read]) -> None:
    try:
        message = decode(frame, readable)
    except ProtocolError as error:
        played.refused += 1
        _check_told(error.code, error.message)
        if not 1000 <= error.close_code <= 1011:
            raise Trouble("crash", f"{error.code} closes with {error.close_code}") from error
    else:
        assert decode(message.model_dump_json(), readable) == message


def _check_told(code: str, message: str) -> None:
    if not code or not message or len(message) > 2000:
        raise Trouble("crash", f"an error says {code!r}: {message[:200]!r}")


def hub_end(played: Round, count: int) -> None:
    """The hub's end hands over what continues a log, and nothing else."""
    voice = Voice(played, POOL)
    ends, taken = [_hub_end()], 0
    for frame in voice.frames(count, partial(_to_hub, voice, ends)):
        end = ends[-1]
        message = end.receive(frame, 0.5)
        if isinstance(message, Push):
            for event in message.events:
                if (event.device, event.seq) != (WORKER, taken + 1):
                    raise Trouble("lost", f"{event.device} {event.seq} after {taken}")
                taken += 1
            end.committed(taken)
        _check_frames(end, message, FROM_HUB)
        if end.phase is Phase.CLOSED:
            played.refused += 1
            ends[:] = [_hub_end(taken)]


def _hub_end(taken: int = 0) -> HubEnd:
    end = HubEnd(0.0)
    assert isinstance(end.receive(hello(outbox_seq=taken).model_dump_json(), 0.0), Hello)
    end.welcome(hub_epoch="h", acked_seq=taken, hub_seq=0, time=AT, verdicts=())
    end.frames_to_send()
    return end


def _to_hub(voice: Voice, ends: list[HubEnd]) -> str | bytes:
    seq = ends[-1].received_seq + 1
    if voice.rng.random() < 0.5:
        return voice.any_of(samples.FROM_WORKER)
    events = [voice.maker.event() for _ in range(voice.rng.randint(1, 3))]
    for number, event in enumerate(events):
        event.update(device=WORKER, epoch=0, seq=seq + number)
    return voice.bent({"type": "push", "events": events})


def worker_end(played: Round, count: int) -> None:
    """A worker's end hands over what continues its cursor, and believes no impossible ack."""
    voice = Voice(played, POOL)
    end = _worker_end(0)
    for frame in voice.frames(count, lambda: voice.any_of(samples.FROM_HUB)):
        before = end.hub_seq
        message = end.receive(frame, 0.5)
        if isinstance(message, Events):
            numbers = [n.hub_seq for n in message.events]
            if message.after != before or any(n <= before for n in numbers):
                raise Trouble("doubled", f"{numbers} were handed over at {before}")
            end.applied(message.upto)
        if end.acked_seq > 3:
            raise Trouble("lost", f"an ack of {end.acked_seq} was believed, 3 were written")
        _check_frames(end, message, FROM_WORKER)
        if end.phase is Phase.CLOSED:
            played.refused += 1
            end = _worker_end(end.hub_seq)


def _worker_end(hub_seq: int) -> WorkerEnd:
    end = WorkerEnd(hub_epoch="h", hub_seq=hub_seq, outbox_seq=3, now=0.0)
    end.hello(hello(outbox_seq=3, hub_seq=hub_seq, hub_epoch="h"))
    welcome = Welcome(
        protocol=1,
        hub_epoch="h",
        acked_seq=0,
        time=AT,
        limits={
            "frame_bytes_max": FRAME_BYTES_MAX,
            "batch_events_max": 100,
            "beat_seconds": 15,
            "dead_seconds": 45,
        },
    )
    end.receive(welcome.model_dump_json(), 0.0)
    end.frames_to_send()
    return end


def _check_frames(
    end: HubEnd | WorkerEnd,
    message: FromWorker | FromHub | None,
    readable: TypeAdapter[Read],
) -> None:
    """What an end says in reply, the other side can read."""
    for frame in end.frames_to_send():
        decode(frame, readable)
    if end.close_error is not None and not isinstance(message, Bye):
        _check_told(end.close_error.code, end.close_error.message)


def copied(played: Round, count: int) -> None:
    """A desktop takes any event into its copy, or leaves it out; it never stops at one."""
    voice = Voice(played, POOL)
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        for migration in MIGRATIONS:
            migration(connection)
        told = 0
        for frame in voice.frames(count, lambda: voice.bent(voice.maker.event())):
            try:
                event = Event.model_validate_json(frame)
            except ValidationError:
                played.refused += 1
                continue
            told += 1
            copies.hear(connection, Numbered(hub_seq=told, event=event))
