"""How far a task is, in its job's own folder: a stopped plan goes on from there.

Written whole after each step of its life, so that a kill between any two lines leaves either what
was before or what is now.
"""

from __future__ import annotations

import os
from enum import StrEnum
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from desktop.core.plan.ledger import Ledger
from shared.kinds.llm import UsageFacts
from shared.plan import Clarify, Plan

FILE_NAME = "plan.json"
LATEST_NAMES = ("plan-0.json", "plan-1.json")
VERSION = 1
BYTES_MAX = 64 * 1024**2
"""Outputs of steps are among it."""


class Stage(StrEnum):
    """How far a task is; what stands above it is not done again."""

    PLANNING = "planning"
    """The model is asked, and then the person, until a plan is approved."""
    RUNNING = "running"
    COMPOSING = "composing"
    """No further step begins."""
    REJECTED = "rejected"


class Said(BaseModel):
    """A question that was put before planning, and its answer."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    question: str
    answer: str


class Line(BaseModel):
    """One message of a conversation with the model."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    role: Literal["system", "user", "assistant"]
    text: str


class Change(BaseModel):
    """A plan that the person wanted otherwise."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    plan: Plan
    wish: str


class Page(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    url: str
    title: str = ""


class Brought(BaseModel):
    """What a step that is done brought beside its outputs, for sources and artifacts."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    files: tuple[str, ...] = ()
    """Names of what its job wrote."""
    sources: tuple[Page, ...] = ()
    """Pages that it read."""


class Clock(BaseModel):
    """Seconds of work; what people took to answer is not counted."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    own: float = Field(default=0.0, ge=0)
    """Planning, judging and composing."""
    beside: float = Field(default=0.0, ge=0)
    """While steps ran, as the clock on the wall went."""
    steps: float = Field(default=0.0, ge=0)
    """What the steps' jobs say that they took, one after the other."""

    @property
    def seconds(self) -> float:
        """How long the task was worked at: a step that waits for its person works at nothing."""
        return self.own + min(self.beside, self.steps)


class State(BaseModel):
    """Frozen: a change is another State."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    version: int = VERSION
    changes_made: int = 0
    """Which of two files is the later one."""
    stage: Stage = Stage.PLANNING
    is_local: bool = False
    """No model elsewhere may be used, as it was asked for or said later."""
    model: str = ""
    """The one that plans, by its full name; empty before it was chosen."""
    today: str = ""
    """The day on which it began, so that a later attempt says the same to the model."""
    files: tuple[str, ...] | None = None
    """Names that the model is told; None before anybody looked."""
    lines: tuple[Line, ...] = ()
    """The conversation that a plan is waited for in: said word for word by a later attempt, too,
    so that the reply that is there is found. Empty when no plan is waited for."""
    tries: int = 0
    """Replies in it that were no plan."""
    clarify: Clarify | None = None
    """What the model wants to know, until all of it was answered."""
    said: tuple[Said, ...] = ()
    """What was answered to that; with it no second time is asked."""
    plan: Plan | None = None
    """The one that waits for its person, before the first and before each later approval."""
    why: str = ""
    """Why the rest is planned anew; empty while the first plan is made."""
    changes: tuple[Change, ...] = ()
    """Those that led to the plan that waits."""
    rounds: int = 0
    """Plans that the person was asked about."""
    raises: int = 0
    """How often the person gave more of everything."""
    ledger: Ledger | None = None
    brought: dict[str, Brought] = Field(default_factory=dict)
    """By the step's id."""
    usage: UsageFacts = UsageFacts()
    """Of the steps, as their jobs tell it."""
    is_partial: bool = False
    ending: str = ""
    """Why it ended before all was done."""
    clock: Clock = Clock()


class StateFile:
    """The one state of a task, on the disk as it is here.

    Two files take turns, so a killed process leaves the one that it did not write. What a power
    cut must not take (an approved plan: its numbers are those of jobs) is synced, and stands in a
    file of its own that what comes later cannot harm; all else is found again by the jobs that were
    made, and by the replies that are kept.
    """

    def __init__(self, folder: Path, first: State) -> None:
        """Take up what an earlier attempt left, or begin with `first`."""
        self._kept = folder / FILE_NAME
        self._latest = [folder / name for name in LATEST_NAMES]
        known = [state for state in map(_read, (self._kept, *self._latest)) if state]
        self.now = max([first, *known], key=lambda state: state.changes_made)

    def put(self, *, is_lasting: bool = False, **changes: object) -> State:
        """Change it, and return when that is on the disk."""
        if is_lasting or any(getattr(self.now, name) != new for name, new in changes.items()):
            changes["changes_made"] = self.now.changes_made + 1
            self.now = self.now.model_copy(update=changes)
            self._write(is_lasting=is_lasting)
        return self.now

    def note(self, **changes: object) -> None:
        """Change what may be lost with the process; the next `put` has it on the disk."""
        self.now = self.now.model_copy(update=changes)

    @property
    def ledger(self) -> Ledger:
        assert self.now.ledger is not None, "no plan was approved yet"
        return self.now.ledger

    def _write(self, *, is_lasting: bool) -> None:
        text = self.now.model_dump_json()
        if not is_lasting:
            self._latest[self.now.changes_made % 2].write_text(text, encoding="utf-8")
            return
        fresh = self._kept.with_suffix(".new")
        with fresh.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(self._kept)


def _read(path: Path) -> State | None:
    """Read what an earlier attempt left; what is of another version, or broken, is nothing."""
    try:
        if path.stat().st_size > BYTES_MAX:
            return None
        state = State.model_validate_json(path.read_bytes())
    except (OSError, ValidationError):
        return None
    return state if state.version == VERSION else None
