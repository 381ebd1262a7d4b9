"""What passes between the hub and a worker that fetches its work: plain facts, no decisions."""

from __future__ import annotations

from dataclasses import dataclass

from hub.core.worker import PULL_SILENT_SECONDS
from shared.ids import JobId
from shared.jobs import JobSpec

HEARTBEAT_SECONDS = PULL_SILENT_SECONDS / 3
"""How often such a worker is asked to call, whatever else it does."""
CLAIM_SECONDS_MAX = 20.0
"""How long a fetch, or the wait for an answer, is held open."""
LEFT_OUT_SECONDS = 10.0
"""A job that a worker leaves out of two heartbeats this far apart is lost: one may have crossed
the answer that brought the job."""
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
