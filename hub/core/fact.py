"""A fact: an event with its place in the hub's total order and the person it concerns."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from pydantic import JsonValue
from pydantic_core import to_json

from shared.events import Event, EventBody, body_of
from shared.ids import PersonId
from shared.messages import Numbered

HUB_DEVICE = "hub"
QUESTION_TYPES = frozenset(
    {"question_asked", "question_answered", "question_parked", "answer_superseded", "answer_given"}
)


@dataclass(kw_only=True)
class Fact:
    """Never changed, but not frozen: that would set each field with a call, and be thrice as dear.

    There are six of them to a job.
    """

    hub_seq: int
    person_id: PersonId
    device: str
    """The writer: a worker's id, or "hub"."""
    epoch: int
    seq: int
    at: datetime
    type: str
    version: int
    entity: str
    payload: dict[str, JsonValue]
    signature: str = ""
    hlc: int = 0
    """The writer's stamp."""
    hlc_clamped: int = 0
    """The stamp that all devices go by."""
    sealed_with: str = ""
    of_part: bool = False
    """Its job is a part, also when the writer does not know that."""

    @property
    def is_of_part(self) -> bool:
        """Whether it is about a part of a job: people look at that job, and are not told of it.

        But for what a part asks: that is for them, as any question is.
        """
        if self.type in QUESTION_TYPES:
            return False
        return self.of_part or bool(self.payload.get("part_of"))

    @cached_property
    def payload_json(self) -> str:
        """Its payload as the store keeps it."""
        return to_json(self.payload).decode()

    @cached_property
    def event(self) -> Event:
        """The event as it travels."""
        return Event(
            device=self.device,
            epoch=self.epoch,
            seq=self.seq,
            at=self.at,
            hlc=self.hlc,
            type=self.type,
            version=self.version,
            entity=self.entity,
            body=self.payload,
            sealed_with=self.sealed_with,
            signature=self.signature,
        )

    @cached_property
    def numbered(self) -> Numbered:
        return Numbered(hub_seq=self.hub_seq, hlc=self.hlc_clamped, event=self.event)

    def told(self) -> bytes:
        """Write `numbered` as JSON, without making it."""
        event = {
            "device": self.device,
            "epoch": self.epoch,
            "seq": self.seq,
            "at": self.at,
            "hlc": self.hlc,
            "type": self.type,
            "version": self.version,
            "entity": self.entity,
            "body": self.payload,
            "sealed_with": self.sealed_with,
            "signature": self.signature,
        }
        told = {"hub_seq": self.hub_seq, "hlc": self.hlc_clamped, "event": event}
        return to_json(told, inf_nan_mode="null")

    @cached_property
    def body(self) -> EventBody | None:
        """What it says, typed; None when its type is newer than this program."""
        return body_of(self.event)
