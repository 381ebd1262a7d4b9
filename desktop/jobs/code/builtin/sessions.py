"""Sessions of the built-in agent, kept as files in its home: one message a line.

A line is written as soon as a message is there, so a killed agent has lost at most the reply it
waited for. A line that was not written to its end is left out.
"""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass
from pathlib import Path

from desktop.core.code.turn import message_json, message_of
from desktop.core.llm.message import Message, ToolCall

FOLDER = ".deskhand-agent"
_ID = re.compile(r"[0-9a-f]{32}")


class NoSession(Exception):
    """There is no such session."""


@dataclass(slots=True)
class Session:
    """One conversation; `messages` are never changed, only added."""

    id: str
    folder: Path
    file: Path
    messages: list[Message]

    def keep(self, message: Message) -> None:
        """Add a message, on the disk first."""
        line = json.dumps(message_json(message))
        with self.file.open("a", encoding="ascii") as file:
            file.write(line + "\n")
        self.messages.append(message)

    @property
    def open_calls(self) -> tuple[ToolCall, ...]:
        """Calls of the last reply that have no result: the work was interrupted there."""
        last = next(
            (n for n in range(len(self.messages) - 1, -1, -1) if self.messages[n].calls), None
        )
        if last is None:
            return ()
        done = {message.call_id for message in self.messages[last + 1 :]}
        return tuple(call for call in self.messages[last].calls if call.id not in done)


class Sessions:
    """All sessions in one home."""

    def __init__(self, home: Path) -> None:
        self._place = home / FOLDER

    def new(self, folder: Path) -> Session:
        """Begin a session."""
        self._place.mkdir(parents=True, exist_ok=True, mode=0o700)
        number = os.urandom(16).hex()
        file = self._place / f"{number}.jsonl"
        file.touch(mode=0o600)
        return Session(number, folder, file, [])

    def find(self, number: str, folder: Path) -> Session:
        """Read a session.

        Raises:
            NoSession: it is not there.
        """
        file = self._place / f"{number}.jsonl"
        if not _ID.fullmatch(number) or not file.is_file():
            raise NoSession(f"There is no session {number[:40]!r} here.")
        raw = file.read_bytes()
        whole = raw[: raw.rfind(b"\n") + 1]
        if whole != raw:
            # The next line must not be glued to half of one.
            os.truncate(file, len(whole))
        return Session(
            number, folder, file, [message for message in map(_read, whole.splitlines()) if message]
        )


def _read(line: bytes) -> Message | None:
    try:
        return message_of(json.loads(line))
    except (ValueError, RecursionError):
        return None
