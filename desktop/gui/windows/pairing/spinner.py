"""A sign that something is waited for. It moves only while it is seen."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt, QTimer
from PySide6.QtGui import QHideEvent, QPainter, QPaintEvent, QPen, QShowEvent
from PySide6.QtWidgets import QApplication, QStyle, QWidget

from desktop.gui.style import Style

SIZE = 20
STEP_MS = 100
STEP_DEGREES = 36


class Spinner(QWidget):
    def __init__(self, style: Style) -> None:
        super().__init__()
        self._style = style
        self._degrees = 0
        self._clock = QTimer(self)
        self._clock.setInterval(STEP_MS)
        self._clock.timeout.connect(self._turn)
        self.setFixedSize(QSize(SIZE, SIZE))
        style.changed.connect(self.update)

    def showEvent(self, event: QShowEvent) -> None:
        if moves(self):
            self._clock.start()
        super().showEvent(event)

    def hideEvent(self, event: QHideEvent) -> None:
        self._clock.stop()
        super().hideEvent(event)

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        place = QRectF(2, 2, SIZE - 4, SIZE - 4)
        painter.setPen(QPen(self._style.color("line"), 2.5))
        painter.drawEllipse(place)
        pen = QPen(self._style.color("running"), 2.5)
        pen.setCapStyle(Qt.PenCapStyle.RoundCap)
        painter.setPen(pen)
        painter.drawArc(place, -self._degrees * 16, 90 * 16)
        painter.end()

    def _turn(self) -> None:
        self._degrees = (self._degrees + STEP_DEGREES) % 360
        self.update()


def moves(widget: QWidget) -> bool:
    """Say whether the person's desktop wants things to move."""
    hint = QStyle.StyleHint.SH_Widget_Animation_Duration
    return QApplication.style().styleHint(hint, None, widget) > 0
