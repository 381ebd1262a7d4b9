"""How far a run is, in one line: drawn over itself on a terminal, now and then where none is.

[#########-----------]  92 of 200 · 46 % · 4 failed (RATE_LIMIT 3, TIMEOUT 1) · $0.12 · 40 s left
"""

from __future__ import annotations

import shutil
import sys
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TextIO

from desktop.commands.printing import cells_of
from shared.money import dollars
from shared.plain_text import plain_line

BAR_CELLS = 20
BAR_CELLS_MIN = 8
"""A narrower bar tells less than the number that takes its place."""
SHOWN_FAULTS = 3
PLAIN_SECONDS = 10.0
"""Without a terminal a line is written this often, and at each tenth of the way."""
RATE_SECONDS = 20.0
"""The pace of the last seconds counts: limits come and go."""
RATE_SECONDS_MIN = 2.0
"""Before that nobody can say how long the rest will take."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How far a run is."""

    done: int
    total: int
    failed: int = 0
    refused: int = 0
    faults: Mapping[str, int] = field(default_factory=dict)
    """Failed probes by class, the most frequent first."""
    cost_usd: float | None = None
    left_seconds: float | None = None
    """None while nobody can say."""
    note: str = ""
    """What else there is to say: that it stops, say."""

    @property
    def share(self) -> float:
        return min(1.0, self.done / self.total) if self.total else 0.0


class Pace:
    """Says from what was done lately how long the rest will take."""

    def __init__(self) -> None:
        self._seen: deque[tuple[float, int]] = deque()

    def left_seconds(self, done: int, total: int, now: float) -> float | None:
        """None while too little was seen to say. `now`: seconds on a clock that does not jump."""
        self._seen.append((now, done))
        while len(self._seen) > 2 and now - self._seen[1][0] > RATE_SECONDS:
            self._seen.popleft()
        began, before = self._seen[0]
        if now - began < RATE_SECONDS_MIN or done <= before or done >= total:
            return None
        return (total - done) * (now - began) / (done - before)


def line(standing: Standing, width: int | None = None) -> str:
    """Write it down, in at most `width` cells; what matters least gives way first."""
    parts = [f"{standing.done:,} of {standing.total:,}", f"{int(standing.share * 100)} %"]
    parts += [_failed(standing)] if standing.failed else []
    parts += [f"{standing.refused:,} refused"] if standing.refused else []
    parts += [dollars(standing.cost_usd)] if standing.cost_usd is not None else []
    parts += [f"{duration(standing.left_seconds)} left"] if standing.left_seconds else []
    parts += [standing.note] if standing.note else []
    told = " · ".join(plain_line(part) for part in parts)
    if width is None:
        return told
    room = width - cells_of(told) - 4
    if room >= BAR_CELLS_MIN:
        cells = min(BAR_CELLS, room)
        full = int(standing.share * cells)
        return f"[{'#' * full}{'-' * (cells - full)}]  {told}"
    return told if cells_of(told) <= width else told[: max(0, width - 1)] + "…"


def _failed(standing: Standing) -> str:
    named = [f"{name} {count:,}" for name, count in list(standing.faults.items())[:SHOWN_FAULTS]]
    if len(standing.faults) > SHOWN_FAULTS:
        named.append("…")
    return f"{standing.failed:,} failed" + (f" ({', '.join(named)})" if named else "")


def duration(seconds: float) -> str:
    """Write how long something takes: "40 s", "3 min", "2 h 5 min"."""
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


class Bar:
    """Draws it on a terminal, or writes lines where none is; nothing at all when quiet."""

    def __init__(self, stream: TextIO | None = None, *, is_quiet: bool = False) -> None:
        self._stream = stream or sys.stdout
        self._is_quiet = is_quiet
        self._is_terminal = self._stream.isatty()
        self._drawn = 0
        """Cells of the line that stands there now."""
        self._told = ""
        self._told_at = -PLAIN_SECONDS
        self._tenth = -1

    def show(self, standing: Standing) -> None:
        if self._is_quiet:
            return
        if self._is_terminal:
            # The last cell stays free: some terminals begin a new line there.
            self._draw(line(standing, shutil.get_terminal_size().columns - 1))
            return
        now, tenth = time.monotonic(), int(standing.share * 10)
        told = line(standing)
        if told != self._told and (tenth > self._tenth or now - self._told_at >= PLAIN_SECONDS):
            self._told, self._told_at, self._tenth = told, now, tenth
            print(told, file=self._stream, flush=True)

    def wait(self, words: str) -> None:
        """Say what is waited for before there is anything to count; on a terminal alone."""
        if self._is_terminal and not self._is_quiet:
            self._draw(words)

    def clear(self) -> None:
        """Make room for other words."""
        if self._drawn:
            print("\r" + " " * self._drawn + "\r", end="", file=self._stream, flush=True)
            self._drawn = 0

    def keep(self) -> None:
        """Leave what is drawn as it is; what follows stands below."""
        if self._drawn:
            print(file=self._stream, flush=True)
            self._drawn = 0

    def _draw(self, text: str) -> None:
        if text == self._told and self._drawn:
            return
        cells = cells_of(text)
        blank = " " * max(0, self._drawn - cells)
        print(f"\r{text}{blank}", end="", file=self._stream, flush=True)
        self._told, self._drawn = text, cells
