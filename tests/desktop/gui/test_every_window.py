"""What holds for every state of every window: names for screen readers, a way by the keyboard."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAccessible
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSlider,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QHeaderView,
    QLineEdit,
    QPlainTextEdit,
    QScrollBar,
    QTextEdit,
    QWidget,
)
from pytestqt.qtbot import QtBot

from desktop.gui.style import Style
from tests.desktop.gui.loop import on_qt_loop
from tests.desktop.gui.scenes import all_scenes
from tests.desktop.gui.world import open_desk

INTERACTIVE = (
    QAbstractButton, QAbstractItemView, QAbstractSlider, QAbstractSpinBox, QComboBox, QLineEdit,
    QPlainTextEdit, QTextEdit,
)  # fmt: skip
SCENES = all_scenes()


def parts(window: QWidget) -> list[QWidget]:
    """What a person can act on, without what Qt puts into its own widgets."""
    found = [window, *window.findChildren(QWidget)]
    return [
        w
        for w in found
        if isinstance(w, INTERACTIVE)
        and not isinstance(w, QScrollBar | QHeaderView)
        and w.isVisibleTo(window)
        and not w.objectName().startswith("qt_")
        and not isinstance(w.parentWidget(), QComboBox | QAbstractSpinBox | QLineEdit)
    ]


def spoken(widget: QWidget) -> str:
    face = QAccessible.queryAccessibleInterface(widget)
    return "" if face is None else face.text(QAccessible.Text.Name).strip()


@pytest.mark.parametrize("name", sorted(SCENES))
@on_qt_loop
async def test_everything_has_a_name_and_can_be_reached_by_the_keyboard(
    qtbot: QtBot, tmp_path: Path, name: str
) -> None:
    app = QApplication.instance()
    assert isinstance(app, QApplication)
    style = Style(app, "light")
    async with open_desk(tmp_path) as (desk, bridge):
        window = await SCENES[name](desk, bridge, style)
        qtbot.addWidget(window)
        window.show()
        unnamed = [repr(w) for w in parts(window) if not spoken(w)]
        assert not unnamed
        unreachable = [
            spoken(w)
            for w in parts(window)
            if w.isEnabled() and not w.focusPolicy() & Qt.FocusPolicy.TabFocus
        ]
        assert not unreachable
        window.close()
