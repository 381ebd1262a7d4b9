"""One line of text, cut with "…" where there is no room; a tool tip then says all of it."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics, QPainter, QPaintEvent, QPalette
from PySide6.QtWidgets import QSizePolicy, QWidget

from desktop.gui.parts import tip


class Elided(QWidget):
    def __init__(self, text: str = "", *, pixels: int, is_bold: bool = False) -> None:
        super().__init__()
        self._text = ""
        self._color: QColor | None = None
        self._font = QFont(self.font())
        self._font.setPixelSize(pixels)
        if is_bold:
            self._font.setWeight(QFont.Weight.DemiBold)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.tell(text)

    @property
    def text(self) -> str:
        return self._text

    def tell(self, text: str) -> None:
        """Show another text."""
        self._text = text
        self.setAccessibleName(text)
        self.updateGeometry()
        self.update()

    def ink(self, color: QColor) -> None:
        """Draw it in a colour."""
        self._color = color
        self.update()

    def sizeHint(self) -> QSize:
        metrics = QFontMetrics(self._font)
        return QSize(metrics.horizontalAdvance(self._text) + 2, metrics.height() + 2)

    def minimumSizeHint(self) -> QSize:
        return QSize(0, self.sizeHint().height())

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setFont(self._font)
        painter.setPen(self._color or self.palette().color(QPalette.ColorRole.WindowText))
        metrics = QFontMetrics(self._font)
        shown = metrics.elidedText(self._text, Qt.TextElideMode.ElideRight, self.width())
        self.setToolTip("" if shown == self._text else tip(self._text))
        painter.drawText(
            self.rect(), Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, shown
        )
