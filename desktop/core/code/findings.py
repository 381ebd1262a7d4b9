"""What a review found, read from what the agent wrote and held against the real files.

The agent writes JSON into an agreed file, or as the last fenced block of its answer. A finding that
names no file of the repository, or a line that the file does not have, is left out and counted.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from pydantic import ValidationError

from shared.kinds.code import FINDINGS_MAX, Finding
from shared.plain_text import plain, plain_line

FINDINGS_FILE: Final = "findings.json"
"""In the session's home folder, outside of the clone: a review changes nothing."""
TEXT_CHARS_MAX = 500_000
SHAPE = (
    '[{"file": "path/in/the/repository.py", "line": 12, "severity": "high|medium|low|note", '
    '"message": "What is wrong, and when it shows.", "suggestion": "What to do."}]'
)
_FENCE = re.compile(r"^```[a-z]{0,10}[ \t]*$", re.MULTILINE)
_SEVERITIES = {
    "critical": "high",
    "error": "high",
    "major": "high",
    "warning": "medium",
    "minor": "low",
    "info": "note",
    "nit": "note",
}
SEVERITY_ORDER = ("high", "medium", "low", "note")

LineCount = Callable[[str], int | None]
"""How many lines a file of the repository has; None when there is no such file."""


@dataclass(frozen=True, slots=True)
class Found:
    findings: tuple[Finding, ...] = ()
    """The worst first."""
    faults: tuple[str, ...] = ()
    """What could not be used, in the agent's words about the agent's words."""
    is_told: bool = False
    """Whether there was a list at all; an empty one says that nothing was found."""


def read_findings(text: str, line_count: LineCount) -> Found:
    """Read a list of findings from a file's text, or from an answer with a fenced block."""
    items = _items(text[:TEXT_CHARS_MAX])
    if items is None:
        return Found(faults=(f"there is no JSON list of the form {SHAPE}",))
    good: list[Finding] = []
    faults: list[str] = []
    for number, item in enumerate(items, 1):
        told = _finding(item, line_count)
        if isinstance(told, str):
            faults.append(f"finding {number}: {told}")
        elif len(good) < FINDINGS_MAX:
            good.append(told)
    good.sort(key=lambda one: SEVERITY_ORDER.index(one.severity))
    return Found(tuple(good), tuple(faults[:FINDINGS_MAX]), is_told=True)


def _items(text: str) -> list[object] | None:
    for part in (text, *reversed(_fenced(text))):
        try:
            told = json.loads(part)
        except (ValueError, RecursionError):
            continue
        if isinstance(told, dict):
            told = told.get("findings")
        if isinstance(told, list):
            return told
    return None


def _fenced(text: str) -> list[str]:
    pieces = _FENCE.split(text)
    return pieces[1::2]


def _finding(item: object, line_count: LineCount) -> Finding | str:
    if not isinstance(item, dict):
        return "it is no object"
    file = item.get("file")
    if not isinstance(file, str) or not item.get("message"):
        return 'it needs "file" and "message"'
    path = file.removeprefix("./")
    lines = line_count(path)
    if lines is None:
        return f"there is no file {plain_line(path)[:200]!r} in the repository"
    line = item.get("line")
    if line is not None and (type(line) is not int or not 1 <= line <= max(1, lines)):
        return (
            f"{plain_line(path)[:200]} has {lines} lines, not a line {plain_line(str(line))[:20]}"
        )
    severity = str(item.get("severity", "medium")).casefold()
    try:
        return Finding.model_validate(
            {
                "file": plain_line(path)[:500],
                "line": line,
                "severity": _SEVERITIES.get(severity, severity),
                "message": plain(str(item["message"]))[:2000],
                "suggestion": plain(str(item.get("suggestion") or ""))[:2000],
            }
        )
    except ValidationError:
        return 'its "severity" is none of high, medium, low, note'
