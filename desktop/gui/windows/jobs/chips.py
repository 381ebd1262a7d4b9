"""A row of small buttons of which one is chosen."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QWidget

from desktop.gui.language import tr
from desktop.gui.parts import button
from desktop.gui.style import GRID


class Chips(QWidget):
    """Every chip is a stop of the Tab key; Qt's exclusive groups would leave that to arrows."""

    chosen = Signal(int)
    """A person has chosen another one."""

    def __init__(self, words: Mapping[int, str], first: int) -> None:
        """Make the row.

        Args:
            words: by number, in their order.
            first: is chosen at the start.
        """
        super().__init__()
        self._chosen = first
        self._chips: dict[int, QPushButton] = {}
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(GRID // 2)
        for number, word in words.items():
            name = tr("Show: {word}").format(word=word)
            chip = button(word, partial(self._press, number), "chip", name=name)
            chip.setCheckable(True)
            self._chips[number] = chip
            row.addWidget(chip)
        row.addStretch()
        self.choose(first)

    @property
    def current(self) -> int:
        return self._chosen

    def choose(self, chosen: int) -> None:
        """Show another one as chosen, without telling anybody."""
        self._chosen = chosen
        for number, chip in self._chips.items():
            chip.setChecked(number == chosen)

    def say(self, number: int, text: str) -> None:
        self._chips[number].setText(text)

    def press(self, number: int) -> None:
        self._chips[number].click()

    def _press(self, number: int) -> None:
        is_other = number != self._chosen
        self.choose(number)
        if is_other:
            self.chosen.emit(number)
