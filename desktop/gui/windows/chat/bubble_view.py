"""One bubble on the screen: the person's at the right, a computer's at the left, the rest small."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import partial

from PySide6.QtCore import QRectF, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QHBoxLayout,
    QPlainTextEdit,
    QVBoxLayout,
    QWidget,
)

from desktop.desk.standing import Whereabouts
from desktop.gui.language import tr
from desktop.gui.parts import button, label
from desktop.gui.style import GRID, RADIUS, SMALL, Style
from desktop.gui.windows.chat.bubbles import Bubble, Side
from desktop.gui.windows.chat.flowing import WIDTH_MAX, Flowing
from desktop.gui.windows.chat.links import ask_to_open, links_in
from desktop.gui.windows.chat.question_view import Answers, QuestionView
from desktop.gui.windows.chat.result_view import ResultView
from desktop.gui.windows.chat.times import clock
from shared.ids import JobId

TEXT_CHARS_SHOWN = 2500
"""Longer texts open in a window of their own."""
TINT = 0.14
"""How much of the accent the person's bubbles have."""
LINK_CHARS_SHOWN = 60


@dataclass(frozen=True, slots=True)
class Around:
    """What bubbles need besides what they say."""

    style: Style
    now: datetime
    answers: Answers
    is_in_form: bool
    """Whether open questions are answered in the form below."""
    place: Whereabouts
    """Where this computer stands."""


class BubbleView(QWidget):
    """Made of one Bubble and replaced when that changes."""

    retried = Signal(str)
    """A job's id."""
    shows_change = Signal(str)
    """Whose change is to be looked at: a job's id."""

    def __init__(self, bubble: Bubble, around: Around) -> None:
        super().__init__()
        self.bubble = bubble
        self.question: QuestionView | None = None
        self.result: ResultView | None = None
        self.setAccessibleName(bubble.spoken(around.now))
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        if bubble.side is Side.SYSTEM:
            row.addWidget(self._line(around))
            return
        card = _Card(bubble, around.style)
        self._fill(card, around)
        is_wide = bubble.question is not None or bubble.result is not None
        if is_wide:
            card.setMinimumWidth(min(WIDTH_MAX, 44 * GRID))
        if bubble.side is Side.PERSON:
            row.addStretch()
        row.addWidget(card, 1 if is_wide else 0)
        if bubble.side is Side.WORKER:
            row.addStretch()

    def _fill(self, card: QWidget, around: Around) -> None:
        bubble, style = self.bubble, around.style
        column = QVBoxLayout(card)
        column.setContentsMargins(2 * GRID, GRID + 2, 2 * GRID, GRID + 2)
        column.setSpacing(GRID // 2 + 2)
        told = Flowing(bubble.text[:TEXT_CHARS_SHOWN], token_color=style.color("text"))
        if bubble.result is not None or bubble.question is not None:
            told.embolden()
        column.addWidget(told)
        self._add_rest(column)
        if bubble.question is not None:
            self.question = QuestionView(
                bubble.question, style, around.now, around.answers, in_form=around.is_in_form,
                place=around.place,
            )  # fmt: skip
            self.question.shows_change.connect(self.shows_change)
            column.addWidget(self.question)
        if bubble.result is not None:
            self.result = ResultView(bubble.result, bubble.who, style)
            column.addWidget(self.result)
        if bubble.can_retry:
            column.addWidget(self._retry_button(), alignment=Qt.AlignmentFlag.AlignLeft)
        column.addWidget(self._caption(around))

    def _add_rest(self, column: QVBoxLayout) -> None:
        """Offer what does not fit: the whole of a long text, and the addresses in it."""
        text = self.bubble.text
        if len(text) > TEXT_CHARS_SHOWN:
            shows = button(
                tr("Show all {n} characters").format(n=f"{len(text):,}"),
                lambda: show_text(text, self),
                "quiet",
            )
            column.addWidget(shows, alignment=Qt.AlignmentFlag.AlignLeft)
        for link in links_in(text[:TEXT_CHARS_SHOWN]):
            shown = link if len(link) <= LINK_CHARS_SHOWN else f"{link[:LINK_CHARS_SHOWN]}…"
            opens = button(
                shown.replace("&", "&&"), partial(ask_to_open, link, self), "quiet",
                name=tr("Open the address {link}").format(link=link),
            )  # fmt: skip
            column.addWidget(opens, alignment=Qt.AlignmentFlag.AlignLeft)

    def _caption(self, around: Around) -> QWidget:
        bubble = self.bubble
        parts = [bubble.who, clock(bubble.at, around.now), bubble.foot]
        return Flowing(
            " · ".join(part for part in parts if part),
            token_color=around.style.color("muted"),
            pixels=SMALL,
        )

    def _line(self, around: Around) -> QWidget:
        """Make a small line in the middle."""
        bubble = self.bubble
        made = QWidget()
        column = QVBoxLayout(made)
        column.setContentsMargins(0, 0, 0, 0)
        text = f"{bubble.text} · {clock(bubble.at, around.now)}"
        told = label(text if len(text) <= TEXT_CHARS_SHOWN else f"{text[:TEXT_CHARS_SHOWN]}…")
        told.setProperty("look", bubble.tone or "muted")
        told.setAlignment(Qt.AlignmentFlag.AlignCenter)
        column.addWidget(told)
        if bubble.can_retry:
            column.addWidget(self._retry_button(), alignment=Qt.AlignmentFlag.AlignHCenter)
        return made

    def _retry_button(self) -> QWidget:
        job_id = self.bubble.job_id or JobId("")
        return button(
            tr("Try again"),
            lambda: self.retried.emit(job_id),
            name=tr("Try again: {what}").format(what=self.bubble.text[:80]),
        )


class _Card(QWidget):
    """The coloured shape of a bubble. Painted, because a style sheet each would cost a page."""

    def __init__(self, bubble: Bubble, style: Style) -> None:
        super().__init__()
        self._bubble = bubble
        self._style = style
        self.setMaximumWidth(WIDTH_MAX + 4 * GRID)

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        shape = QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5)
        is_person = self._bubble.side is Side.PERSON
        surface = self._style.color("surface")
        painter.setBrush(mixed(surface, self._style.color("accent"), TINT if is_person else 0))
        painter.setPen(Qt.PenStyle.NoPen if is_person else QPen(self._style.color("line")))
        painter.drawRoundedRect(shape, RADIUS, RADIUS)
        if self._bubble.tone:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(self._style.color(self._bubble.tone))
            painter.setClipRect(QRectF(0, 0, 4, self.height()))
            painter.drawRoundedRect(shape, RADIUS, RADIUS)


def mixed(base: QColor, other: QColor, share: float) -> QColor:
    """Mix a share of one colour, 0..1, into another."""
    ours, theirs = base.toRgb(), other.toRgb()

    def mix(one: int, two: int) -> int:
        return round((1 - share) * one + share * two)

    return QColor(
        mix(ours.red(), theirs.red()),
        mix(ours.green(), theirs.green()),
        mix(ours.blue(), theirs.blue()),
    )


def show_text(text: str, parent: QWidget) -> QDialog:
    """Show the whole of a text, to read and to copy from."""
    box = QDialog(parent)
    box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    box.setWindowTitle(tr("Whole text"))
    shown = QPlainTextEdit(text)
    shown.setReadOnly(True)
    shown.setTabChangesFocus(True)
    shown.setAccessibleName(tr("Whole text"))
    ends = QDialogButtonBox()
    ends.addButton(tr("Close"), QDialogButtonBox.ButtonRole.RejectRole)
    ends.rejected.connect(box.close)
    column = QVBoxLayout(box)
    column.addWidget(shown)
    column.addWidget(ends)
    box.resize(80 * GRID, 60 * GRID)
    box.open()
    return box
