"""A question within its bubble: the answers while it is open, what became of it afterwards."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from desktop.desk.standing import Whereabouts
from desktop.gui import standing
from desktop.gui.language import tr
from desktop.gui.parts import button, label
from desktop.gui.style import GRID, Style
from desktop.gui.windows.chat import saying
from desktop.gui.windows.chat.choices import Choices
from desktop.store.copied import QuestionRow
from shared.ids import QuestionId
from shared.questions import QuestionKind

CHANGE = "code.diff"
"""What a question says that is about a change (`Asking.more`)."""
Answers = Callable[[QuestionRow, str], None]


class QuestionView(QWidget):
    """Lives as long as the question's state stays the same; only its countdown moves."""

    shows_change = Signal(str)
    """The person wants to see what it is about: the job's id."""

    def __init__(
        self,
        row: QuestionRow,
        style: Style,
        now: datetime,
        answers: Answers,
        *,
        in_form: bool,
        place: Whereabouts,
    ) -> None:
        """Show a question.

        Args:
            row: the question as it stands.
            style: the look.
            now: for the countdown; see `tick`.
            answers: called with the question and a value when an answer is chosen.
            in_form: whether it is answered in the form below, together with others.
            place: where this computer stands, for what becomes of an answer given here.
        """
        super().__init__()
        self._row = row
        self.place = place
        self._answers = answers
        self._choices: Choices | None = None
        self._foot = label("", "muted")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(GRID)
        if row.asking.more == CHANGE:
            shows = button(tr("Show diff"), lambda: self.shows_change.emit(row.job_id))
            column.addWidget(shows, alignment=Qt.AlignmentFlag.AlignLeft)
        if row.is_open and not in_form and row.asking.choices:
            self._choices = Choices(row.asking, style, self._choose)
            column.addWidget(self._choices)
        column.addWidget(self._foot)
        self.is_in_form = in_form
        self.tick(now)

    @property
    def question_id(self) -> QuestionId:
        return self._row.question_id

    @property
    def is_open(self) -> bool:
        return self._row.is_open

    @property
    def is_pending(self) -> bool:
        """Whether an answer was given here that the hub has not counted."""
        return bool(self._row.given)

    @property
    def told(self) -> str:
        """What it says below the answers."""
        return self._foot.text()

    def press(self, number: int) -> None:
        """Choose an answer by its number, from 1."""
        if self._choices is not None:
            self._choices.press(number)

    def _choose(self, value: str) -> None:
        """Answer once: a second click on its way must not be a second answer."""
        self.setEnabled(False)
        self._answers(self._row, value)

    def tick(self, now: datetime) -> None:
        """Bring the countdown up to date."""
        told = self._told(now)
        if told != self._foot.text():
            self._foot.setText(told)
            self._foot.setVisible(bool(told))

    def _told(self, now: datetime) -> str:
        row = self._row
        if row.state == "answered":
            return saying.settled(row)
        if row.state == "closed":
            return tr("Not needed any more.")
        if row.given:
            value = saying.label_of(row.asking, row.given)
            return f"{value} · {standing.of_answer(row, row.given, self.place)}"
        parts = [saying.deadline(row, now)]
        if self.is_in_form:
            parts.insert(0, tr("Answer it in the form below."))
        elif row.asking.allow_text or not row.asking.choices:
            parts.insert(0, _welcome(row))
        if row.asking.kind is QuestionKind.APPROVAL:
            parts.insert(0, tr("⚠ Nothing happens unless you choose."))
        return " ".join(parts)


def _welcome(row: QuestionRow) -> str:
    if row.asking.choices:
        return tr("Or write an answer of your own below.")
    return tr("Write your answer below.")
