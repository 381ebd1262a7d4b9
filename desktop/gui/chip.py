"""A job's state as people see it everywhere: icon, word and colour together."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetrics, QPainter, QPainterPath, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QWidget

from desktop.gui.language import tr
from desktop.gui.style import SMALL, Style
from shared.jobs import JobState

HEIGHT = 24
ICON = 12
PADDING = 8
TINT = 28
"""Opacity of a chip's ground, of 255."""


def state_word(state: JobState) -> str:
    """Say a state in one word."""
    words = {
        JobState.QUEUED: tr("Waiting"),
        JobState.OFFERED: tr("Waiting"),
        JobState.GRANTED: tr("Starting"),
        JobState.RUNNING: tr("Running"),
        JobState.ASKING: tr("Asking"),
        JobState.SUCCEEDED: tr("Done"),
        JobState.FAILED: tr("Failed"),
        JobState.CANCELLED: tr("Cancelled"),
        JobState.INTERRUPTED: tr("Interrupted"),
        JobState.DEAD: tr("Given up"),
    }
    return words[state]


def paint_chip(painter: QPainter, place: QRect, state: JobState, style: Style) -> None:
    """Draw a chip at the leading edge of a place, in its middle; the font is set to SMALL."""
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    font = painter.font()
    font.setPixelSize(SMALL)
    painter.setFont(font)
    size = chip_size(QFontMetrics(font), state)
    width = min(size.width(), place.width())
    is_mirrored = painter.layoutDirection() is Qt.LayoutDirection.RightToLeft
    left = place.right() - width + 1 if is_mirrored else place.left()
    body = QRect(left, place.center().y() - HEIGHT // 2 + 1, width, HEIGHT)
    color = style.color_of(state)
    ground = QColor(color)
    ground.setAlpha(TINT)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(ground)
    painter.drawRoundedRect(body, HEIGHT / 2, HEIGHT / 2)
    icon_left = body.right() - PADDING - ICON + 1 if is_mirrored else body.left() + PADDING
    paint_icon(
        painter, QRectF(icon_left, body.center().y() - ICON / 2 + 1, ICON, ICON), state, color
    )
    painter.setPen(color)
    room = (
        body.adjusted(PADDING, 0, -PADDING - ICON - 4, 0)
        if is_mirrored
        else body.adjusted(PADDING + ICON + 4, 0, -PADDING, 0)
    )
    word = QFontMetrics(font).elidedText(
        state_word(state), Qt.TextElideMode.ElideRight, room.width()
    )
    painter.drawText(room, Qt.AlignmentFlag.AlignVCenter, word)
    painter.restore()


def chip_size(metrics: QFontMetrics, state: JobState) -> QSize:
    width = metrics.horizontalAdvance(state_word(state)) + 2 * PADDING + ICON + 5
    return QSize(width, HEIGHT)


def paint_icon(painter: QPainter, place: QRectF, state: JobState, color: QColor) -> None:
    """Draw a state's shape; every group of states has one of its own."""
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.translate(place.topLeft())
    painter.scale(place.width() / 12, place.height() / 12)
    pen = QPen(color, 1.8, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap)
    pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
    painter.setPen(pen)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    _draw(painter, state, color)
    painter.restore()


def _draw(painter: QPainter, state: JobState, color: QColor) -> None:
    match state:
        case JobState.SUCCEEDED:
            painter.drawPolyline(
                QPolygonF([QPointF(1.5, 6.5), QPointF(4.7, 9.5), QPointF(10.5, 2.5)])
            )
        case JobState.FAILED | JobState.DEAD:
            painter.drawLine(QPointF(2.2, 2.2), QPointF(9.8, 9.8))
            painter.drawLine(QPointF(9.8, 2.2), QPointF(2.2, 9.8))
        case JobState.INTERRUPTED:
            painter.drawLine(QPointF(6, 1.5), QPointF(6, 7))
            painter.drawPoint(QPointF(6, 10.4))
        case JobState.CANCELLED:
            painter.drawEllipse(QRectF(1.2, 1.2, 9.6, 9.6))
            painter.drawLine(QPointF(3, 9), QPointF(9, 3))
        case JobState.RUNNING | JobState.GRANTED:
            painter.setBrush(color)
            painter.drawPolygon(QPolygonF([QPointF(3, 2), QPointF(10, 6), QPointF(3, 10)]))
        case JobState.ASKING:
            _bubble(painter)
        case JobState.QUEUED | JobState.OFFERED:
            painter.drawEllipse(QRectF(1.2, 1.2, 9.6, 9.6))
            painter.drawPolyline(QPolygonF([QPointF(6, 3.4), QPointF(6, 6.2), QPointF(8, 7.4)]))


def _bubble(painter: QPainter) -> None:
    path = QPainterPath()
    path.addRoundedRect(QRectF(1, 1.2, 10, 7.2), 2, 2)
    painter.drawPath(path)
    painter.drawPolyline(QPolygonF([QPointF(3.4, 8.6), QPointF(3.4, 11), QPointF(6, 8.6)]))


class StateChip(QWidget):
    """A chip that stands alone."""

    def __init__(self, style: Style, state: JobState = JobState.QUEUED) -> None:
        super().__init__()
        self._style = style
        self._state = state
        self.setFixedHeight(HEIGHT)
        style.changed.connect(self.update)
        self.show_state(state)

    def show_state(self, state: JobState) -> None:
        self._state = state
        self.setAccessibleName(state_word(state))
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        font = self.font()
        font.setPixelSize(SMALL)
        return chip_size(QFontMetrics(font), self._state)

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setLayoutDirection(self.layoutDirection())
        paint_chip(painter, self.rect(), self._state, self._style)
        painter.end()
