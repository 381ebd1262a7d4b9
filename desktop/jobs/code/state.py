"""What a job has done so far, in its own folder: a stopped job goes on from there.

Written whole and put in place at once after each stage, so that a kill between any two lines
leaves either what was before or what is now. Deeds that others see (push, pull request) are looked
up at the other side before they are done again; this file only spares the way.
"""

from __future__ import annotations

import os
from enum import StrEnum
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from desktop.core.code.budget import Spent
from shared.kinds import JsonObject
from shared.kinds.code import Finding, SuiteFacts

FILE_NAME = "state.json"
VERSION = 1
BYTES_MAX = 4 * 1024**2
SAID_MAX = 200


class Stage(StrEnum):
    """How far a job is; what stands below it is not done again."""

    BEGUN = "begun"
    """Nothing but questions has happened."""
    CLONED = "cloned"
    WORKED = "worked"
    """A change, or a review, was accepted and is kept."""
    DECIDED = "decided"
    """A person, or the level, has said what becomes of it."""
    DELIVERED = "delivered"

    @property
    def rank(self) -> int:
        return list(Stage).index(self)


class Said(BaseModel):
    """A question and what was answered."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    key: str
    question: str
    answer: str
    is_approval: bool = False
    is_default: bool = False
    """Nobody answered in time."""


class State(BaseModel):
    """Frozen: a change is another State."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    version: int = VERSION
    stage: Stage = Stage.BEGUN
    clone: str = ""
    """Name of the clone's folder; see `clone_folders`."""
    base: str = ""
    base_commit: str = ""
    tip: str = ""
    """The commit that the job's own goes on from."""
    is_follow_up: bool = False
    """Whether it works on in the clone of an earlier job of its session."""
    branch: str = ""
    agent_session: str = ""
    is_session_lost: bool = False
    """The agent cannot go on with its sessions, this job's or an earlier one's."""
    agent_version: str = ""
    next_prompt: str = ""
    """What the agent is to be told next; empty when the first prompt is."""
    is_prompted: bool = False
    """Whether the agent was told that already: it may have gone some way."""
    is_told: bool = False
    """Whether the agent was ever told what it is to do."""
    rounds: int = 0
    """Turns that ended and were judged."""
    wishes: int = 0
    """How often the person asked for changes."""
    said: tuple[Said, ...] = ()
    pending: tuple[JsonObject, ...] = ()
    """Questions that were put and not answered yet, as `Asking`s."""
    spent: Spent = Spent()
    test_command: str | None = None
    """None until it was looked for; empty when there is none."""
    before: SuiteFacts | None = None
    after: SuiteFacts | None = None
    after_of: str = ""
    """The commit that `after` was run on."""
    moment: int = 0
    """Seconds since the epoch: of the commit, so that one that is made again is the same."""
    commit: str = ""
    findings: tuple[Finding, ...] = ()
    notes: tuple[str, ...] = ()
    summary: str = ""
    """What the agent said last."""
    decision: str = ""
    is_pushed: bool = False
    url: str = ""

    def has(self, stage: Stage) -> bool:
        """Say whether a stage is behind it."""
        return self.stage.rank >= stage.rank


class StateFile:
    """The one state of a job, on the disk as it is here."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE_NAME
        self.now = _read(self._path)

    def put(self, **changes: object) -> State:
        """Change it, and return when that is on the disk."""
        checked = State.model_validate({**self.now.model_dump(), **changes})
        if checked != self.now:
            self._write(checked)
            self.now = checked
        return checked

    def heard(self, said: Said) -> None:
        """Remember an answer; the same question's new answer takes the old one's place."""
        others = [one for one in self.now.said if one.key != said.key]
        pending = [one for one in self.now.pending if one.get("key") != said.key]
        self.put(said=tuple([*others, said][-SAID_MAX:]), pending=tuple(pending))

    def _write(self, state: State) -> None:
        fresh = self._path.with_suffix(".new")
        with fresh.open("w", encoding="utf-8") as file:
            file.write(state.model_dump_json())
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(self._path)


def _read(path: Path) -> State:
    """Read what an earlier attempt left; what is of another version, or broken, is nothing."""
    try:
        if path.stat().st_size > BYTES_MAX:
            return State()
        state = State.model_validate_json(path.read_bytes())
    except (OSError, ValidationError):
        return State()
    return state if state.version == VERSION else State()
