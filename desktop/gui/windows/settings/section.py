"""What the sections of the settings are made of: a page, cards, options, an undo bar."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import QDesktopServices, QShowEvent
from PySide6.QtWidgets import (
    QAbstractSpinBox,
    QCheckBox,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)
from shiboken6 import isValid

from desktop.core.policy import Policy
from desktop.gui.bridge import Bridge
from desktop.gui.language import tr
from desktop.gui.parts import Banner, button, label
from desktop.gui.style import CONTENT_WIDTH_MAX, GRID, Style
from shared.errors import AppError, ErrorBody

T = TypeVar("T")
V = TypeVar("V")
S = TypeVar("S", bound=QAbstractSpinBox)


class Section(QScrollArea):
    """A page. `refresh` is called whenever it is shown, and by itself where a section listens."""

    def __init__(self, bridge: Bridge, style: Style, title: str, intro: str) -> None:
        super().__init__()
        self.bridge = bridge
        self.desk = bridge.desk
        self.look = style
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setAccessibleName(title)
        page, outer = QWidget(), QHBoxLayout()
        body = QWidget()
        body.setMaximumWidth(CONTENT_WIDTH_MAX)
        body.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self.column = QVBoxLayout(body)
        self.column.setContentsMargins(0, 0, 0, 0)
        self.column.setSpacing(2 * GRID)
        outer.setContentsMargins(3 * GRID, 3 * GRID, 3 * GRID, 3 * GRID)
        outer.addWidget(body, 100)
        outer.addStretch(1)
        page.setLayout(outer)
        self.banner = Banner()
        self.undo = UndoBar()
        heading = QVBoxLayout()
        heading.setSpacing(GRID // 2)
        heading.addWidget(label(title, "title"))
        if intro:
            heading.addWidget(label(intro, "muted"))
        self.column.addLayout(heading)
        self.column.addWidget(self.banner)
        self.column.addWidget(self.undo)
        self.build()
        self.column.addStretch()
        self.setWidget(page)

    def build(self) -> None:
        """Put the section's own widgets into `column`."""
        raise NotImplementedError

    def refresh(self) -> None:
        """Show how things are now."""

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.refresh()

    def card(self, title: str = "", intro: str = "") -> QVBoxLayout:
        """Add a card to the page; return where its widgets go."""
        frame, inside = card(title, intro)
        self.column.addWidget(frame)
        return inside

    def do(
        self,
        work: Coroutine[Any, Any, T],
        *,
        then: Callable[[T], object] | None = None,
        failed: Callable[[AppError], object] | None = None,
    ) -> None:
        """As the bridge's, but a page that is gone by then hears nothing."""

        def alive(call: Callable[[V], object]) -> Callable[[V], object]:
            return lambda value: call(value) if isValid(self) else None

        self.bridge.do(
            work,
            then=None if then is None else alive(then),
            failed=None if failed is None else alive(failed),
        )

    def change_policy(self, policy: Policy, undo: str = "") -> None:
        """Write the owner's rules down; with a sentence in `undo` the change can be taken back."""
        before = self.desk.policy

        def done(_: None) -> None:
            if undo:
                self.undo.offer(undo, lambda: self.change_policy(before))

        self.do(self.desk.change_policy(policy), then=done, failed=self._failed)

    def put(self, name: str, value: str, then: Callable[[], object] = lambda: None) -> None:
        """Write a setting of the program's down."""
        self.do(self.desk.settings.put(name, value), then=lambda _: then(), failed=self._failed)

    def _failed(self, error: AppError) -> None:
        self.banner.tell(error)
        self.refresh()


class UndoBar(QFrame):
    """Says what was done, and takes it back. Hidden until there is something."""

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("look", "card")
        self._text = label("")
        self._text.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self._take_back: Callable[[], object] = self.hide
        self.button = button(tr("Undo"), self._press, "quiet")
        row = QHBoxLayout(self)
        row.setContentsMargins(2 * GRID, GRID // 2, GRID, GRID // 2)
        row.addWidget(self._text)
        row.addWidget(self.button)
        self.hide()

    def offer(self, text: str, take_back: Callable[[], object]) -> None:
        self._text.setText(text)
        self.button.setAccessibleName(tr("Undo: {what}").format(what=text))
        self._take_back = take_back
        self.show()

    def _press(self) -> None:
        self.hide()
        self._take_back()


class Option(QWidget):
    """A box to tick, and under it what it means. `chosen` is called when a person changes it."""

    def __init__(self, text: str, why: str, chosen: Callable[[bool], object]) -> None:
        super().__init__()
        self.box = QCheckBox(text)
        self.box.setAccessibleName(text)
        self.box.setAccessibleDescription(why)
        self.box.clicked.connect(chosen)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        column.addWidget(self.box)
        if why:
            told = label(why, "muted")
            told.setContentsMargins(3 * GRID, 0, 0, 0)
            column.addWidget(told)

    def set(self, is_on: bool) -> None:  # noqa: FBT001 - a box has one value
        self.box.setChecked(is_on)


class Line(QWidget):
    """A sign, a sentence, a muted second line, and buttons on the right."""

    def __init__(self, *buttons: QPushButton) -> None:
        super().__init__()
        self.sign = label("", wraps=False)
        self.sign.setFixedWidth(2 * GRID)
        self.sign.setAlignment(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignHCenter)
        self.text = label("")
        self.detail = label("", "muted")
        words = QGridLayout()
        words.setHorizontalSpacing(GRID)
        words.setVerticalSpacing(2)
        words.setColumnStretch(1, 1)
        words.addWidget(self.sign, 0, 0)
        words.addWidget(self.text, 0, 1)
        words.addWidget(self.detail, 1, 1)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, GRID // 2, 0, GRID // 2)
        row.setSpacing(GRID)
        row.addLayout(words, 1)
        row.setAlignment(words, Qt.AlignmentFlag.AlignVCenter)
        for one in buttons:
            row.addWidget(one, alignment=Qt.AlignmentFlag.AlignVCenter)

    def tell(self, text: str, detail: str = "", sign: str = "", color: str = "") -> None:
        """Show something; `color` is "#RRGGBB" for the sign."""
        self.text.setText(text)
        self.detail.setText(detail)
        self.detail.setVisible(bool(detail))
        self.sign.setText(sign)
        self.sign.setVisible(bool(sign))
        self.sign.setStyleSheet(f"color: {color}" if color else "")


class Rows(QVBoxLayout):
    """A column of widgets that is made anew from data."""

    def __init__(self) -> None:
        super().__init__()
        self.setSpacing(GRID)

    def fill(self, widgets: list[QWidget]) -> None:
        while (item := self.takeAt(0)) is not None:
            if (old := item.widget()) is not None:
                old.hide()
                old.deleteLater()
        for widget in widgets:
            self.addWidget(widget)


def card(title: str = "", intro: str = "") -> tuple[QFrame, QVBoxLayout]:
    """Make a card; return it and where its widgets go."""
    frame = QFrame()
    frame.setProperty("look", "card")
    inside = QVBoxLayout(frame)
    inside.setContentsMargins(2 * GRID, 2 * GRID, 2 * GRID, 2 * GRID)
    inside.setSpacing(GRID + GRID // 2)
    if title:
        inside.addWidget(label(title, "heading"))
    if intro:
        inside.addWidget(label(intro, "muted"))
    return frame, inside


def row(*parts: QWidget | None, stretch: int = -1) -> QHBoxLayout:
    """Lay parts side by side; None is a gap that grows."""
    made = QHBoxLayout()
    made.setSpacing(GRID)
    for part in parts:
        if part is None:
            made.addStretch()
        else:
            made.addWidget(part)
    if stretch >= 0:
        made.setStretch(stretch, 1)
    return made


def named(field: QWidget, text: str) -> QLabel:
    """Make the label of a field; its letter with & jumps there, and screen readers read it."""
    made = QLabel(text)
    made.setBuddy(field)
    field.setAccessibleName(text.replace("&", ""))
    return made


def spin(field: S, name: str) -> S:
    """Give a spin box its name, and the margin that a style sheet cannot give it."""
    field.setAccessibleName(name)
    field.lineEdit().setTextMargins(GRID, 0, 0, 0)
    return field


def words_of(error: ErrorBody) -> str:
    return f"{error.message}\n{error.hint}".strip()


def show_file(path: object, *_: Any) -> None:
    """Open a file or folder in the program the system has for it."""
    QDesktopServices.openUrl(QUrl.fromLocalFile(str(path)))


def show_page(address: str) -> None:
    """Open a page in the browser."""
    QDesktopServices.openUrl(QUrl(address))
