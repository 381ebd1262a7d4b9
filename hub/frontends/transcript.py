"""Views on a terminal or in a pipe: who says what, progress in place, choices as numbered lines.

On a terminal a message is rewritten in place while it is the last one on the screen. In a pipe
nothing is ever rewritten, and of a job's progress only what changed is written.
"""

from __future__ import annotations

import os
import shutil
import textwrap
from collections.abc import Mapping
from typing import TextIO

from hub.core.view import Tone, View
from shared.ids import short
from shared.plain_text import plain, plain_line

HUB = "hub"
YOU = "you"
ARROW = "▸"
WIDTH_MAX = 100
WIDTH_MIN = 40
PIPE_PROGRESS_STEP = 0.25
"""In a pipe, how far a bar moves before it is worth another line."""

COLOURS: Mapping[Tone, str] = {
    Tone.PLAIN: "",
    Tone.WAITING: "33",
    Tone.RUNNING: "36",
    Tone.ASKING: "35",
    Tone.DONE: "32",
    Tone.FAILED: "31",
}
FAINT = "2"


def is_colourful(stream: TextIO) -> bool:
    """Colours on a terminal only, and not where they are unwanted (no-color.org)."""
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return False
    return stream.isatty()


class Transcript:
    """Writes a conversation to a stream."""

    def __init__(self, stream: TextIO, *, who_width: int = 3) -> None:
        self._stream = stream
        self._is_live = stream.isatty() and os.environ.get("TERM") != "dumb"
        self._colours = is_colourful(stream)
        self._who_width = who_width
        self._last_ref = ""
        self._last_lines = 0
        self._has_just_spoken = False
        self._progress: dict[str, tuple[str, float]] = {}
        """In a pipe: stage and share written last, by ref."""

    def say(self, who: str, text: str, *, colour: str = "") -> None:
        """Write what somebody said."""
        self._write(["", *self._block(who, text, colour)])
        self.spoken()

    def note(self, text: str) -> None:
        """Write a line of the terminal's own."""
        indented = f"{' ' * (self._who_width + 3)}{plain(text)}" if text else ""
        self._write([self._tinted(indented, FAINT)])
        self._last_ref = ""

    def show(self, ref: str, view: View, who: str = HUB) -> None:
        """Write a view; in place of its earlier version where that can be."""
        if self._is_echo(view) or not (self._is_live or self._is_news(ref, view)):
            return
        if self._is_live and _is_settled_badly(view):
            # The last word says it all; the line of its progress has nothing to add.
            self._take_back(ref)
            return
        self._has_just_spoken = False
        lines = self._block(who, view.text, COLOURS[view.tone])
        lines = self._with_stop(lines + self._choices(view), view)
        if self._is_live:
            self._take_back(ref)
        self._write(lines)
        self._last_ref = ref

    def _take_back(self, ref: str) -> None:
        """Remove a message from the screen while it is the last one there."""
        if ref == self._last_ref and self._last_lines:
            self._stream.write(f"\x1b[{self._last_lines}A\x1b[J")
            self._stream.flush()
            self._last_lines = 0

    def clear_line(self) -> None:
        """Make room where a prompt stands."""
        self.put("\r\x1b[K")

    def put(self, text: str) -> None:
        """Write as it is, without an end of line: a prompt."""
        self._stream.write(text)
        self._stream.flush()

    def spoken(self) -> None:
        """The person said something on this terminal: what stands above stays as it is."""
        self._last_ref = ""
        self._has_just_spoken = True

    def _is_echo(self, view: View) -> bool:
        """Whether it only repeats the answer that was just given here."""
        is_answered = view.subject.startswith("question:") and view.tone is Tone.DONE
        return is_answered and self._has_just_spoken

    def _is_news(self, ref: str, view: View) -> bool:
        """Whether a pipe should have it: not the settled line beside a bad end, nor each step."""
        if _is_settled_badly(view):
            return False
        progress = view.progress
        if progress is None:
            self._progress.pop(ref, None)
            return True
        share = progress.done / progress.total if progress.total else 0.0
        stage, written = self._progress.get(ref, ("", -1.0))
        if stage == progress.stage and share < written + PIPE_PROGRESS_STEP:
            return False
        self._progress[ref] = (progress.stage, share)
        return True

    def _choices(self, view: View) -> list[str]:
        if not is_choosable(view):
            return []
        indent = " " * (self._who_width + 3)
        digits = len(str(len(view.buttons)))
        return [
            f"{indent}{number:>{digits}}. {plain_line(button.label)}"
            for number, button in enumerate(view.buttons, start=1)
        ]

    def _with_stop(self, lines: list[str], view: View) -> list[str]:
        """Add how to stop a job, behind a line that has room for it."""
        is_stoppable = any(button.says.startswith("/cancel") for button in view.buttons)
        if not (self._is_live and view.is_status and view.job_id and is_stoppable):
            return lines
        hint = f"/cancel {short(view.job_id)} stops it"
        taken = self._who_width + 3 + len(view.text)
        if len(lines) == 1 and taken + len(hint) + 3 <= _width():
            return [f"{lines[0]}   {self._tinted(hint, FAINT)}"]
        return [*lines, self._tinted(f"{' ' * (self._who_width + 3)}{hint}", FAINT)]

    def _block(self, who: str, text: str, colour: str) -> list[str]:
        """A label, then the text, its later lines under its first."""
        width = _width()
        indent = " " * (self._who_width + 3)
        wrapped: list[str] = []
        # What others said must show, not steer the terminal: file names, questions, log lines.
        for line in plain(text).splitlines() or [""]:
            hang = " " * (len(line) - len(line.lstrip()))
            wrapped += textwrap.wrap(
                line,
                width - len(indent),
                subsequent_indent=hang,
                break_long_words=False,
                break_on_hyphens=False,
            ) or [""]
        label = self._tinted(f"{who:>{self._who_width}} {ARROW}", colour)
        return [f"{label} {wrapped[0]}", *(f"{indent}{line}" for line in wrapped[1:])]

    def _tinted(self, text: str, colour: str) -> str:
        return f"\x1b[{colour}m{text}\x1b[0m" if self._colours and colour else text

    def _write(self, lines: list[str]) -> None:
        self._stream.write("".join(f"{line}\n" for line in lines))
        self._stream.flush()
        self._last_lines = len(lines)


def _width() -> int:
    return min(WIDTH_MAX, max(WIDTH_MIN, shutil.get_terminal_size().columns - 1))


def _is_settled_badly(view: View) -> bool:
    """Whether it is the line of a job's progress beside its failure, or its cancelling."""
    return view.is_status and view.tone in (Tone.FAILED, Tone.PLAIN)


def is_choosable(view: View) -> bool:
    """Whether a view's buttons are shown as numbered lines: all but a status message's."""
    return bool(view.buttons) and not view.is_status
