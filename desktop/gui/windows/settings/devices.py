"""Settings, Devices: the computers of this person, as the hub's log tells of them."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from desktop.core.link import LinkState
from desktop.core.news import News
from desktop.gui.bridge import Bridge
from desktop.gui.language import tr
from desktop.gui.parts import button, label
from desktop.gui.style import Style
from desktop.gui.windows.settings.section import Line, Rows, Section, row
from desktop.store import copied
from desktop.store.copied import Worker
from shared.plain_text import plain_line


class Devices(Section):
    def __init__(self, bridge: Bridge, style: Style) -> None:
        super().__init__(
            bridge,
            style,
            tr("Devices"),
            tr("Your computers on this hub, as far as this one has heard of them."),
        )
        bridge.hears(self, News.WORKERS, News.PAIRING, News.STATUS, then=self.refresh)

    def build(self) -> None:
        inside = self.card()
        self.rows = Rows()
        self._empty = label(tr("No computer is connected yet."), "muted")
        inside.addWidget(self._empty)
        inside.addLayout(self.rows)
        pairs = button(tr("Connect this computer…"), lambda: self.bridge.opened.emit("pairing", ""))
        self._pair = pairs
        inside.addLayout(row(pairs, None))
        self.column.addWidget(
            label(
                tr(
                    "Another computer joins with a code: send /connect to your chat. To show one "
                    "out, send /worker and its name."
                ),
                "muted",
            )
        )

    def refresh(self) -> None:
        self.do(self.desk.look(copied.workers), then=self.show_workers)

    def show_workers(self, workers: tuple[Worker, ...]) -> None:
        here = self.desk.pairing.worker_id if self.desk.pairing else None
        ordered = sorted(workers, key=lambda w: w.worker_id != here)
        self._empty.setVisible(not ordered)
        self._pair.setVisible(here is None)
        self.rows.fill([self._line(one, is_here=one.worker_id == here) for one in ordered])

    def _line(self, worker: Worker, *, is_here: bool) -> QWidget:
        line, tokens = Line(), self.look.tokens
        name = plain_line(worker.name)
        since = "" if worker.since is None else f"{worker.since.astimezone():%d.%m. %H:%M}"
        if is_here:
            is_online = self.desk.link is not None and self.desk.link.state is LinkState.ONLINE
            told = tr("This computer, connected") if is_online else tr("This computer, offline")
            line.tell(
                name,
                told,
                sign="●" if is_online else "○",
                color=tokens.done if is_online else tokens.waiting,
            )
        elif worker.state == "revoked":
            told = tr("Shown out {time}").format(time=since)
            line.tell(name, told, sign="✕", color=tokens.muted)
        elif worker.state == "lost":
            told = tr("Asleep or offline since {time}").format(time=since)
            line.tell(name, told, sign="○", color=tokens.waiting)
        else:
            line.tell(name, tr("In touch with the hub"), sign="●", color=tokens.done)
        return line
