"""Several open questions as one form: fill in what is known, send it together."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QComboBox,
    QFormLayout,
    QFrame,
    QHBoxLayout,
    QLineEdit,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from desktop.gui.language import tr, trn
from desktop.gui.parts import button, label
from desktop.gui.style import GRID, Style
from desktop.gui.windows.chat.flowing import Flowing
from desktop.gui.windows.chat.question_view import Answers
from desktop.store.copied import QuestionRow
from shared.ids import QuestionId
from shared.plain_text import plain, plain_line

HEIGHT_MAX = 40 * GRID


class Form(QFrame):
    """Hidden unless two or more questions are open."""

    def __init__(self, style: Style, answers: Answers) -> None:
        super().__init__()
        self.setProperty("look", "card")
        self._style = style
        self._answers = answers
        self._fields: dict[QuestionId, _Field] = {}
        self._title = label("")
        self._title.setProperty("look", "muted")
        self._send = button("", self._answer_all, "primary")
        self._area = QScrollArea()
        self._area.setWidgetResizable(True)
        self._area.setFrameShape(QFrame.Shape.NoFrame)
        self._area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        foot = QHBoxLayout()
        foot.addWidget(label(tr("What you leave open stays open."), "muted"), 1)
        foot.addWidget(self._send)
        column = QVBoxLayout(self)
        column.setContentsMargins(2 * GRID, GRID, 2 * GRID, GRID)
        column.addWidget(self._title)
        column.addWidget(self._area)
        column.addLayout(foot)
        self.hide()

    @property
    def is_asking(self) -> bool:
        return len(self._fields) > 1

    def tell(self, rows: tuple[QuestionRow, ...]) -> None:
        """Ask these questions; what was filled in already stays."""
        if len(rows) <= 1:
            self._fields = {}
            self.hide()
            return
        if [row.question_id for row in rows] == list(self._fields):
            return
        before = {one: field.value for one, field in self._fields.items()}
        body = QWidget()
        lines = QFormLayout(body)
        lines.setRowWrapPolicy(QFormLayout.RowWrapPolicy.WrapAllRows)
        lines.setContentsMargins(0, 0, GRID, 0)
        lines.setVerticalSpacing(GRID)
        self._fields = {}
        for row in rows:
            field = _Field(row, self._tell_button)
            field.fill(before.get(row.question_id, ""))
            self._fields[row.question_id] = field
            ink = self._style.color("text")
            lines.addRow(Flowing(plain(row.asking.text), token_color=ink), field.widget)
        self._area.setWidget(body)
        # The card's own ground shows through.
        body.setAutoFillBackground(False)
        self._area.viewport().setAutoFillBackground(False)
        self._area.setFixedHeight(min(HEIGHT_MAX, body.sizeHint().height() + GRID))
        self._title.setText(
            trn("{count} question is open", "{count} questions are open", len(rows))
        )
        self.setAccessibleName(self._title.text())
        self._tell_button()
        self.show()

    def _tell_button(self) -> None:
        filled = sum(1 for field in self._fields.values() if field.answer() is not None)
        self._send.setText(
            trn("Send {count} answer", "Send {count} answers", filled) if filled else tr("Send")
        )
        self._send.setAccessibleName(self._send.text())
        self._send.setEnabled(bool(filled))

    def _answer_all(self) -> None:
        for field in tuple(self._fields.values()):
            value = field.answer()
            if value is not None:
                self._answers(field.row, value)


class _Field:
    """One question of the form; nothing is chosen before the person chooses."""

    def __init__(self, row: QuestionRow, changed: Callable[[], None]) -> None:
        self.row = row
        self._list: QComboBox | None = None
        self._line: QLineEdit | None = None
        name = plain_line(row.asking.text)
        if row.asking.choices:
            self._list = _list_of(row, name)
            self._list.currentTextChanged.connect(lambda _text: changed())
            self._list.currentIndexChanged.connect(lambda _index: changed())
        else:
            self._line = QLineEdit()
            self._line.setAccessibleName(name)
            self._line.textChanged.connect(lambda _text: changed())

    @property
    def widget(self) -> QWidget:
        found = self._list or self._line
        assert found is not None
        return found

    @property
    def value(self) -> str:
        return self.answer() or ""

    def fill(self, value: str) -> None:
        if self._line is not None:
            self._line.setText(value)
        elif self._list is not None and value:
            index = self._list.findData(value)
            self._list.setCurrentIndex(index)
            if index < 0:
                self._list.setEditText(value)

    def answer(self) -> str | None:
        """Return what was filled in, or None."""
        if self._line is not None:
            return self._line.text().strip() or None
        assert self._list is not None
        index = self._list.currentIndex()
        if index >= 0 and self._list.currentText() == self._list.itemText(index):
            return str(self._list.itemData(index))
        text = self._list.currentText().strip()
        return text if text and self.row.asking.allow_text else None


def _list_of(row: QuestionRow, name: str) -> QComboBox:
    made = QComboBox()
    made.setAccessibleName(name)
    for choice in row.asking.choices:
        told = " · ".join(plain_line(part) for part in (choice.label, choice.detail) if part)
        made.addItem(told, choice.value)
    made.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    if row.asking.allow_text:
        made.setEditable(True)
        made.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
        edit = made.lineEdit()
        assert edit is not None
        edit.setPlaceholderText(tr("Choose or write …"))
    else:
        made.setPlaceholderText(tr("Choose …"))
    made.setCurrentIndex(-1)
    return made
