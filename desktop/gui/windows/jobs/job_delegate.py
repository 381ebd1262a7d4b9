"""Paints a row of the list: chip, title over the line that matters most, the rest muted."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QObject, QPersistentModelIndex, QRect, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics, QPainter
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from desktop.gui.chip import paint_chip
from desktop.gui.style import BODY, GRID, ROW, SMALL, Style, tabular
from desktop.gui.windows.jobs.job_model import ROW_ROLE, SECOND_LINE_ROLE, Column
from desktop.store.copied import JobRow
from shared.jobs import JobState

HEIGHT = ROW + 2 * GRID
"""Two lines of text."""
TINT = 26
"""Opacity of a chosen row's ground, of 255."""


class JobDelegate(QStyledItemDelegate):
    def __init__(self, style: Style, parent: QObject) -> None:
        super().__init__(parent)
        self._style = style

    def paint(
        self,
        painter: QPainter,
        option: QStyleOptionViewItem,
        index: QModelIndex | QPersistentModelIndex,
    ) -> None:
        row = index.data(ROW_ROLE)
        assert isinstance(row, JobRow)
        painter.save()
        self._paint_ground(painter, option)
        place = option.rect.adjusted(GRID, 0, -GRID, 0)
        painter.setLayoutDirection(option.direction)
        match Column(index.column()):
            case Column.STATE:
                paint_chip(painter, place, row.state, self._style)
            case Column.JOB:
                self._paint_job(painter, place, row, index)
            case _:
                self._paint_muted(painter, place, index)
        painter.restore()

    def sizeHint(
        self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> QSize:
        return QSize(120, HEIGHT)

    def _paint_ground(self, painter: QPainter, option: QStyleOptionViewItem) -> None:
        # The view's own ground of a chosen row leaves too little contrast for muted text.
        painter.fillRect(option.rect, self._style.color("surface"))
        if option.state & QStyle.StateFlag.State_Selected:
            ground = self._style.color("accent")
            ground.setAlpha(TINT)
            painter.fillRect(option.rect, ground)
        painter.setPen(self._style.color("line"))
        painter.drawLine(option.rect.bottomLeft(), option.rect.bottomRight())

    def _paint_job(
        self,
        painter: QPainter,
        place: QRect,
        row: JobRow,
        index: QModelIndex | QPersistentModelIndex,
    ) -> None:
        second = index.data(SECOND_LINE_ROLE)
        top = place
        if second:
            middle = place.center().y()
            top = QRect(place.left(), middle - 20, place.width(), 22)
            below = QRect(place.left(), middle + 2, place.width(), 18)
            color = self._second_color(row)
            _write(painter, below, str(second), SMALL, color, Qt.TextElideMode.ElideRight)
        text = str(index.data())
        color = self._style.color("text")
        _write(painter, top, text, BODY, color, Qt.TextElideMode.ElideMiddle)

    def _second_color(self, row: JobRow) -> QColor:
        if row.state in (JobState.FAILED, JobState.DEAD, JobState.INTERRUPTED, JobState.ASKING):
            return self._style.color_of(row.state)
        return self._style.color("muted")

    def _paint_muted(
        self, painter: QPainter, place: QRect, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        painter.setFont(tabular(painter.font()))
        side = index.data(Qt.ItemDataRole.TextAlignmentRole)
        color = self._style.color("muted")
        _write(painter, place, str(index.data()), SMALL, color, Qt.TextElideMode.ElideMiddle, side)


def _write(
    painter: QPainter,
    place: QRect,
    text: str,
    pixels: int,
    color: QColor,
    elide: Qt.TextElideMode,
    side: Qt.AlignmentFlag = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter,
) -> None:
    font = QFont(painter.font())
    font.setPixelSize(pixels)
    painter.setFont(font)
    painter.setPen(color)
    shown = QFontMetrics(font).elidedText(text, elide, place.width())
    painter.drawText(place, int(side), shown)
