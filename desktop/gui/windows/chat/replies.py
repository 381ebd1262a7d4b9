"""What a line means that was written into a thread: an answer, or something nobody waits for."""

from __future__ import annotations

from dataclasses import dataclass

from desktop.gui.language import tr
from desktop.store.copied import QuestionRow
from shared.questions import QuestionKind, match


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    row: QuestionRow | None = None
    """The question it answers; None when it answers none."""
    value: str = ""
    trouble: str = ""
    """Why it answers nothing."""


def reply_to(rows: tuple[QuestionRow, ...], text: str) -> Reply:
    """Find what a line answers. With several questions open only the form can say which.

    Consent is not guessed: an approval takes a choice's whole label, not its first letters.
    """
    if not rows:
        return Reply(trouble=tr("Nothing is asked here. Begin with / to start something new."))
    if len(rows) > 1:
        return Reply(trouble=tr("Several questions are open: answer them in the form above."))
    row = rows[0]
    value = _exact(row, text) if row.asking.kind is QuestionKind.APPROVAL else _loose(row, text)
    if value is None:
        return Reply(trouble=tr("That is none of the answers. Choose one above."))
    return Reply(row=row, value=value)


def _loose(row: QuestionRow, text: str) -> str | None:
    if not row.asking.choices:
        return text.strip() or None
    return match(row.asking, text)


def _exact(row: QuestionRow, text: str) -> str | None:
    folded = text.strip().casefold()
    found = next((c.value for c in row.asking.choices if c.label.casefold() == folded), None)
    if found is None and (row.asking.allow_text or not row.asking.choices):
        return text.strip() or None
    return found
