"""What a person chooses of the list: words, state, machine, kind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from PySide6.QtCore import QSignalBlocker, QTimer, Signal
from PySide6.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QLineEdit,
    QVBoxLayout,
    QWidget,
)

from desktop.gui.language import tr
from desktop.gui.parts import label
from desktop.gui.style import GRID
from desktop.gui.windows.jobs.chips import Chips
from desktop.store.copied_list import FOUND_LINES_MAX, Shelf, Wanted
from shared.plain_text import plain_line

TYPING_MS = 30
"""A search begins when nothing was typed for so long."""
WORDS_CHARS_MAX = 200
ALL = -1
"""The chip that leaves out nothing."""
NAME_CHARS_MAX = 40


class FilterBar(QWidget):
    """Says which jobs are wanted; the order stands with the table's header."""

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.search = search_box(tr("Search titles, tasks and logs"))
        self._machines = _choice(tr("Computer"), tr("All computers"))
        self._kinds = _choice(tr("Kind"), tr("All kinds"))
        self._chips = Chips({ALL: tr("All"), **_words()}, ALL)
        typing = QTimer(self, singleShot=True, interval=TYPING_MS)
        typing.timeout.connect(self.changed)
        self.search.textChanged.connect(lambda _text: typing.start())
        for choice in (self._machines, self._kinds):
            choice.currentIndexChanged.connect(lambda _index: self.changed.emit())
        self._chips.chosen.connect(lambda _number: self.changed.emit())
        self._arrange()

    def wanted(self, before: Wanted) -> Wanted:
        """Return what is wanted now, in the order of before."""
        chosen = self._chips.current
        return replace(
            before,
            shelf=None if chosen == ALL else Shelf(chosen),
            machine=self._machines.currentData() or "",
            kind=self._kinds.currentData() or "",
            words=self.search.text(),
        )

    def clear(self) -> None:
        """Want everything again."""
        with QSignalBlocker(self):
            self.search.clear()
            self._machines.setCurrentIndex(0)
            self._kinds.setCurrentIndex(0)
            self._chips.choose(ALL)
        self.changed.emit()

    def tell_cut(self, *, is_cut: bool) -> None:
        """Say that the words are in so many lines that not every job of them is listed."""
        self._cut.setVisible(is_cut)

    def choose_shelf(self, shelf: Shelf) -> None:
        self._chips.press(shelf)

    def offer(
        self, counts: Mapping[Shelf, int], machines: Sequence[str], kinds: Sequence[str]
    ) -> None:
        """Show what there is to choose from."""
        for shelf in (Shelf.RUNNING, Shelf.WAITING, Shelf.ASKING, Shelf.FAILED):
            word, count = _words()[shelf], counts.get(shelf, 0)
            self._chips.say(shelf, f"{word} {count:,}" if count else word)
        _fill(self._machines, machines)
        _fill(self._kinds, kinds)

    def _arrange(self) -> None:
        above = QHBoxLayout()
        above.setSpacing(GRID)
        above.addWidget(self.search, 1)
        above.addWidget(self._machines)
        above.addWidget(self._kinds)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(GRID)
        column.addLayout(above)
        column.addWidget(self._chips)
        told = tr("These words are in many lines; the jobs of the newest {count} are listed.")
        self._cut = label(told.format(count=f"{FOUND_LINES_MAX:,}"), "muted")
        self._cut.hide()
        column.addWidget(self._cut)


def search_box(told: str) -> QLineEdit:
    """Make a box to type words into."""
    box = QLineEdit()
    box.setPlaceholderText(told)
    box.setAccessibleName(told)
    box.setClearButtonEnabled(True)
    box.setMaxLength(WORDS_CHARS_MAX)
    return box


def _words() -> dict[int, str]:
    return {
        Shelf.RUNNING: tr("Running"),
        Shelf.WAITING: tr("Waiting"),
        Shelf.ASKING: tr("Asking"),
        Shelf.FAILED: tr("Failed"),
        Shelf.DONE: tr("Done"),
    }


def _choice(name: str, everything: str) -> QComboBox:
    box = QComboBox()
    box.setAccessibleName(name)
    box.addItem(everything, "")
    box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
    box.setMaximumWidth(180)
    return box


def _fill(box: QComboBox, values: Sequence[str]) -> None:
    """Offer other values, and keep the one that is chosen."""
    chosen = box.currentData()
    wanted = list(dict.fromkeys([*values, *([chosen] if chosen else [])]))
    if [box.itemData(n) for n in range(1, box.count())] == wanted:
        return
    with QSignalBlocker(box):
        while box.count() > 1:
            box.removeItem(1)
        for value in wanted:
            box.addItem(plain_line(value)[:NAME_CHARS_MAX], value)
        box.setCurrentIndex(max(0, box.findData(chosen)))
