"""Rows of two lines: what something is called, and below it what matters most of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from PySide6.QtCore import QModelIndex, QObject, QPersistentModelIndex, QRect, QSize, Qt
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from desktop.gui.style import BODY, GRID, ROW, SMALL, Style
from shared.plain_text import plain_line

HEIGHT = ROW + 3 * GRID
TINT = 26
"""Opacity of a chosen row's ground, of 255."""
Index = QModelIndex | QPersistentModelIndex


class Line(NamedTuple):
    text: str
    color: str
    """By its name among the tokens."""


class TwoLineDelegate(QStyledItemDelegate):
    def __init__(
        self, style: Style, lines: Callable[[Index], tuple[Line, Line]], parent: QObject
    ) -> None:
        """Make it.

        Args:
            style: gives the colours.
            lines: says what stands in a row: the upper line, the lower one.
            parent: owns it.
        """
        super().__init__(parent)
        self._style = style
        self._lines = lines

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return QSize(220, HEIGHT)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        painter.save()
        painter.fillRect(option.rect, self._style.color("surface"))
        if option.state & QStyle.StateFlag.State_Selected:
            ground = self._style.color("accent")
            ground.setAlpha(TINT)
            painter.fillRect(option.rect, ground)
        painter.setPen(self._style.color("line"))
        painter.drawLine(option.rect.bottomLeft(), option.rect.bottomRight())
        room = option.rect.adjusted(2 * GRID, GRID, -2 * GRID, -GRID)
        half = room.height() // 2
        upper = QRect(room.left(), room.top(), room.width(), half)
        first, second = self._lines(index)
        self._paint_line(painter, upper, first, BODY)
        self._paint_line(painter, upper.translated(0, half), second, SMALL)
        painter.restore()

    def _paint_line(self, painter: QPainter, room: QRect, line: Line, size: int) -> None:
        font = painter.font()
        font.setPixelSize(size)
        painter.setFont(font)
        painter.setPen(self._style.color(line.color))
        told = painter.fontMetrics().elidedText(
            plain_line(line.text), Qt.TextElideMode.ElideRight, room.width()
        )
        painter.drawText(room, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, told)
