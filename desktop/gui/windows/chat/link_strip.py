"""The line above a thread while the hub cannot be heard: what goes on, and what waits."""

from __future__ import annotations

from PySide6.QtWidgets import QFrame, QHBoxLayout, QWidget

from desktop.core.link import LinkState
from desktop.core.news import News
from desktop.gui.bridge import Bridge
from desktop.gui.language import tr, trn
from desktop.gui.parts import button, label
from desktop.gui.style import GRID
from desktop.gui.windows.chat.fresh import Fresh


class LinkStrip(QWidget):
    """Hidden while this computer is online."""

    def __init__(self, bridge: Bridge) -> None:
        super().__init__()
        self._desk = bridge.desk
        card = QFrame()
        card.setProperty("look", "card")
        self._words = label("")
        self._pair = button(tr("Connect this computer"), lambda: bridge.opened.emit("pairing", ""))
        row = QHBoxLayout(card)
        row.setContentsMargins(2 * GRID, GRID, GRID, GRID)
        row.addWidget(self._words, 1)
        row.addWidget(self._pair)
        outer = QHBoxLayout(self)
        outer.setContentsMargins(2 * GRID, 2 * GRID, 2 * GRID, 0)
        outer.addWidget(card)
        self._fresh = Fresh(bridge, self, self._desk.waiting_count, self._show, is_always=True)
        bridge.hears(self, News.STATUS, News.JOBS, News.PAIRING, then=self._fresh.ask)
        self.hide()
        self._fresh.ask()

    def _show(self, waiting: int) -> None:
        link = self._desk.link
        is_paired = self._desk.pairing is not None
        is_online = is_paired and (link is None or link.state is LinkState.ONLINE)
        self._pair.setVisible(not is_paired)
        self._words.setText(self._told(waiting) if is_paired else unpaired())
        self.setAccessibleName(self._words.text())
        self.setVisible(not is_online)

    def _told(self, waiting: int) -> str:
        link = self._desk.link
        if link is not None and link.state is LinkState.REFUSED and link.error is not None:
            return f"⚠ {link.error.message} {link.error.hint}".strip()
        hub = self._desk.pairing.hub_name if self._desk.pairing else ""
        first = tr("⚠ {hub} cannot be heard now. What you say here is told when it is back.")
        parts = [first.format(hub=hub or tr("The hub"))]
        if waiting:
            parts.append(trn("{count} message waits.", "{count} messages wait.", waiting))
        if self._desk.next_try_at is not None:
            at = f"{self._desk.next_try_at.astimezone():%H:%M:%S}"
            parts.append(tr("Next try at {time}.").format(time=at))
        return " ".join(parts)


def unpaired() -> str:
    return tr("This computer belongs to no hub yet, so nothing can be asked for.")
