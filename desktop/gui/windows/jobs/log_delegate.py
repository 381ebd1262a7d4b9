"""Paints a line of a log: its time, its job where logs are mixed, and the words that were found."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from PySide6.QtCore import QModelIndex, QObject, QPersistentModelIndex, QRect, QSize, Qt
from PySide6.QtGui import QFont, QFontDatabase, QFontMetrics, QPainter
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from desktop.gui.style import GRID, SMALL, Style, tabular
from desktop.gui.windows.jobs.log_model import LINE_ROLE
from desktop.store.copied_lines import LogLine
from shared.plain_text import plain_line

HEIGHT = 22
TITLE_WIDTH = 140
TINT = 34
"""Opacity of a chosen line's ground, of 255."""
MARKS_MAX = 50
"""Marks drawn in one line."""


class LogDelegate(QStyledItemDelegate):
    def __init__(self, style: Style, *, is_mixed: bool, parent: QObject) -> None:
        """Paint lines.

        Args:
            style: the colours.
            is_mixed: whether every line tells its job.
            parent: owns the delegate.
        """
        super().__init__(parent)
        self._style = style
        self._is_mixed = is_mixed
        self.now = datetime.now().astimezone()
        """Times of another day are told with their date."""
        self.marks: tuple[str, ...] = ()
        """Words to mark, in small letters."""
        self._mono = QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont)
        self._mono.setPixelSize(SMALL)

    def sizeHint(
        self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> QSize:
        return QSize(100, HEIGHT)

    def paint(
        self,
        painter: QPainter,
        option: QStyleOptionViewItem,
        index: QModelIndex | QPersistentModelIndex,
    ) -> None:
        painter.save()
        painter.fillRect(option.rect, self._style.color("surface"))
        if option.state & QStyle.StateFlag.State_Selected:
            ground = self._style.color("accent")
            ground.setAlpha(TINT)
            painter.fillRect(option.rect, ground)
        line = index.data(LINE_ROLE)
        place = option.rect.adjusted(GRID, 0, -GRID, 0)
        if isinstance(line, LogLine):
            self._paint_line(painter, place, line)
        painter.restore()

    def _paint_line(self, painter: QPainter, place: QRect, line: LogLine) -> None:
        # Logs are code: they run from left to right in every language.
        muted = QFont(tabular(painter.font()))
        muted.setPixelSize(SMALL)
        painter.setFont(muted)
        painter.setPen(self._style.color("muted"))
        local = line.at.astimezone()
        is_today = local.date() == self.now.astimezone().date()
        told = f"{local:%H:%M:%S}" if is_today else f"{local:%m-%d %H:%M:%S}"
        left = self._write(painter, place, told, QFontMetrics(muted).horizontalAdvance(told) + 1)
        if self._is_mixed:
            place.setLeft(left + 2 * GRID)
            title = QFontMetrics(muted).elidedText(
                plain_line(line.title), Qt.TextElideMode.ElideMiddle, TITLE_WIDTH
            )
            left = self._write(painter, place, title, TITLE_WIDTH)
        place.setLeft(left + 2 * GRID)
        metrics = QFontMetrics(self._mono)
        text = metrics.elidedText(plain_line(line.text), Qt.TextElideMode.ElideRight, place.width())
        self._paint_marks(painter, place, text, metrics)
        painter.setFont(self._mono)
        painter.setPen(self._style.color("text"))
        self._write(painter, place, text, place.width())

    def _paint_marks(
        self, painter: QPainter, place: QRect, text: str, metrics: QFontMetrics
    ) -> None:
        ground = self._style.color("waiting")
        ground.setAlpha(80)
        for start, end in found(text, self.marks):
            left = metrics.horizontalAdvance(text[:start])
            width = metrics.horizontalAdvance(text[start:end])
            painter.fillRect(place.left() + left, place.top() + 2, width, HEIGHT - 4, ground)

    @staticmethod
    def _write(painter: QPainter, place: QRect, text: str, width: int) -> int:
        room = QRect(place.left(), place.top(), width, place.height())
        side = Qt.AlignmentFlag.AlignAbsolute | Qt.AlignmentFlag.AlignLeft
        painter.drawText(room, int(side | Qt.AlignmentFlag.AlignVCenter), text)
        return room.right()


def found(text: str, marks: tuple[str, ...]) -> Iterator[tuple[int, int]]:
    """Find words in a line whatever their case: where each begins and ends."""
    lower = text.lower()
    if len(lower) != len(text):
        return  # letters whose small form is longer would shift every mark
    count = 0
    for mark in marks:
        start = lower.find(mark)
        while start >= 0 and count < MARKS_MAX:
            yield start, start + len(mark)
            count += 1
            start = lower.find(mark, start + len(mark))
