"""What the pages of the assistant have in common: a title, a column, a row of buttons."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from desktop.gui.language import tr
from desktop.gui.parts import label
from desktop.gui.style import GRID

STEPS = 3


class Page(QWidget):
    """A step's title and text on top, its buttons below; what lies between scrolls."""

    def __init__(self, step: int) -> None:
        """Lay out an empty page.

        Args:
            step: which one of the three it belongs to; 0 for none.
        """
        super().__init__()
        self.step = label(
            tr("Step {step} of {steps}").format(step=step, steps=STEPS), "muted", wraps=False
        )
        self.step.setVisible(step > 0)
        self.title = label("", "title")
        self.text = label("")
        self.column = QVBoxLayout()
        self.column.setSpacing(GRID)
        self.buttons = QHBoxLayout()
        self.buttons.setSpacing(GRID)
        self._lay_out()

    def say(self, title: str, text: str) -> None:
        """Set the heading, for eyes and for screen readers."""
        self.title.setText(title)
        self.text.setText(text)
        self.text.setVisible(bool(text))
        self.setAccessibleName(title)
        self.setAccessibleDescription(text)

    def announce(self, words: str) -> None:
        """Have a screen reader say what has come up by itself."""
        QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(self, words))

    def put_buttons(self, left: tuple[QPushButton, ...], right: tuple[QPushButton, ...]) -> None:
        """Fill the row of buttons; the last on the right is the one to go on with."""
        for made in left:
            self.buttons.addWidget(made)
        self.buttons.addStretch()
        for made in right:
            self.buttons.addWidget(made)

    def _lay_out(self) -> None:
        inside = QWidget()
        middle = QVBoxLayout(inside)
        middle.setContentsMargins(4 * GRID, 3 * GRID, 4 * GRID, 2 * GRID)
        middle.setSpacing(GRID)
        middle.addWidget(self.step)
        middle.addWidget(self.title)
        middle.addWidget(self.text)
        middle.addSpacing(2 * GRID)
        middle.addLayout(self.column)
        middle.addStretch()
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        scroll.setWidget(inside)
        foot = QWidget()
        foot.setLayout(self.buttons)
        self.buttons.setContentsMargins(4 * GRID, GRID, 4 * GRID, 3 * GRID)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(0)
        whole.addWidget(scroll, 1)
        whole.addWidget(foot)


def named(text: str, field: QWidget) -> QLabel:
    """Make a field's label; its mnemonic leads there, and screen readers tell it."""
    made = label(text, wraps=False)
    made.setBuddy(field)
    field.setAccessibleName(text)
    return made


def card() -> tuple[QFrame, QVBoxLayout]:
    """Make a raised area and the column within."""
    frame = QFrame()
    frame.setProperty("look", "card")
    column = QVBoxLayout(frame)
    column.setContentsMargins(2 * GRID, 2 * GRID, 2 * GRID, 2 * GRID)
    column.setSpacing(GRID)
    return frame, column
