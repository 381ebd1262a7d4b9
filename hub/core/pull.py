"""What passes between the hub and a worker that fetches its work: plain facts, no decisions."""

from __future__ import annotations

from dataclasses import dataclass

from shared.ids import JobId
from shared.jobs import JobSpec

CLAIM_SECONDS_MAX = 20.0
"""How long a fetch, or the wait for an answer, is held open."""
LEFT_OUT_SHARE = 2 / 3
"""A job that a worker leaves out of two heartbeats is lost, when they are this share of a beat
apart: one alone may have crossed the answer that brought the job."""
CLAIMS_MAX = 100
"""Fetches of one worker that may wait at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """Which attempt of a job a worker speaks of."""

    job_id: JobId
    attempt: int
    fence: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed:
    """A job that was fetched; it has begun."""

    spec: JobSpec
    attempt: int
    fence: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """What a worker is to stop, and why."""

    job_id: JobId
    attempt: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """The answer to a heartbeat."""

    is_paused: bool
    """Its person sends it nothing new now."""
    stops: tuple[Stop, ...]
    next_seconds: float
    """When to call again at the latest."""
    silent_seconds: float
    """Who says nothing for this long counts as gone."""
