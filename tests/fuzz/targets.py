"""What a target is, and what a round found."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

PATIENCE_SECONDS = 20.0
ID_CHARS_MIN = 20
_MEMORY = Path("/dev/shm")


def in_memory() -> Path | None:
    """A folder whose files cost no disk, where there is one: durability is another rung's."""
    return _MEMORY if _MEMORY.is_dir() else None


class Trouble(AssertionError):
    """A target did what it must never do. `kind` is lost, doubled, stuck or crash."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


@dataclass
class Round:
    """One round: what is said to a target, in order, and what was refused."""

    target: str
    seed: int
    frames: list[str | bytes] = field(default_factory=list)
    given: list[str | bytes] | None = None
    """Frames to say again; None: they are made from the seed."""
    pool: tuple[str, ...] = ()
    """Ids it speaks of. A kept frame names them by their place, for they are others next time."""
    refused: int = 0
    random: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self.random = random.Random(f"{self.target} {self.seed}")

    def kept(self, frame: str) -> str:
        for place, known in enumerate(self.pool):
            frame = frame.replace(known, f"<{place}>") if len(known) > ID_CHARS_MIN else frame
        return frame

    def said_again(self, frame: str | bytes) -> str | bytes:
        if isinstance(frame, str):
            for place, known in enumerate(self.pool):
                frame = frame.replace(f"<{place}>", known)
        return frame

    def note(self, frame: str | bytes) -> str | bytes:
        self.frames.append(frame)
        return frame


class Target(Protocol):
    """Something that reads what others wrote."""

    def __call__(self, played: Round, count: int) -> None:
        """Say `count` frames; raises Trouble, or whatever the product raised and must not."""
