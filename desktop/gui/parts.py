"""Small pieces that every window is made of."""

from __future__ import annotations

import html
from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from desktop.gui.style import CONTENT_WIDTH_MAX, GRID
from shared.errors import AppError


def label(text: str, look: str = "", *, wraps: bool = True) -> QLabel:
    """Show text as it is: markup in it stays text, whoever wrote it.

    Args:
        text: may come from a hub or a job.
        look: "title", "muted", "failed" or nothing.
        wraps: whether long text goes on in the next line.
    """
    made = QLabel(text)
    made.setTextFormat(Qt.TextFormat.PlainText)
    made.setWordWrap(wraps)
    made.setProperty("look", look)
    return made


def tip(text: str) -> str:
    """Write a tool tip that says a text as it is: one of Qt's reads markup, and loads its files."""
    return f"<p style='white-space:pre-wrap'>{html.escape(text)}</p>" if text else ""


def button(
    text: str, pressed: Callable[[], object], look: str = "", *, name: str = ""
) -> QPushButton:
    """Make a button.

    Args:
        text: what it does, as a verb.
        pressed: called without arguments.
        look: "primary" (one a view), "quiet", "danger" or nothing.
        name: for screen readers, when the text alone says too little.
    """
    made = QPushButton(text)
    made.setProperty("look", look)
    made.setAccessibleName(name or text)
    made.setAutoDefault(False)
    made.clicked.connect(lambda _checked=False: pressed())
    return made


class EmptyState(QWidget):
    """What a list shows while there is nothing in it: one sentence, one button."""

    def __init__(self, sentence: str, action: QPushButton | None = None) -> None:
        super().__init__()
        told = label(sentence, "muted")
        told.setAlignment(Qt.AlignmentFlag.AlignCenter)
        told.setMaximumWidth(CONTENT_WIDTH_MAX // 2)
        column = QVBoxLayout(self)
        column.setSpacing(2 * GRID)
        column.addStretch()
        # Between stretches, not aligned: an aligned label is as narrow as its hint and cuts text.
        row = QHBoxLayout()
        row.addStretch(1)
        row.addWidget(told, 100)
        row.addStretch(1)
        column.addLayout(row)
        if action is not None:
            column.addWidget(action, alignment=Qt.AlignmentFlag.AlignHCenter)
        column.addStretch()


class Banner(QFrame):
    """A line on top of a window: what happened, and what to do next. Hidden until it is told."""

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("look", "card")
        self._text = label("")
        self._text.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        row = QHBoxLayout(self)
        row.setContentsMargins(2 * GRID, GRID, GRID, GRID)
        row.addWidget(self._text)
        row.addWidget(button("✕", self.hide, "quiet", name="Close"))
        self.hide()

    def tell(self, error: AppError | str) -> None:
        """Show an error of ours with its hint, or a sentence."""
        if isinstance(error, AppError):
            self._text.setText(f"⚠ {error.message}\n{error.hint}".strip())
        else:
            self._text.setText(error)
        self.setAccessibleName(self._text.text())
        self.show()
