"""Text of others as it is: wrapped anywhere when a word is too long, never read as markup.

A label of Qt's wraps at blanks alone, so that one long path would widen a whole window.
"""

from __future__ import annotations

from PySide6.QtCore import QPoint, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import (
    QColor,
    QContextMenuEvent,
    QFont,
    QGuiApplication,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPalette,
    QTextCharFormat,
    QTextLayout,
    QTextOption,
)
from PySide6.QtWidgets import QMenu, QSizePolicy, QWidget

from desktop.gui.language import tr
from desktop.gui.style import BODY

WIDTH_MAX = 520
"""Pixels; longer lines are hard to read."""
LINE_FEED = "\u2028"
"""What breaks a line within one layout of Qt's."""


class Flowing(QWidget):
    """Read-only text that knows its height for any width; marked with the mouse, it is copied."""

    def __init__(self, text: str, *, token_color: QColor | None = None, pixels: int = BODY) -> None:
        super().__init__()
        self._text = text
        self._color = token_color
        self._layout = QTextLayout()
        self._laid_width = -1.0
        self._height = 0.0
        self._natural = 0.0
        self._marked: tuple[int, int] = (0, 0)
        font = QFont(self.font())
        font.setPixelSize(pixels)
        self._font = font
        option = QTextOption()
        option.setWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        self._layout.setTextOption(option)
        policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        self.setCursor(Qt.CursorShape.IBeamCursor)
        self.tell(text)

    @property
    def text(self) -> str:
        return self._text

    def tell(self, text: str) -> None:
        """Show another text."""
        self._text = text
        self._layout.setText(text.replace("\n", LINE_FEED))
        self._layout.setFont(self._font)
        self._laid_width = -1.0
        self._lay(float(WIDTH_MAX))
        self._natural = min(self._layout.maximumWidth(), float(WIDTH_MAX))
        self._widest = self._used_width()
        self.setAccessibleName(text)
        self.updateGeometry()
        self.update()

    def embolden(self) -> None:
        self._font.setWeight(QFont.Weight.DemiBold)
        self.tell(self._text)

    def ink(self, color: QColor) -> None:
        """Draw it in a colour."""
        self._color = color
        self.update()

    def sizeHint(self) -> QSize:
        width = int(self._widest) + 2
        return QSize(width, self.heightForWidth(width))

    def minimumSizeHint(self) -> QSize:
        return QSize(40, self.fontMetrics().height())

    def heightForWidth(self, width: int) -> int:
        self._lay(float(width))
        return int(self._height + 0.999)

    def paintEvent(self, _event: QPaintEvent) -> None:
        self._lay(float(self.width()))
        painter = QPainter(self)
        painter.setPen(self._color or self.palette().color(QPalette.ColorRole.WindowText))
        self._layout.draw(painter, QPointF(0, 0), self._marks(), QRectF(self.rect()))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() is Qt.MouseButton.LeftButton:
            at = self._position(event.position().toPoint())
            self._marked = (at, at)
            self.update()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if event.buttons() & Qt.MouseButton.LeftButton:
            self._marked = (self._marked[0], self._position(event.position().toPoint()))
            self.update()

    def mouseReleaseEvent(self, _event: QMouseEvent) -> None:
        selection = QGuiApplication.clipboard()
        if self.marked and selection.supportsSelection():
            selection.setText(self.marked, selection.Mode.Selection)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Mark the word; paths and numbers count as one."""
        at = self._position(event.position().toPoint())
        start = max(self._text.rfind(sign, 0, at) for sign in " \n\t") + 1
        ends = [found for sign in " \n\t" if (found := self._text.find(sign, at)) >= 0]
        self._marked = (start, min(ends, default=len(self._text)))
        self.update()

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        if self.marked:
            menu.addAction(tr("Copy the marked text"), lambda: _copy(self.marked))
        menu.addAction(tr("Copy all"), lambda: _copy(self._text))
        menu.popup(event.globalPos())

    @property
    def marked(self) -> str:
        """What is marked; empty for nothing."""
        start, end = sorted(self._marked)
        return self._text[start:end]

    def _lay(self, width: float) -> None:
        if width == self._laid_width:
            return
        self._laid_width = width
        height = 0.0
        self._layout.beginLayout()
        while (line := self._layout.createLine()).isValid():
            line.setLineWidth(max(width, 1.0))
            line.setPosition(QPointF(0, height))
            height += line.height() + 2
        self._layout.endLayout()
        self._height = height

    def _used_width(self) -> float:
        lines = (self._layout.lineAt(i) for i in range(self._layout.lineCount()))
        return max((line.naturalTextWidth() for line in lines), default=0.0)

    def _position(self, at: QPoint) -> int:
        for index in range(self._layout.lineCount()):
            line = self._layout.lineAt(index)
            if at.y() < line.y() + line.height() or index == self._layout.lineCount() - 1:
                found = line.xToCursor(float(at.x()))
                return found if isinstance(found, int) else int(found[0])
        return 0

    def _marks(self) -> list[QTextLayout.FormatRange]:
        start, end = sorted(self._marked)
        if start == end:
            return []
        mark = QTextLayout.FormatRange()
        mark.start, mark.length = start, end - start
        shape = QTextCharFormat()
        shape.setBackground(self.palette().color(QPalette.ColorRole.Highlight))
        shape.setForeground(self.palette().color(QPalette.ColorRole.HighlightedText))
        mark.format = shape
        return [mark]


def _copy(text: str) -> None:
    QGuiApplication.clipboard().setText(text)
