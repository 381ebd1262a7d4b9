"""Paints a row of a change: both line numbers, the sign, the line on its ground."""

from __future__ import annotations

from PySide6.QtCore import QObject, QRect, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontDatabase, QFontMetrics, QPainter
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from desktop.gui.style import GRID, SMALL, Style
from desktop.gui.windows.change.diff_model import ROW_ROLE, Index
from desktop.gui.windows.change.rows import SIGNS, Row, Sort

HEIGHT = 22
TINT = 34
"""Opacity of the ground of a line that came or went, of 255."""
CHOSEN_TINT = 48
TAB = 4
COLUMNS_MAX = 2_000
_GROUNDS = {Sort.ADDED: "done", Sort.REMOVED: "failed"}


class DiffDelegate(QStyledItemDelegate):
    def __init__(self, style: Style, parent: QObject) -> None:
        super().__init__(parent)
        self._style = style
        self._mono = QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont)
        self._mono.setPixelSize(SMALL)
        self._bold = QFont(self._mono)
        self._bold.setBold(True)
        self._advance = QFontMetrics(self._mono).horizontalAdvance("0")
        self.columns = 0
        """Of the longest row: all are as wide as that one."""

    @property
    def _numbers(self) -> int:
        return 6 * self._advance

    @property
    def _text_left(self) -> int:
        return 2 * self._numbers + 3 * self._advance + GRID

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        columns = min(self.columns, COLUMNS_MAX)
        return QSize(self._text_left + columns * self._advance + 2 * GRID, HEIGHT)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        row = index.data(ROW_ROLE)
        if not isinstance(row, Row):
            return
        painter.save()
        self._paint_ground(painter, option, row)
        # Code runs from left to right in every language.
        painter.setLayoutDirection(Qt.LayoutDirection.LeftToRight)
        if row.sort in (Sort.FILE, Sort.PLACE, Sort.NOTE):
            self._paint_head(painter, option.rect, row)
        else:
            self._paint_line(painter, option.rect, row)
        painter.restore()

    def _paint_ground(self, painter: QPainter, option: QStyleOptionViewItem, row: Row) -> None:
        painter.fillRect(option.rect, self._style.color("surface"))
        if row.sort in (Sort.FILE, Sort.PLACE):
            painter.fillRect(option.rect, self._style.color("background"))
        elif row.sort in _GROUNDS:
            painter.fillRect(option.rect, self._tinted(_GROUNDS[row.sort], TINT))
        if option.state & QStyle.StateFlag.State_Selected:
            painter.fillRect(option.rect, self._tinted("accent", CHOSEN_TINT))
        if row.sort is Sort.FILE:
            painter.setPen(self._style.color("line"))
            painter.drawLine(option.rect.topLeft(), option.rect.topRight())

    def _tinted(self, token: str, opacity: int) -> QColor:
        ground = self._style.color(token)
        ground.setAlpha(opacity)
        return ground

    def _paint_head(self, painter: QPainter, place: QRect, row: Row) -> None:
        painter.setFont(self._bold if row.sort is Sort.FILE else self._mono)
        painter.setPen(self._style.color("text" if row.sort is Sort.FILE else "muted"))
        left = GRID if row.sort is Sort.FILE else self._text_left
        self._write(painter, place.adjusted(left, 0, 0, 0), row.text)

    def _paint_line(self, painter: QPainter, place: QRect, row: Row) -> None:
        painter.setFont(self._mono)
        painter.setPen(self._style.color("muted"))
        for column, number in enumerate((row.old_number, row.new_number)):
            if number is not None:
                room = QRect(
                    place.left() + column * self._numbers, place.top(), self._numbers, HEIGHT
                )
                side = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
                painter.drawText(room, int(side), str(number))
        painter.setPen(self._style.color("text"))
        if sign := SIGNS.get(row.sort):
            painter.setFont(self._bold)
            left = 2 * self._numbers + self._advance
            self._write(painter, place.adjusted(left, 0, 0, 0), sign)
            painter.setFont(self._mono)
        told = row.text.expandtabs(TAB)
        self._write(painter, place.adjusted(self._text_left, 0, 0, 0), told)

    @staticmethod
    def _write(painter: QPainter, place: QRect, text: str) -> None:
        side = Qt.AlignmentFlag.AlignAbsolute | Qt.AlignmentFlag.AlignLeft
        flags = side | Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextSingleLine
        painter.drawText(place, int(flags), text)
