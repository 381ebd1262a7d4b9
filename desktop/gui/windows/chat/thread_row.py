"""How a thread is drawn in the list: title and age, state and last words, what is unread."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QFont, QFontMetrics, QPainter
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from desktop.desk.standing import ENDED, Whereabouts
from desktop.gui import standing
from desktop.gui.chip import chip_size, paint_chip
from desktop.gui.language import tr
from desktop.gui.style import BODY, GRID, RADIUS, SMALL, Style, tabular
from desktop.gui.times import age
from desktop.gui.windows.chat import saying
from desktop.store.threads import UNREAD_MAX, Thread
from shared.events import AnswerGiven, AnswerSuperseded, QuestionAnswered
from shared.jobs import JobState
from shared.plain_text import plain_line

ROW_HEIGHT = 64
THREAD_ROLE = Qt.ItemDataRole.UserRole


class ThreadRow(QStyledItemDelegate):
    def __init__(
        self,
        style: Style,
        now: Callable[[], datetime],
        place: Callable[[], Whereabouts],
        parent: QWidget,
    ) -> None:
        super().__init__(parent)
        self._style = style
        self._now = now
        self._place = place

    def sizeHint(
        self, _option: QStyleOptionViewItem, _index: QModelIndex | QPersistentModelIndex
    ) -> QSize:
        return QSize(20 * GRID, ROW_HEIGHT)

    def paint(
        self,
        painter: QPainter,
        option: QStyleOptionViewItem,
        index: QModelIndex | QPersistentModelIndex,
    ) -> None:
        """Draw one row; two lines of text, each cut where it must be."""
        thread = index.data(THREAD_ROLE)
        if not isinstance(thread, Thread):
            return
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        rect = option.rect
        self._ground(painter, rect, option.state)
        inside = rect.adjusted(2 * GRID, GRID + 2, -2 * GRID, -GRID - 2)
        top = QRect(inside.left(), inside.top(), inside.width(), inside.height() // 2)
        low = QRect(inside.left(), top.bottom() + 2, inside.width(), inside.height() // 2)
        top = self._right(painter, top, age(thread.job.updated_at, self._now()), "muted")
        self._text(painter, top, title_of(thread), BODY, "text", is_bold=thread.unread > 0)
        if thread.unread:
            low = self._badge(painter, low, thread.unread)
        state = JobState.ASKING if thread.open_questions else thread.job.state
        font = _font(painter.font(), SMALL, is_bold=False)
        painter.setFont(font)
        paint_chip(painter, low, state, self._style)
        metrics = QFontMetrics(font)
        low = low.adjusted(chip_size(metrics, state).width() + GRID, 0, 0, 0)
        self._text(painter, low, line_of(thread, self._place()), SMALL, "muted")
        painter.restore()

    def _ground(self, painter: QPainter, rect: QRect, state: QStyle.StateFlag) -> None:
        box = QRectF(rect).adjusted(3, 2, -3, -2)
        painter.setPen(Qt.PenStyle.NoPen)
        if state & QStyle.StateFlag.State_Selected:
            painter.setBrush(self._style.color("line"))
            painter.drawRoundedRect(box, RADIUS, RADIUS)
        elif state & QStyle.StateFlag.State_MouseOver:
            painter.setBrush(self._style.color("background"))
            painter.drawRoundedRect(box, RADIUS, RADIUS)
        if state & QStyle.StateFlag.State_HasFocus:
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(self._style.color("accent"))
            painter.drawRoundedRect(box, RADIUS, RADIUS)

    def _text(
        self,
        painter: QPainter,
        rect: QRect,
        text: str,
        pixels: int,
        token: str,
        *,
        is_bold: bool = False,
    ) -> int:
        """Draw a line, cut where it must be, and return how wide it became."""
        font = _font(painter.font(), pixels, is_bold=is_bold)
        painter.setFont(font)
        if token:
            painter.setPen(self._style.color(token))
        metrics = QFontMetrics(font)
        shown = metrics.elidedText(text, Qt.TextElideMode.ElideRight, rect.width())
        painter.drawText(rect, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, shown)
        return metrics.horizontalAdvance(shown)

    def _right(self, painter: QPainter, rect: QRect, text: str, token: str) -> QRect:
        """Draw a word at the right end and return what is left of the line."""
        font = tabular(_font(painter.font(), SMALL, is_bold=False))
        painter.setFont(font)
        painter.setPen(self._style.color(token))
        painter.drawText(rect, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, text)
        return rect.adjusted(0, 0, -QFontMetrics(font).horizontalAdvance(text) - GRID, 0)

    def _badge(self, painter: QPainter, rect: QRect, count: int) -> QRect:
        text = f"{UNREAD_MAX - 1}+" if count >= UNREAD_MAX else str(count)
        font = _font(painter.font(), SMALL - 1, is_bold=True)
        painter.setFont(font)
        height = 20
        width = max(height, QFontMetrics(font).horizontalAdvance(text) + 12)
        box = QRect(rect.right() - width, rect.center().y() - height // 2, width, height)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self._style.color("accent"))
        painter.drawRoundedRect(box, height / 2, height / 2)
        painter.setPen(self._style.color("surface"))
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)
        return rect.adjusted(0, 0, -width - GRID, 0)


def _font(base: QFont, pixels: int, *, is_bold: bool) -> QFont:
    font = QFont(base)
    font.setPixelSize(pixels)
    font.setWeight(QFont.Weight.DemiBold if is_bold else QFont.Weight.Normal)
    return font


def title_of(thread: Thread) -> str:
    return plain_line(thread.job.title or thread.job.kind) or thread.job.short_id


def line_of(thread: Thread, place: Whereabouts) -> str:
    """Say what was said last, in one line, or what a job waits for that nobody says."""
    if lost := standing.of_lost(thread.job):
        return lost
    stands = standing.of_job(thread.job, place)
    if thread.last is None or (stands and thread.job.state not in ENDED):
        return plain_line(stands)
    step, row = thread.last.step, thread.last.question
    match step.body:
        case AnswerGiven() if row is not None:
            return tr("You: {text}").format(text=saying.label_of(row.asking, step.body.value))
        case QuestionAnswered() if row is not None:
            return saying.answered(row)
        case AnswerSuperseded():
            return saying.superseded(step.body, row)
        case _:
            return plain_line(saying.sentence(step))
