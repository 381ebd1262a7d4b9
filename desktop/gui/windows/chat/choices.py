"""The answers a question offers: a button each when they are few, a list to search in when not."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QAbstractListModel, QEvent, QModelIndex, QObject, QSize, Qt
from PySide6.QtGui import QColor, QKeyEvent
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QListView,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from desktop.gui.language import tr
from desktop.gui.parts import button, label, tip
from desktop.gui.style import GRID, ROW, SMALL, Style
from desktop.gui.windows.chat.flowing import Flowing
from shared.plain_text import plain_line
from shared.questions import Asking, Choice, QuestionKind

BUTTONS_MAX = 8
"""More choices make a list."""
ROWS_SHOWN = 6
KEYS_MAX = 9
RISKY = frozenset(
    {"discard", "delete", "remove", "overwrite", "drop", "erase", "force", "replace", "reset"}
)
"""First words of answers that undo something; their buttons say so by their colour."""


class ChoiceButton(QPushButton):
    """One answer: its label, a few more words, and the key that chooses it."""

    def __init__(self, choice: Choice, number: int, asking: Asking, style: Style) -> None:
        super().__init__()
        text, detail = plain_line(choice.label), plain_line(choice.detail)
        self.value = choice.value
        self.setAutoDefault(False)
        self.setAccessibleName(tr("{choice}, answers: {question}").format(
            choice=text, question=plain_line(asking.text)))  # fmt: skip
        self.setAccessibleDescription(detail)
        is_risky = asking.kind is QuestionKind.APPROVAL and _is_risky(choice)
        self.setProperty("look", "danger" if is_risky else "")
        words = QVBoxLayout()
        words.setSpacing(0)
        words.addWidget(_inert(Flowing(text, token_color=_ink(style, is_risky=is_risky))))
        if detail:
            muted = style.color("muted")
            words.addWidget(_inert(Flowing(detail, token_color=muted, pixels=SMALL)))
        row = QHBoxLayout(self)
        row.setContentsMargins(2 * GRID, GRID, 2 * GRID, GRID)
        row.addLayout(words, 1)
        if number <= KEYS_MAX:
            row.addWidget(_inert(label(tr("Alt+{n}").format(n=number), "muted", wraps=False)))
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Enter presses it, too, as people expect of what they have gone to."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.click()
        else:
            super().keyPressEvent(event)

    def sizeHint(self) -> QSize:
        inside = self.layout()
        assert inside is not None
        return inside.totalSizeHint().expandedTo(QSize(0, ROW))

    def minimumSizeHint(self) -> QSize:
        return QSize(8 * GRID, ROW)


class Choices(QWidget):
    """All answers of a question; calls back with the value of the one that is chosen."""

    def __init__(self, asking: Asking, style: Style, chosen: Callable[[str], None]) -> None:
        super().__init__()
        self._chosen = chosen
        self._asking = asking
        self._list: ChoiceList | None = None
        self._buttons: list[ChoiceButton] = []
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(GRID)
        if len(asking.choices) > BUTTONS_MAX:
            self._list = ChoiceList(asking, chosen)
            column.addWidget(self._list)
            return
        for number, choice in enumerate(asking.choices, 1):
            made = ChoiceButton(choice, number, asking, style)
            made.clicked.connect(lambda _checked=False, value=choice.value: chosen(value))
            self._buttons.append(made)
            column.addWidget(made)

    def press(self, number: int) -> None:
        """Choose by number, from 1. An approval is only brought to the keyboard, never given."""
        if self._list is not None:
            self._list.look_for()
        elif number <= len(self._buttons):
            pressed = self._buttons[number - 1]
            pressed.setFocus(Qt.FocusReason.ShortcutFocusReason)
            if self._asking.kind is not QuestionKind.APPROVAL:
                self._chosen(pressed.value)


class ChoiceList(QWidget):
    """Many answers: type a part of one, choose it, Enter."""

    def __init__(self, asking: Asking, chosen: Callable[[str], None]) -> None:
        super().__init__()
        self._chosen = chosen
        question = plain_line(asking.text)
        self._model = _Rows(asking.choices, self)
        self._search = QLineEdit()
        self._search.setPlaceholderText(
            tr("Search in {count} answers").format(count=len(asking.choices))
        )
        self._search.setAccessibleName(tr("Search answers of: {question}").format(
            question=question))  # fmt: skip
        self._search.textChanged.connect(self._narrow)
        self._search.returnPressed.connect(self._answer)
        self._search.installEventFilter(self)
        self._view = QListView()
        self._view.setModel(self._model)
        self._view.setUniformItemSizes(True)
        self._view.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self._view.setProperty("look", "choices")
        self._view.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._view.setFixedHeight(ROWS_SHOWN * ROW)
        self._view.setAccessibleName(tr("Answers of: {question}").format(question=question))
        self._view.doubleClicked.connect(lambda _index: self._answer())
        self._view.installEventFilter(self)
        selected = self._view.selectionModel()
        selected.currentChanged.connect(self._tell_button)
        self._send = button(
            tr("Answer"), self._answer, name=tr("Answer: {question}").format(question=question)
        )
        self._send.setEnabled(False)
        self._none = label(tr("No answer has these words."), "muted")
        self._none.hide()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(GRID)
        for part in (self._search, self._view, self._none):
            column.addWidget(part)
        column.addWidget(self._send, alignment=Qt.AlignmentFlag.AlignRight)
        self.setMinimumWidth(40 * GRID)

    def look_for(self) -> None:
        """Bring the keyboard to the search."""
        self._search.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Down leads from the search into the list; Enter there answers."""
        if isinstance(event, QKeyEvent) and event.type() is QEvent.Type.KeyPress:
            if watched is self._search and event.key() == Qt.Key.Key_Down:
                self._view.setFocus()
                if not self._view.currentIndex().isValid():
                    self._view.setCurrentIndex(self._model.index(0))
                return True
            if watched is self._view and event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
                self._answer()
                return True
        return super().eventFilter(watched, event)

    def _narrow(self, typed: str) -> None:
        self._model.narrow(typed)
        is_single = self._model.rowCount() == 1
        self._view.setCurrentIndex(self._model.index(0) if is_single else QModelIndex())
        self._none.setVisible(self._model.rowCount() == 0)

    def _tell_button(self, current: QModelIndex) -> None:
        self._send.setEnabled(current.isValid())

    def _answer(self) -> None:
        index = self._view.currentIndex()
        if index.isValid():
            self._chosen(self._model.value_at(index.row()))


class _Rows(QAbstractListModel):
    """The choices that have the words that were typed."""

    def __init__(self, choices: tuple[Choice, ...], parent: QObject) -> None:
        super().__init__(parent)
        self._all = [(choice, _told(choice)) for choice in choices]
        self._shown = self._all

    def narrow(self, typed: str) -> None:
        parts = typed.casefold().split()
        self.beginResetModel()
        self._shown = [r for r in self._all if all(part in r[1].casefold() for part in parts)]
        self.endResetModel()

    def value_at(self, row: int) -> str:
        return self._shown[row][0].value

    def rowCount(self, parent: QModelIndex | None = None) -> int:  # type: ignore[override]
        return 0 if parent is not None and parent.isValid() else len(self._shown)

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> object:  # type: ignore[override]
        if role == Qt.ItemDataRole.DisplayRole:
            return self._shown[index.row()][1]
        if role == Qt.ItemDataRole.ToolTipRole:
            return tip(self._shown[index.row()][1])
        if role == Qt.ItemDataRole.SizeHintRole:
            return QSize(0, ROW)
        return None


def _told(choice: Choice) -> str:
    return " · ".join(plain_line(part) for part in (choice.label, choice.detail) if part)


def _is_risky(choice: Choice) -> bool:
    return any(
        text.casefold().replace("_", " ").split()[:1] == [word]
        for text in (choice.value, choice.label)
        for word in RISKY
    )


def _ink(style: Style, *, is_risky: bool) -> QColor:
    return style.color("failed" if is_risky else "text")


def _inert(part: QWidget) -> QWidget:
    """Let the button beneath have the mouse, and be the one that is spoken."""
    part.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
    part.setCursor(Qt.CursorShape.ArrowCursor)
    if isinstance(part, QLabel):
        part.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
    return part
