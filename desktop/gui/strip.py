"""The lines on top of a window while something about the whole computer should be known.

The hub cannot be heard, something needs a newer program: a sentence each, and what helps.
"""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from desktop.core.news import News
from desktop.desk.standing import line_of
from desktop.gui import standing
from desktop.gui.bridge import Bridge
from desktop.gui.fresh import Fresh
from desktop.gui.language import tr
from desktop.gui.parts import button, label
from desktop.gui.standing import Notice
from desktop.gui.style import GRID
from desktop.store import pending
from desktop.store.pending import Pending


class Strip(QWidget):
    """Hidden while there is nothing to say."""

    def __init__(self, bridge: Bridge, *, margin: int = 0) -> None:
        """Make it.

        Args:
            bridge: to the desk.
            margin: pixels around it, for windows whose parts reach to the edge.
        """
        super().__init__()
        self._bridge = bridge
        self._desk = bridge.desk
        self._shown: tuple[Notice, ...] = ()
        self._rows: list[tuple[QLabel, QPushButton]] = []
        card = QFrame()
        card.setProperty("look", "card")
        self._column = QVBoxLayout(card)
        self._column.setContentsMargins(2 * GRID, GRID // 2, GRID, GRID // 2)
        self._column.setSpacing(0)
        outer = QHBoxLayout(self)
        outer.setContentsMargins(margin, margin, margin, 0)
        outer.addWidget(card)
        self._fresh = Fresh(bridge, self, self._read, self._took, is_always=True)
        bridge.hears(
            self, News.STATUS, News.JOBS, News.QUESTIONS, News.PAIRING, then=self._fresh.ask
        )
        self.hide()
        self._fresh.ask()

    @property
    def texts(self) -> tuple[str, ...]:
        """What it says."""
        return tuple(notice.text for notice in self._shown)

    async def _read(self) -> Pending:
        folder = self._desk.paths.data
        return await self._desk.look(lambda c: pending.read(c, folder))

    def _took(self, read: Pending) -> None:
        if self._desk.pairing is None:
            unpaired = tr("This computer belongs to no hub yet, so nothing can be asked for.")
            action = tr("Connect this computer")
            self._show((Notice(text=unpaired, action=action, window="pairing"),))
        else:
            self._show(standing.notices(line_of(self._desk, read.changes), read))

    def _show(self, notices: tuple[Notice, ...]) -> None:
        if notices == self._shown:
            return
        self._shown = notices
        while len(self._rows) < len(notices):
            self._rows.append(self._make_row())
        for number, (words, act) in enumerate(self._rows):
            is_used = number < len(notices)
            words.setVisible(is_used)
            act.setVisible(is_used and bool(notices[number].action))
            if is_used:
                self._fill(words, act, notices[number])
        self.setAccessibleName(" ".join(self.texts))
        self.setVisible(bool(notices))

    def _make_row(self) -> tuple[QLabel, QPushButton]:
        words, act = label(""), button("", lambda: None, "quiet")
        row = QHBoxLayout()
        row.setSpacing(GRID)
        row.addWidget(words, 1)
        row.addWidget(act, 0, Qt.AlignmentFlag.AlignVCenter)
        self._column.addLayout(row)
        return words, act

    def _fill(self, words: QLabel, act: QPushButton, notice: Notice) -> None:
        words.setText(f"⚠ {notice.text}")
        words.setMinimumHeight(4 * GRID)
        act.setText(notice.action)
        act.setAccessibleName(notice.action)
        act.clicked.disconnect()
        act.clicked.connect(partial(self._act, notice))

    def _act(self, notice: Notice, _checked: bool = False) -> None:  # noqa: FBT001, FBT002 - Qt's
        if notice.window:
            self._bridge.opened.emit(notice.window, notice.item)
        else:
            self._desk.hurry()
