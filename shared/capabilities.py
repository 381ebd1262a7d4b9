"""What a worker can do, what a job needs, and whether the two fit."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from shared.ids import WorkerId
from shared.jobs import Origin

CAPABILITIES_MAX = 64
COMMAND_CHARS_MAX = 100


class Capability(BaseModel):
    """A kind a worker can run."""

    # A hub must take in what a newer worker says of itself, before any version is agreed upon.
    model_config = ConfigDict(frozen=True, extra="ignore")

    kind: str = Field(max_length=100)
    version: int = Field(default=1, ge=1)
    tools: tuple[str, ...] = Field(default=(), max_length=32)
    """Programs or libraries the kind can use here: "git", "ruff", "cuda"."""
    specializations: tuple[str, ...] = Field(default=(), max_length=32)
    """What it is especially good for: "python", "german"."""
    jobs_max: int | None = Field(
        default=None, ge=0, le=1000, exclude_if=lambda jobs_max: jobs_max is None
    )
    """How many jobs the worker runs at once of this kind's family, counting those of its kinds
    that say so, too; None: as many as it has slots."""
    unasked: tuple[Origin, ...] = Field(
        default=(), max_length=len(Origin), exclude_if=lambda unasked: not unasked
    )
    """From where a job of this kind may come that is granted without an offer, while the worker
    has a slot for it: its owner's rules allow that, and a second run would harm nothing. The
    worker may still give such a grant back (`Decline`). Whoever fetches work need not say it."""


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
    """Names of tools, or of specializations."""
    worker_id: WorkerId | None = None
    """Only this worker: its files are there, a session lives there, or a person said so."""


def fits(worker_id: WorkerId, capabilities: tuple[Capability, ...], needs: Needs) -> bool:
    """Say whether a worker can run a job, slots not considered."""
    if needs.worker_id not in (None, worker_id):
        return False
    return any(
        capability.kind == needs.kind and not lacks(capability, needs.tools)
        for capability in capabilities
    )


def lacks(capability: Capability, wanted: tuple[str, ...]) -> tuple[str, ...]:
    """Return which of the wanted tools and specializations a worker does not have for a kind."""
    if not wanted:
        return ()
    had = {*capability.tools, *capability.specializations}
    return tuple(word for word in wanted if word not in had)


def family_of(kind: str) -> str:
    """Return what kinds of one sort have in common: "code" of "code.review"."""
    return kind.partition(".")[0]
