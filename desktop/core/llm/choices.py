"""Reads which of the offered labels a reply chooses: by fixed readers, from plain to wordy.

    JSON with a choice ▶ the label alone ▶ "A)" or "Option A" at the beginning ▶ "Answer: B" ▶ the
    same as the last line

What leaves it open ("A or B?", "neither") chooses nothing. Replies are anybody's text: only a
bounded part of them is looked at, and labels stand in patterns as they are written.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from functools import lru_cache

READ_CHARS_MAX = 4000
"""Of the beginning, and of the end, of a longer reply."""
CHOICE_FIELDS = ("choice", "answer", "option", "label", "decision", "selection")
PATTERNS_KEPT_MAX = 512

_MARKS = re.compile(r"^[#>\s]+|[*_`~]+|[“”„\"]")
_FENCE = re.compile(r"^\s*```[a-z]*\s*\n(.*?)\n\s*```\s*$", re.DOTALL | re.IGNORECASE)
_WORD = r"(?:option|choice|answer|alternative)"
_SAYS = (
    r"(?:(?:final|my|the|correct|best)\s+){0,3}(?:answer|choice|decision|pick|selection)"
    r"\s*(?:is|would\s+be|:|=|-|–|—)\s*:?\s*"
)
_CHOOSES = (
    r"\bi(?:\s+(?:would|will|do|must|have\s+to)|['’](?:d|ll))?\s+(?:choose|pick|select|go\s+with"
    r"|opt\s+for|recommend)\s+"
)


def read_choice(text: str, labels: Sequence[str]) -> str:
    """Return the label that a reply chooses; empty when none, or more than one, can be read.

    Args:
        text: the whole reply.
        labels: as the scenario offers them; told apart without regard to case.
    """
    known = {(_plain(label) or label).casefold(): label for label in labels if label.strip()}
    if not known:
        return ""
    told = _in_json(text)
    if isinstance(told, dict | list):
        return _field(told, known)
    patterns = _patterns(tuple(known))
    lines = [line for line in map(_plain, _shown(text).splitlines()) if line]
    if not lines:
        return ""
    said = "\n".join(lines)
    return (
        _whole(lines, known)
        or _one(_begins(lines[0], patterns), known)
        or _one(patterns.framed.findall(said), known)
        or _one(patterns.final.findall(said), known)
        or _one(patterns.declared.findall(said), known)
        or _one(_begins(lines[-1], patterns), known)
    )


class _Patterns:
    """What the labels of one scenario look like in a sentence."""

    def __init__(self, labels: tuple[str, ...]) -> None:
        # The longest first: "yes, always" is not "yes".
        ordered = sorted(labels, key=len, reverse=True)
        label = "(" + "|".join(re.escape(one) for one in ordered) + r")(?!\w)"
        bracketed = rf"[(\[]?\s*{label}\s*[)\]]?"
        flags = re.IGNORECASE
        self.first = re.compile(
            rf"^(?:{_WORD}\s+{bracketed}|[(\[]\s*{label}\s*[)\]]|{label}\s*(?:[).:;,]|[-–—](?!\w)|$))",
            flags,
        )
        self.declared = re.compile(
            rf"(?:{_SAYS}|{_CHOOSES})(?:{_WORD}\s+)?{bracketed}(?!\s*(?:,|or|and|/)\s*{label})",
            flags,
        )
        self.final = re.compile(rf"\bfinal\s+{_SAYS}(?:{_WORD}\s+)?{bracketed}", flags)
        self.framed = re.compile(
            rf"(?:\\boxed\{{|<(?:answer|choice)>)\s*{bracketed}\s*(?:\}}|</)", flags
        )
        self.listed = re.compile(rf"^{bracketed}\s*(?:,|/|\bor\b|\band\b|&)\s*{bracketed}", flags)


@lru_cache(PATTERNS_KEPT_MAX)
def _patterns(labels: tuple[str, ...]) -> _Patterns:
    return _Patterns(labels)


def _shown(text: str) -> str:
    if len(text) <= 2 * READ_CHARS_MAX:
        return text
    return f"{text[:READ_CHARS_MAX]}\n{text[-READ_CHARS_MAX:]}"


def _plain(line: str) -> str:
    return " ".join(_MARKS.sub("", line).split())


def _whole(lines: list[str], known: dict[str, str]) -> str:
    """The whole reply is a label, with or without a full stop."""
    if len(lines) > 1:
        return ""
    bare = lines[0].strip(" .!()[]{}:;'").casefold()
    return known.get(lines[0].casefold()) or known.get(bare, "")


def _begins(line: str, patterns: _Patterns) -> list[str]:
    if patterns.listed.match(line):
        return []
    found = patterns.first.match(line)
    return [group for group in found.groups() if group] if found else []


def _one(found: Iterable[str | tuple[str, ...]], known: dict[str, str]) -> str:
    """Return what all agree on."""
    chosen = {
        known[word.casefold()]
        for one in found
        for word in ((one,) if isinstance(one, str) else one[:1])
        if word
    }
    return chosen.pop() if len(chosen) == 1 else ""


def _in_json(text: str) -> object:
    """Return what a reply says that is JSON as a whole; None for any other."""
    if len(text) > READ_CHARS_MAX:
        return None
    fenced = _FENCE.match(text)
    told: object
    try:
        told = json.loads(fenced[1] if fenced else text)
    except (ValueError, RecursionError):
        return None
    return told


def _field(told: dict[str, object] | list[object], known: dict[str, str]) -> str:
    if isinstance(told, list):
        return ""
    by_name = {name.casefold(): part for name, part in told.items()}
    said = next((by_name[name] for name in CHOICE_FIELDS if name in by_name), None)
    return known.get(_plain(said).casefold(), "") if isinstance(said, str) else ""
