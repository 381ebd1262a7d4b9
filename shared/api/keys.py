"""Keys of programs."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated

from pydantic import AwareDatetime, Field

from shared.api.parts import Body, Shown, Whole

KEY_NAME_CHARS_MAX = 100
KINDS_MAX = 64
OVERLAP_SECONDS = 24 * 3600
OVERLAP_SECONDS_MAX = 90 * 24 * 3600


class KeyScope(StrEnum):
    """What a key may do."""

    READ = "read"
    """Look at a person's things, and change nothing."""
    ENQUEUE = "enqueue"
    """Ask for work, and look at tasks and jobs."""
    WORKER = "worker"
    """Register workers that fetch their work over this API, and run jobs."""
    ENROL = "enrol"
    """Make codes that let machines in without asking: for containers."""
    FLEET = "fleet"
    """Run what the hub hands to the fleet, and nothing else: for its nodes. Owners make it."""
    METRICS = "metrics"
    """Read the hub's figures at /metrics, which name nobody. Owners make it."""
    PERSON = "person"
    """All that its person may do."""
    ADMIN = "admin"
    """All that the hub's operator may do."""


class NewKey(Body):
    name: str = Field(min_length=1, max_length=KEY_NAME_CHARS_MAX, pattern=r"\S", examples=["ci"])
    """What its person knows it by."""
    scope: KeyScope = Field(strict=False, examples=["enqueue"])
    # Tuples come as JSON lists, which strict mode would refuse.
    kinds: tuple[Annotated[str, Field(min_length=1, max_length=100)], ...] = Field(
        default=(), max_length=KINDS_MAX, strict=False
    )
    """With the scopes `worker`, `enqueue` and `read`: only jobs of these kinds are fetched, asked
    for and seen; any when empty."""
    expires_at: AwareDatetime | None = Field(default=None, strict=False)
    """When it ends; null for a key that lasts until it is revoked."""
    person_id: str | None = Field(default=None, max_length=64)
    """For whom; the caller when null. Only the hub's operator makes keys for others."""


class KeyRotation(Body):
    overlap_seconds: Whole = Field(default=OVERLAP_SECONDS, ge=0, le=OVERLAP_SECONDS_MAX)
    """How long the old key still works beside the new one; 0 ends it at once."""


class KeyShown(Shown):
    key_id: str
    person_id: str
    name: str
    scope: KeyScope
    kinds: tuple[str, ...]
    worker_id: str | None
    """The worker that speaks by it."""
    prefix: str
    """How its text begins."""
    last: str
    """The last characters of its text."""
    created_at: datetime
    expires_at: datetime | None
    used_at: datetime | None
    """About when it was used last."""
    successor: str | None
    """The key that took its place."""


class KeyList(Shown):
    keys: tuple[KeyShown, ...]


class KeyTold(KeyShown):
    key: str
    """The key itself; it is told here and never again."""
