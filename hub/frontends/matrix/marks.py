"""Signs to tap: Matrix has no buttons, so the bot puts reactions on a message, and people join in.

A choice of a question has its number, which answers when it is typed, too; anything else a button
would do has a sign or a letter. What each sign says travels within the message, under names that
only the hub can read (`Taps`): so a tap is understood after a restart, and on an old message.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import JsonValue

from hub.core.view import Button, View, is_answer, typed
from hub.frontends.labels import label_of
from shared.kinds import JsonObject

TAPS = "dev.deskhand.taps"
"""Where a message's content holds the names, by sign."""
LABEL_UNITS_MAX = 120
TYPED_CHARS_MAX = 40
"""A longer command is nothing to be typed from a phone."""
KEYCAP = "\ufe0f\u20e3"
NUMBERS = (*(f"{number}{KEYCAP}" for number in range(1, 10)), "\U0001f51f")
SIGNS = {
    "approve": "✅",
    "reject": "❌",
    "cancel": "⏹️",
    "retry": "🔁",
    "connect": "💻",
    "train": "📈",
    "predict": "🔮",
}
"""Where a sign says it better than a letter."""
LETTERS = tuple(chr(0x1F1E6 + place) for place in range(26))


@dataclass(frozen=True, slots=True)
class Mark:
    """One thing to choose."""

    sign: str
    """Empty where there are no more signs: it is typed."""
    button: Button
    line: str
    """How it stands in the message."""


def marks_of(view: View) -> tuple[Mark, ...]:
    """Give what a view offers its signs: choices first, so that their numbers answer."""
    buttons = [button for button in view.buttons if button.says]
    answers = [b for b in buttons if view.question_id is not None and is_answer(b)]
    marks = []
    for number, button in enumerate(answers, start=1):
        sign = NUMBERS[number - 1] if number <= len(NUMBERS) else ""
        marks.append(Mark(sign, button, f"{sign or f'{number}.'} {_label(button)}"))
    letters = iter(LETTERS)
    taken: set[str] = set()
    for button in [b for b in buttons if b not in answers]:
        sign = SIGNS.get(button.says[1:].partition(" ")[0], "")
        if not sign or sign in taken:
            sign = next(letters, "")
        taken.add(sign)
        marks.append(Mark(sign, button, f"{sign} {_label(button)}{_by_hand(button)}".strip()))
    return tuple(marks)


def _label(button: Button) -> str:
    return label_of(button.label, LABEL_UNITS_MAX)


def _by_hand(button: Button) -> str:
    """How to say the same without tapping, where that is short."""
    told = typed(button.says)
    return f" · {told}" if len(told) <= TYPED_CHARS_MAX else ""


def written_taps(marks: Sequence[Mark], names: Sequence[str]) -> JsonObject:
    """What a message carries along about its signs."""
    taps: dict[str, JsonValue] = {}
    for mark, name in zip(marks, names, strict=True):
        if mark.sign:
            taps[bare(mark.sign)] = name
    return {TAPS: taps} if taps else {}


def read_tap(content: JsonObject, key: str) -> str:
    """The name of what a sign on a message says; empty when it is none of its signs."""
    taps = content.get(TAPS)
    found = taps.get(bare(key)) if isinstance(taps, dict) else None
    return found if isinstance(found, str) else ""


def bare(sign: str) -> str:
    """A sign without the mark that says "as a picture": some programs add it, some leave it out."""
    return sign.replace("\ufe0f", "")
