"""What webhooks tell: which events are public, and which of their fields.

Only what stands here leaves the hub. A message says that something happened and to what; results,
answers, logs and files are fetched with a key by whoever wants them. No program that is not
Deskhand has to know the events of `shared.events`: these names and fields stay.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from pydantic import JsonValue
from pydantic_core import to_json

from hub.core.fact import HUB_DEVICE, Fact
from shared.ids import WebhookId
from shared.kinds import JsonObject

TEXT_CHARS_MAX = 4000
TEST_TYPE = "webhook.test"
_ERROR = ("error.code", "error.message", "error.hint", "error.retryable")
_ATTEMPT = ("job_id", "attempt")
_SCHEDULE = ("schedule.schedule_id", "schedule.words", "schedule.when", "schedule.next_at")


@dataclass(frozen=True, slots=True)
class Public:
    """How an event is told outside."""

    type: str
    fields: tuple[str, ...]
    """Of its body; a dot goes into an object."""


_PUBLIC: Mapping[str, Public] = {
    "task_created": Public("task.created", ("task_id", "text")),
    "job_queued": Public(
        "job.queued", ("job_id", "task_id", "kind", "title", "attempt", "reason", "not_before")
    ),
    "job_started": Public("job.started", _ATTEMPT),
    "job_resumed": Public("job.resumed", (*_ATTEMPT, "question_id")),
    "job_succeeded": Public("job.succeeded", (*_ATTEMPT, "running_seconds", "result.headline")),
    "job_failed": Public("job.failed", (*_ATTEMPT, *_ERROR)),
    "job_died": Public("job.dead", ("job_id", *_ERROR)),
    "job_cancelled": Public("job.cancelled", _ATTEMPT),
    "late_result": Public("job.late_result", (*_ATTEMPT, "outcome")),
    "job_interrupted": Public("job.interrupted", (*_ATTEMPT, "reason")),
    "question_asked": Public(
        "question.asked",
        (
            *_ATTEMPT,
            "question_id",
            "asking.kind",
            "asking.text",
            "asking.choices",
            "asking.allow_text",
            "asking.default",
            "asking.more",
        ),
    ),
    "question_answered": Public("question.answered", ("question_id", "job_id", "answer.by")),
    "question_parked": Public("question.parked", ("question_id", "job_id")),
    "files_arrived": Public("files.arrived", ("job_id", "files")),
    "message_said": Public("message.said", ("task_id", "job_id", "by", "where")),
    "session_opened": Public("session.opened", ("session_id", "task_id", "worker_id")),
    "session_ended": Public("session.ended", ("session_id", "task_id", "worker_id", "reason")),
    "schedule_changed": Public("schedule.changed", (*_SCHEDULE, "change", "by")),
    "schedule_ran": Public(
        "schedule.ran", (*_SCHEDULE, "schedule.last_job_id", "task_id", "due_at", "missed")
    ),
    "schedule_missed": Public("schedule.missed", (*_SCHEDULE, "reason", "missed")),
    "worker_paired": Public("worker.paired", ("worker_id", "name")),
    "worker_lost": Public("worker.offline", ("worker_id", "name", "since", "was_stopped", "jobs")),
    "worker_back": Public("worker.online", ("worker_id", "name", "since", "until")),
    "worker_revoked": Public("worker.revoked", ("worker_id", "name", "by")),
}
_OF_LISTS: Mapping[str, tuple[str, ...]] = {
    "choices": ("value", "label"),
    "files": ("name", "size_bytes", "media_type"),
}
"""Of objects in lists, only these fields."""
TYPES: tuple[str, ...] = tuple(public.type for public in _PUBLIC.values())
"""All that can be subscribed to, in the order of a job's life."""


def type_of(fact: Fact) -> str | None:
    """Return the public type of an event; None when it is not told outside."""
    if fact.is_of_part:
        return None
    public = _PUBLIC.get(fact.type)
    return public.type if public and not fact.sealed_with and fact.version == 1 else None


def message_id(webhook_id: WebhookId, fact: Fact) -> str:
    """Name a message: the same at every try, and on a restored hub; no other hub's has it."""
    told = f"{webhook_id} {fact.device} {fact.epoch} {fact.seq}"
    return f"msg_{hashlib.sha256(told.encode()).hexdigest()[:32]}"


def fields_of(public_type: str) -> tuple[str, ...]:
    """Return what a type tells, for its description."""
    return next(public.fields for public in _PUBLIC.values() if public.type == public_type)


def is_late(fact: Fact, following: Fact | None) -> bool:
    """Say whether an outcome came too late to count; the hub says so right behind it."""
    return (
        following is not None
        and following.type == "late_result"
        and (following.hub_seq, following.entity) == (fact.hub_seq + 1, fact.entity)
        and fact.type != "late_result"
    )


def message_of(fact: Fact, following: Fact | None) -> bytes:
    """Write what is told of a public event.

    Args:
        fact: the event.
        following: the next one of the same person, if there is one yet.
    """
    public = _PUBLIC[fact.type]
    data: JsonObject = {}
    for path in public.fields:
        _copy(fact.payload, data, path.split("."))
    if fact.device != HUB_DEVICE:
        data["worker_id"] = fact.device
    if fact.type == "job_failed":
        data["will_retry"] = (
            following is not None
            and following.type == "job_queued"
            and (following.hub_seq, following.entity) == (fact.hub_seq + 1, fact.entity)
        )
    return to_json({"type": public.type, "timestamp": fact.at, "data": data})


def trial_message(at: datetime) -> bytes:
    """Write what a test tells."""
    return to_json({"type": TEST_TYPE, "timestamp": at, "data": {"message": "Deskhand is here."}})


def _copy(body: Mapping[str, JsonValue], data: JsonObject, path: list[str]) -> None:
    name, rest = path[0], path[1:]
    value = body.get(name)
    if name not in body:
        return
    if not rest:
        data[name] = _clipped(name, value)
    elif isinstance(value, dict):
        inner = data.setdefault(name, {})
        assert isinstance(inner, dict)
        _copy(value, inner, rest)


def _clipped(name: str, value: JsonValue) -> JsonValue:
    """Shorten what is long, and take of objects only what is named."""
    match value:
        case str():
            return value[:TEXT_CHARS_MAX]
        case list() if name in _OF_LISTS:
            kept = _OF_LISTS[name]
            return [
                {key: _clipped(key, item[key]) for key in kept if key in item}
                for item in value
                if isinstance(item, dict)
            ]
        case list() | dict():
            # An object where a value was told is nothing that anybody decided to tell.
            return None
        case _:
            return value
