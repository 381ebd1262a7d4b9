"""Asking for work on the web: what can be asked for, and the request a form becomes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256

from hub.frontends.call import inputs_of
from hub.frontends.commands import COMMANDS, Spoken
from hub.frontends.parsing import parse
from hub.frontends.planning import lack_of
from hub.frontends.web.visitor import Visitor
from hub.frontends.webchat import conversation_of
from hub.services.machines import Machine
from hub.services.requests import Request
from shared.errors import BadInput
from shared.ids import WorkerId
from shared.jobs import TITLE_CHARS_MAX, Origin, Priority
from shared.kinds import JsonObject, Kind
from shared.kinds.plan import PLAN

DEDUPE_CHARS_MAX = 64
_ORDER = [command.kind for command in COMMANDS if command.kind]
"""What people ask for most comes first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A kind of work, and whether a computer of the person's can do it."""

    kind: str
    words: str
    lacks: str
    """Why it would have to wait; empty when a computer can do it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What a form says beside the inputs, as typed."""

    worker: str = ""
    priority: str = Priority.DEFAULT
    title: str = ""
    dedupe: str = ""

    @classmethod
    def of(cls, sent: Mapping[str, str]) -> Draft:
        return cls(
            worker=sent.get("worker", "")[:100],
            priority=sent.get("priority", Priority.DEFAULT),
            title=sent.get("title", "").strip()[:TITLE_CHARS_MAX],
            dedupe=sent.get("dedupe", "")[:DEDUPE_CHARS_MAX],
        )


def offers(kinds: Mapping[str, Kind], machines: Sequence[Machine]) -> list[Offer]:
    """Say what can be asked for: what a computer can do now comes first."""
    able = {c.kind for machine in machines for c in machine.card.worker.capabilities}
    found = [
        Offer(
            kind=kind.name,
            words=kind.summary.partition(": /")[0],
            lacks="" if kind.name in able else lack_of(kind.name, machines),
        )
        for kind in kinds.values()
        if kind.is_offered
    ]
    return sorted(found, key=lambda offer: (bool(offer.lacks), _rank(offer.kind)))


def _rank(kind: str) -> int:
    return _ORDER.index(kind) if kind in _ORDER else len(_ORDER)


def request_of(visitor: Visitor, kind: Kind, inputs: JsonObject, draft: Draft) -> Request:
    """Make what a form says into a request; sent twice it is the same one."""
    priorities = {p.value: p for p in Priority}
    if draft.priority not in priorities:
        raise BadInput("priority_unknown", "There is no such priority.", "Take one of the list.")
    return Request(
        person_id=visitor.person.person_id,
        kind=kind.name,
        inputs=inputs,
        title=draft.title,
        conversation=conversation_of(visitor.person.person_id),
        origin=Origin.CHAT,
        priority=priorities[draft.priority],
        worker_name=draft.worker,
        dedupe=_dedupe(draft, kind.name, str(sorted(inputs.items())), draft.worker),
    )


def request_in_words(
    visitor: Visitor, words: str, draft: Draft, *, worker_id: WorkerId | None = None
) -> Request:
    """Make what somebody typed, as in a chat, into a request.

    Args:
        visitor: who asks.
        words: as typed.
        draft: the form it was typed into.
        worker_id: where it is done when the words name no computer.

    Raises:
        BadInput: `command_unknown` and the like; `command_elsewhere`, it asks for no work.
    """
    spoken = parse(words)
    if spoken is None:
        return _request_of_task(visitor, words, draft, worker_id)
    if spoken.command.name == "task":
        is_local = bool(spoken.values.get("local"))
        task = spoken.values["text"]
        return _request_of_task(visitor, task, draft, worker_id, is_local=is_local)
    if not spoken.command.kind:
        raise BadInput(
            "command_elsewhere",
            f"/{spoken.command.name} asks for no work.",
            "Chats answer it; here are pages for what it tells.",
        )
    return _request_of_spoken(visitor, spoken, words, draft, worker_id)


def _request_of_task(
    visitor: Visitor,
    words: str,
    draft: Draft,
    worker_id: WorkerId | None,
    *,
    is_local: bool = False,
) -> Request:
    """Have plain words planned."""
    inputs: JsonObject = {"task": words.strip()} | ({"local": True} if is_local else {})
    return Request(
        person_id=visitor.person.person_id,
        kind=PLAN,
        inputs=inputs,
        text=words.strip(),
        conversation=conversation_of(visitor.person.person_id),
        origin=Origin.CHAT,
        worker_id=worker_id,
        dedupe=_dedupe(draft, words),
    )


def _request_of_spoken(
    visitor: Visitor, spoken: Spoken, words: str, draft: Draft, worker_id: WorkerId | None
) -> Request:
    return Request(
        person_id=visitor.person.person_id,
        kind=spoken.command.kind,
        inputs=inputs_of(spoken),
        text=words.strip(),
        conversation=conversation_of(visitor.person.person_id),
        origin=Origin.CHAT,
        worker_name=spoken.worker,
        worker_id=None if spoken.worker else worker_id,
        dedupe=_dedupe(draft, words),
    )


def _dedupe(draft: Draft, *said: str) -> str:
    """The form's own name and what it said: a page that was gone back to may say something else."""
    if not draft.dedupe:
        return ""
    return f"web:{draft.dedupe}:{sha256(repr(said).encode()).hexdigest()[:16]}"
