"""The fields of a kind as a small form; what is typed in the line above fills them, too."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QHBoxLayout,
    QLineEdit,
    QVBoxLayout,
    QWidget,
)

from desktop.gui.language import tr
from desktop.gui.parts import button, label
from desktop.gui.style import GRID
from desktop.gui.windows.chat.kinds import Field, Shape, fields_of
from shared.kinds import Kind

USUAL_MAX = 2
"""Fields shown at once; the others come on asking."""


class Fields(QWidget):
    """The form of the kind that was shown last."""

    browsed = Signal()
    """The person wants to choose a file."""
    entered = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(GRID)
        self._inputs: dict[str, QLineEdit | QComboBox | QCheckBox] = {}
        self._typed: dict[str, str] = {}

    @property
    def texts(self) -> dict[str, str]:
        """What stands in the fields, by name."""
        return {name: _text(one) for name, one in self._inputs.items()}

    def show_kind(self, kind: Kind, values: Mapping[str, str], *, is_new: bool) -> None:
        """Show a kind's fields.

        Args:
            kind: whose.
            values: what the line above says; it fills fields, and empties what it filled before.
            is_new: whether another kind was shown so far.
        """
        if is_new:
            self._make(fields_of(kind))
        for name, one in self._inputs.items():
            if name in values:
                _fill(one, values[name])
            elif name in self._typed and _text(one) == self._typed[name]:
                _fill(one, "")
        self._typed = dict(values)

    def fill_file(self, path: str) -> None:
        one = self._inputs.get("file")
        if one is not None:
            _fill(one, path)

    def focus_first_empty(self) -> None:
        for one in self._inputs.values():
            if isinstance(one, QLineEdit) and not one.text() and one.isVisibleTo(self):
                one.setFocus(Qt.FocusReason.OtherFocusReason)
                return

    def _make(self, fields: tuple[Field, ...]) -> None:
        while (item := self._column.takeAt(0)) is not None:
            old = item.widget()
            if old is not None:
                old.hide()
                old.deleteLater()
        self._inputs = {}
        for one in fields[:USUAL_MAX]:
            self._column.addWidget(self._row(one))
        if rest := fields[USUAL_MAX:]:
            more = QWidget()
            column = QVBoxLayout(more)
            column.setContentsMargins(0, 0, 0, 0)
            column.setSpacing(GRID)
            for one in rest:
                column.addWidget(self._row(one))
            more.hide()
            opens = button(tr("More options"), lambda: None, "quiet")
            opens.setCheckable(True)
            opens.toggled.connect(more.setVisible)
            self._column.addWidget(opens, alignment=Qt.AlignmentFlag.AlignLeft)
            self._column.addWidget(more)

    def _row(self, one: Field) -> QWidget:
        row = QWidget()
        column = QVBoxLayout(row)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(GRID // 2)
        made = self._input(one)
        self._inputs[one.name] = made
        if one.shape is not Shape.SWITCH:
            column.addWidget(label(one.label, "muted"))
        line = QHBoxLayout()
        line.addWidget(made, 1)
        if one.shape is Shape.FILE:
            line.addWidget(button(tr("Browse …"), self.browsed.emit, name=tr("Browse for a file")))
        column.addLayout(line)
        return row

    def _input(self, one: Field) -> QLineEdit | QComboBox | QCheckBox:
        made: QLineEdit | QComboBox | QCheckBox
        match one.shape:
            case Shape.SWITCH:
                made = QCheckBox(one.label)
            case Shape.CHOICE:
                made = QComboBox()
                made.addItems(list(one.choices))
                made.setCurrentText(one.default)
            case Shape.FILE | Shape.TEXT | Shape.NUMBER:
                made = QLineEdit()
                made.setPlaceholderText(one.default)
                made.returnPressed.connect(self.entered)
        made.setAccessibleName(one.label)
        return made


def _text(one: QLineEdit | QComboBox | QCheckBox) -> str:
    if isinstance(one, QCheckBox):
        return "true" if one.isChecked() else "false"
    return one.text() if isinstance(one, QLineEdit) else one.currentText()


def _fill(one: QLineEdit | QComboBox | QCheckBox, text: str) -> None:
    if isinstance(one, QCheckBox):
        one.setChecked(text == "true")
    elif isinstance(one, QLineEdit):
        one.setText(text)
    else:
        one.setCurrentText(text)
