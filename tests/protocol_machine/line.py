"""A connection on paper: two ends, what is under way between them, and what can go wrong."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from hub.core.job import Job
from shared.ids import WorkerId
from shared.protocol import HubEnd, WorkerEnd
from tests.makers import NOON


@dataclass
class Clock:
    """Time as everybody measures it, and the wall clock, which may jump."""

    seconds: float = 1000.0
    wall: datetime = NOON

    def advance(self, seconds: float) -> None:
        self.seconds += seconds
        self.wall += timedelta(seconds=seconds)


@dataclass
class Transaction:
    """What a store is about to commit, and what follows once it has."""

    run: Callable[[], object]
    then: Callable[[], None] = lambda: None
    changed: list[Job] = field(default_factory=list)
    """Jobs as it leaves them."""


@dataclass(eq=False)
class Line:
    """One connection of a worker. Frames arrive in order, or not at all."""

    device: WorkerId
    worker: WorkerEnd
    hub: HubEnd
    up: deque[str] = field(default_factory=deque)
    down: deque[str] = field(default_factory=deque)
    loses_up: bool = False
    """Whether everything the worker says from now on is lost."""
    loses_down: bool = False
    ended_by_worker: bool = False
    """The worker has left: what it sent before may still arrive."""
    ended_by_hub: bool = False
    is_welcoming: bool = False
    """The hub has the hello and reads nothing before its welcome."""

    def carry(self) -> None:
        """Take what the ends want sent."""
        for frame in self.worker.frames_to_send():
            if not self.loses_up:
                self.up.append(frame)
        for frame in self.hub.frames_to_send():
            if not self.loses_down:
                self.down.append(frame)

    def cut(self) -> None:
        """Lose what is under way, both ways, and all that comes."""
        self.up.clear()
        self.down.clear()
        self.loses_up = self.loses_down = True
