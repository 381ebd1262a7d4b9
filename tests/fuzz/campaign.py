"""Plays rounds until so many frames were tried, and keeps what found something."""

from __future__ import annotations

import base64
import gc
import json
import time
import traceback
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from tests.fuzz import hub_target, readers, rest_target, worker_target
from tests.fuzz.targets import Round, Target, Trouble

CORPUS = Path(__file__).resolve().parent / "corpus"
SHRINK_SECONDS_MAX = 60.0
"""What may be spent on making a round smaller."""
GROWTH_BYTES_MAX = 64 * 1024 * 1024
TARGETS: dict[str, tuple[Target, int, int]] = {
    "decoding": (readers.decoding, 500, 4),
    "hub_end": (readers.hub_end, 500, 3),
    "worker_end": (readers.worker_end, 500, 3),
    "copied": (readers.copied, 500, 4),
    "hub": (hub_target.besieged, 100, 3),
    "worker": (worker_target.baited, 100, 2),
    "rest": (rest_target.asked, 200, 1),
}
"""By name: what it is, how many frames a round has, and its share of all frames."""


@dataclass
class Campaign:
    tried: int = 0
    refused: int = 0
    found: Counter[str] = field(default_factory=Counter)
    """Troubles by kind: crash, lost, doubled, stuck, grown."""
    told: list[str] = field(default_factory=list)

    @property
    def line(self) -> str:
        lost, doubled, stuck = (self.found[kind] for kind in ("lost", "doubled", "stuck"))
        return (
            f"fuzz  tried {self.tried} frames  faults {self.refused}"
            f"  lost {lost}  doubled {doubled}  stuck {stuck}"
        )

    def run(self, frames: int, seed: int, names: tuple[str, ...] = tuple(TARGETS)) -> None:
        """Play rounds of the targets in their shares; each has a seed of its own."""
        total = sum(TARGETS[name][2] for name in names)
        for name in names:
            # What is loaded once is no growth.
            self.play(Round(name, seed), 30)
        gc.collect()
        before = psutil.Process().memory_info().rss
        for name in names:
            _, size, share = TARGETS[name]
            left, number = frames * share // total, 0
            while left > 0 and not self.told:
                self.play(Round(name, seed * 100_000 + number), min(size, left))
                left -= size
                number += 1
        gc.collect()
        grown = psutil.Process().memory_info().rss - before
        if grown > GROWTH_BYTES_MAX:
            self.found["grown"] += 1
            self.told.append(f"the memory has grown by {grown // 2**20} MiB")

    def play(self, played: Round, count: int) -> None:
        target = TARGETS[played.target][0]
        try:
            target(played, count)
        except Exception as error:
            trouble = _innermost(error)
            self.found[trouble.kind if isinstance(trouble, Trouble) else "crash"] += 1
            self.told.append("".join(traceback.format_exception(error)) + replay(played, count))
            keep(smallest(played) if played.given is None else played)
        self.tried += len(played.frames)
        self.refused += played.refused


def replay(played: Round, count: int) -> str:
    return (
        f"replay: python -m tests.fuzz --target {played.target} --round {played.seed}"
        f" --frames {count}\nkept: {path_of(played)}"
    )


def path_of(played: Round) -> Path:
    return CORPUS / f"{played.target}-{played.seed}.json"


def smallest(played: Round) -> Round:
    """Leave out what the trouble does not need, in halves, quarters and so on."""
    frames = played.frames
    size, ends = len(frames) // 2, time.monotonic() + SHRINK_SECONDS_MAX
    while size and time.monotonic() < ends:
        for start in range(0, len(frames), size):
            fewer = Round(played.target, played.seed, given=frames[:start] + frames[start + size :])
            if _is_trouble(fewer):
                frames = fewer.frames
                break
        else:
            size //= 2
    return Round(played.target, played.seed, frames, pool=played.pool)


def _is_trouble(played: Round) -> bool:
    try:
        TARGETS[played.target][0](played, 0)
    except Exception:
        return True
    return False


def keep(played: Round) -> None:
    """Write a round down, so that it is played again whatever becomes of the seeds."""
    said = [played.kept(f) if isinstance(f, str) else _packed(f) for f in played.frames]
    CORPUS.mkdir(exist_ok=True)
    told = {"target": played.target, "seed": played.seed, "frames": said}
    path_of(played).write_text(json.dumps(told, indent=0) + "\n")


def kept(path: Path) -> Round:
    told = json.loads(path.read_text())
    frames = [f if isinstance(f, str) else base64.b64decode(f["base64"]) for f in told["frames"]]
    return Round(told["target"], told["seed"], given=frames)


def _packed(frame: bytes) -> dict[str, str]:
    return {"base64": base64.b64encode(frame).decode()}


def _innermost(error: BaseException) -> BaseException:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
