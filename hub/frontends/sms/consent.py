"""Who wants no messages: whoever writes STOP, until they write START.

The words are those of the carriers (CTIA Messaging Principles, 5.1.3); they count as the whole
message alone. Kept in a file of the frontend's own, so that a restart forgets nobody.
"""

from __future__ import annotations

from pathlib import Path

STOP = frozenset(
    {"stop", "stopall", "unsubscribe", "cancel", "end", "quit", "optout", "opt out", "revoke"}
)
START = frozenset({"start", "unstop", "yes"})
FILE = "stopped.txt"


class Consent:
    """One line for each number that said STOP."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / FILE
        self._stopped: set[str] | None = None

    def stopped(self, number: str) -> bool:
        """Whether nothing may be sent there."""
        return number in self._known()

    def heard(self, number: str, text: str) -> str:
        """Take note of a word about this: "stop", "start", or nothing when it was none."""
        word, stopped = " ".join(text.casefold().split()).rstrip("."), self._known()
        if word in STOP:
            self._keep(stopped | {number})
            return "stop"
        if word in START and number in stopped:
            self._keep(stopped - {number})
            return "start"
        return ""

    def _known(self) -> set[str]:
        if self._stopped is None:
            told = self._file.read_text() if self._file.exists() else ""
            self._stopped = set(told.split())
        return self._stopped

    def _keep(self, stopped: set[str]) -> None:
        self._file.parent.mkdir(parents=True, exist_ok=True)
        fresh = self._file.with_suffix(".new")
        fresh.write_text("".join(f"{number}\n" for number in sorted(stopped)))
        fresh.replace(self._file)
        self._stopped = stopped
