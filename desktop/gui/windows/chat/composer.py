"""Where the person writes: Enter sends, Shift+Enter begins a new line."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QHBoxLayout, QPlainTextEdit, QSizePolicy, QVBoxLayout, QWidget

from desktop.gui.language import tr
from desktop.gui.parts import button, label
from desktop.gui.style import GRID
from shared.questions import TEXT_CHARS_MAX

LINES_MAX = 7
HEIGHT_MIN = 5 * GRID - 2


class Composer(QWidget):
    """A line that grows, a button, and what was wrong with the last try."""

    said = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self._edit = _Edit()
        self._edit.setAccessibleName(tr("Message"))
        self._edit.entered.connect(self._send)
        self._edit.textChanged.connect(self._tell_button)
        self._button = button(tr("Send"), self._send, "primary")
        self._button.setEnabled(False)
        self._note = label("", "muted")
        self._note.hide()
        row = QHBoxLayout()
        row.setSpacing(GRID)
        row.addWidget(self._edit, 1)
        row.addWidget(self._button, alignment=Qt.AlignmentFlag.AlignBottom)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(GRID // 2)
        column.addWidget(self._note)
        column.addLayout(row)
        self.setFocusProxy(self._edit)

    @property
    def text(self) -> str:
        return self._edit.toPlainText()

    def fill(self, text: str) -> None:
        self._edit.setPlainText(text)

    def invite(self, words: str) -> None:
        """Say in the empty line what may be written."""
        if self._edit.placeholderText() != words:
            self._edit.setPlaceholderText(words)

    def tell(self, note: str) -> None:
        """Say what was wrong with what was sent; empty for nothing."""
        self._note.setText(note)
        self._note.setVisible(bool(note))

    def _send(self) -> None:
        text = self.text.strip()
        if not text:
            return
        if len(text) > TEXT_CHARS_MAX:
            self.tell(tr("That is too long: {n} characters, and {limit} fit.").format(
                n=f"{len(text):,}", limit=f"{TEXT_CHARS_MAX:,}"))  # fmt: skip
            return
        self.tell("")
        self._edit.clear()
        self.said.emit(text)

    def _tell_button(self) -> None:
        self._button.setEnabled(bool(self.text.strip()))


class _Edit(QPlainTextEdit):
    entered = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setTabChangesFocus(True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAsNeeded)
        self.document().setDocumentMargin(1)
        self.document().documentLayout().documentSizeChanged.connect(lambda _size: self._grow())
        self._grow()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        is_enter = event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter)
        if is_enter and not event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            self.entered.emit()
            return
        super().keyPressEvent(event)

    def sizeHint(self) -> QSize:
        return QSize(40 * GRID, self.height())

    def _grow(self) -> None:
        lines = max(1, int(self.document().size().height()))
        wanted = min(LINES_MAX, lines) * self.fontMetrics().lineSpacing() + 2 * GRID + 2
        self.setFixedHeight(max(HEIGHT_MIN, wanted))
