"""What a worker can do, what a job needs, and whether the two fit."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from shared.ids import WorkerId

CAPABILITIES_MAX = 64
COMMAND_CHARS_MAX = 100


class Capability(BaseModel):
    """A kind a worker can run."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: str = Field(max_length=100)
    version: int = Field(default=1, ge=1)
    tools: tuple[str, ...] = Field(default=(), max_length=32)
    """Programs or libraries the kind can use here: "git", "ruff", "cuda"."""
    specializations: tuple[str, ...] = Field(default=(), max_length=32)
    """What it is especially good for: "python", "german"."""


class Lacking(BaseModel):
    """A kind a worker knows how to run and has no tools for, and what would add them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: str = Field(max_length=100)
    command: str = Field(max_length=COMMAND_CHARS_MAX)
    """To be run on that machine by its person, who reads it in a chat."""
    download_mb: int = Field(default=0, ge=0, le=1_000_000)
    """About; 0 when not known."""


class Needs(BaseModel):
    """What a job asks of its worker."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: str = Field(max_length=100)
    tools: tuple[str, ...] = ()
    worker_id: WorkerId | None = None
    """Only this worker: its files are there, a session lives there, or a person said so."""


def fits(worker_id: WorkerId, capabilities: tuple[Capability, ...], needs: Needs) -> bool:
    """Say whether a worker can run a job, slots not considered."""
    if needs.worker_id not in (None, worker_id):
        return False
    return any(
        capability.kind == needs.kind and set(needs.tools) <= set(capability.tools)
        for capability in capabilities
    )
