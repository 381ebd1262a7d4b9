"""One line at the foot of a terminal that says what is being done; other words go above it."""

from __future__ import annotations

import shutil
import sys
from typing import TextIO

from desktop.commands.printing import cells_of
from desktop.commands.probe_bar import duration
from shared.plain_text import plain_line


class StatusLine:
    """Drawn on a terminal; elsewhere each new stage is a line; nothing at all when quiet."""

    def __init__(self, stream: TextIO | None = None, *, is_quiet: bool = False) -> None:
        self._stream = stream or sys.stdout
        self._is_quiet = is_quiet
        self._is_terminal = self._stream.isatty()
        self._drawn = 0
        """Cells of the line that stands there now."""
        self._drawn_text = ""
        self._told = ""

    def show(self, stage: str, seconds: float) -> None:
        """Say what is being done, and for how long all of it has taken."""
        told = plain_line(stage)
        if self._is_quiet or not told:
            return
        if self._is_terminal:
            self._draw(f"{told} · {duration(seconds)}")
        elif told != self._told:
            self._write(f"{told}\n")
        self._told = told

    def above(self, text: str) -> None:
        """Write a line that stays."""
        if not self._is_quiet:
            self.clear()
            self._write(f"{plain_line(text)}\n")

    def clear(self) -> None:
        """Make room for other words."""
        if self._drawn:
            self._write("\r" + " " * self._drawn + "\r")
            self._drawn = 0

    def _draw(self, text: str) -> None:
        # The last cell stays free: some terminals begin a new line there.
        room = shutil.get_terminal_size().columns - 1
        while cells_of(text) > room:
            text = f"{text[:-2]}…"
        cells = cells_of(text)
        if text == self._drawn_text and self._drawn:
            return
        self._drawn_text = text
        self._write(f"\r{text}{' ' * max(0, self._drawn - cells)}")
        self._drawn = cells

    def _write(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()
