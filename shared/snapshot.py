"""A snapshot: a stretch of a hub's log that concerns one person, as one file.

    line 1      SnapshotHead: whose life of which hub, from where, up to where
    line 2 …    Numbered, as in an `events` message, in the hub's order
    last line   SnapshotEnd: how many there were, and the SHA-256 of all lines before it

Lines are JSON, each ended by a line feed; the whole is packed with gzip.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from shared.ids import COUNT_MAX
from shared.messages import LINEAGE_MAX, EpochBefore, Wire

SNAPSHOT_PATH = "/api/v1/worker/snapshot"
FAR_BEHIND_EVENTS = 5000
"""A copy that lacks more of the hub's log than this is brought up to date by a snapshot."""


class SnapshotHead(Wire):
    type: Literal["snapshot"] = "snapshot"
    format: Literal[1] = 1
    hub_epoch: str = Field(max_length=64)
    lineage: tuple[EpochBefore, ...] = Field(default=(), max_length=LINEAGE_MAX)
    after: int = Field(ge=0, le=COUNT_MAX)
    """It begins after this number of the hub's log."""
    upto: int = Field(ge=0, le=COUNT_MAX)
    """And ends with this one; numbers that are missing concern somebody else."""
    count: int = Field(ge=0, le=COUNT_MAX)


class SnapshotEnd(Wire):
    type: Literal["end"] = "end"
    count: int = Field(ge=0, le=COUNT_MAX)
    sha256: str = Field(min_length=64, max_length=64)
