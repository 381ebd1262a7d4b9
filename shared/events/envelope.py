"""One entry of a device's log: who wrote it, as which number, when. What it says is its body."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from shared.finite import FiniteObject
from shared.ids import COUNT_MAX

SIGNED = b"deskhand event v1\0"
"""Stands before what is signed, so that a signature is good for nothing else."""


class Event(BaseModel):
    """One entry of a device's log. (device, epoch, seq) names it everywhere and forever."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    device: str = Field(max_length=64)
    """The writer: a worker's id, or "hub"."""
    epoch: int = Field(ge=0, le=COUNT_MAX)
    """Grows when a device's store was restored or cloned, so numbers are never used twice."""
    seq: int = Field(ge=1, le=COUNT_MAX)
    """1, 2, 3 … without gaps within (device, epoch)."""
    at: datetime
    """The writer's wall clock: shown to people, never used for order."""
    hlc: int = Field(default=0, ge=0, le=COUNT_MAX)
    """The writer's stamp (`shared.hlc`); 0 from a writer that makes none."""
    type: str = Field(max_length=64)
    version: int = Field(default=1, ge=1, le=COUNT_MAX)
    entity: str = Field(default="", max_length=64)
    """The id of the job, task or question it is about."""
    body: FiniteObject
    sealed_with: str = Field(default="", max_length=64)
    """The id of the key that its body is sealed under; empty while anybody may read it."""
    signature: str = Field(default="", max_length=128)
    """The device's Ed25519 over `to_sign()`, base64url; empty from a device that has no key."""

    def canonical(self) -> bytes:
        """Return the bytes that are hashed, as `docs/protocol.md` spells them; no signature."""
        return _spell(self, self.body)

    def to_sign(self) -> bytes:
        """Return the bytes that the writing device signs."""
        return to_sign(self.canonical())

    def associated_data(self) -> bytes:
        """Return what a sealed body is bound to: all of the envelope, so that no body is moved."""
        return _spell(self, {})

    @property
    def digest(self) -> str:
        """SHA-256 of the canonical bytes, hex."""
        return digest_of(self.canonical())


def to_sign(canonical: bytes) -> bytes:
    """Return what is signed of an event, for whoever has its canonical bytes already."""
    return SIGNED + canonical


def digest_of(canonical: bytes) -> str:
    """SHA-256 of an event's canonical bytes, hex."""
    return hashlib.sha256(canonical).hexdigest()


_MOMENT = TypeAdapter(datetime).serializer
_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _spell(event: Event, body: FiniteObject) -> bytes:
    """Write an event the one way there is: keys in order at every depth, nothing between them."""
    told = {
        "at": _MOMENT.to_python(event.at, mode="json"),
        "body": body,
        "device": event.device,
        "entity": event.entity,
        "epoch": event.epoch,
        "hlc": event.hlc,
        "sealed_with": event.sealed_with,
        "seq": event.seq,
        "signature": "",
        "type": event.type,
        "version": event.version,
    }
    return _ENCODER.encode(told).encode()


class Body(BaseModel):
    """What an event says. Unknown fields of a newer writer are ignored, the envelope keeps them."""

    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)
