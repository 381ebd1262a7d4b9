"""Settings, Hub: which one this computer belongs to, how the line is, leaving, joining another."""

from __future__ import annotations

from PySide6.QtCore import QTimer
from PySide6.QtGui import QHideEvent, QShowEvent
from PySide6.QtWidgets import QFrame

from desktop.core.link import LinkState
from desktop.core.news import News
from desktop.gui import standing
from desktop.gui.bridge import Bridge
from desktop.gui.fresh import Fresh
from desktop.gui.language import tr, trn
from desktop.gui.parts import button, label
from desktop.gui.style import Style
from desktop.gui.windows.settings.section import Line, Section, card, row, words_of
from shared.plain_text import plain_line

SECOND_MS = 1000


class Hub(Section):
    def __init__(self, bridge: Bridge, style: Style) -> None:
        super().__init__(
            bridge,
            style,
            tr("Hub"),
            tr(
                "The hub carries messages between your chats and your computers. It sees what you "
                "ask and what comes out, never your files, models or keys."
            ),
        )
        bridge.hears(self, News.STATUS, News.PAIRING, News.JOBS, then=self.refresh)

    def build(self) -> None:
        # Counts down to the next try; only while this page is seen and the line is down.
        self._clock = QTimer(self)
        self._clock.setInterval(SECOND_MS)
        self._clock.timeout.connect(self._show_line)
        inside = self.card()
        self.name = Line()
        self.try_button = button(tr("Try now"), self.desk.hurry, "quiet")
        self.line = Line(self.try_button)
        self._waiting = 0
        self._fresh = Fresh(
            self.bridge, self, self.desk.waiting_count, self._count, is_always=False
        )
        inside.addWidget(self.name)
        inside.addWidget(self.line)
        self.first_button = button(tr("Connect to a hub…"), self._pair, "primary")
        self.pair_button = button(tr("Connect to another hub…"), self._pair)
        self.leave_button = button(tr("Leave this hub…"), self._ask, "danger")
        inside.addLayout(row(self.first_button, self.pair_button, self.leave_button, None))
        self._sure = self._build_sure()
        self.column.addWidget(self._sure)

    def refresh(self) -> None:
        pairing = self.desk.pairing
        self.leave_button.setVisible(pairing is not None)
        self.first_button.setVisible(pairing is None)
        self.pair_button.setVisible(pairing is not None)
        self.line.setVisible(pairing is not None)
        if pairing is None:
            self._sure.hide()
            self.name.tell(
                tr("This computer belongs to no hub."),
                tr("It can belong to yours, to a friend's, or to one of its own."),
            )
        else:
            told = tr("{worker} works for {person} · {address}").format(
                worker=plain_line(pairing.worker_name),
                person=plain_line(pairing.person_name),
                address=plain_line(pairing.hub_url),
            )
            self.name.tell(plain_line(pairing.hub_name), told)
        self._show_line()
        self._fresh.ask()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._show_line()

    def hideEvent(self, event: QHideEvent) -> None:
        self._clock.stop()
        super().hideEvent(event)

    def _show_line(self) -> None:
        link, tokens = self.desk.link, self.look.tokens
        self.try_button.setVisible(link is not None and link.state is LinkState.OFFLINE)
        waits = link is not None and link.state is LinkState.OFFLINE and self.isVisible()
        if waits and self.desk.next_try_at is not None:
            self._clock.start()
        else:
            self._clock.stop()
        if link is None:
            self.line.tell(tr("Not connected yet."))
            return
        why = words_of(link.error) if link.error else ""
        match link.state:
            case LinkState.ONLINE:
                self.line.tell(tr("Connected."), self._changes(), sign="✓", color=tokens.done)
            case LinkState.CONNECTING:
                self.line.tell(tr("Connecting …"), self._why(why), sign="…", color=tokens.muted)
            case LinkState.OFFLINE:
                told = self._why(why)
                self.line.tell(self._next_try(), told, sign="⚠", color=tokens.waiting)
            case LinkState.REFUSED:
                told = tr("Not connected; it is not tried again by itself.")
                self.line.tell(told, why, sign="✕", color=tokens.failed)

    def _count(self, waiting: int) -> None:
        self._waiting = waiting
        self._show_line()

    def _changes(self) -> str:
        """Say what the hub has still to be told; nothing for what is gone in a moment."""
        told = standing.changes(self._waiting)
        return f"{told}." if told else ""

    def _why(self, why: str) -> str:
        return "\n".join(part for part in (why.strip(), self._changes()) if part)

    def _next_try(self) -> str:
        at = self.desk.next_try_at
        if at is None:
            return tr("Offline.")
        seconds = max(0, round((at - self.desk.environment.now()).total_seconds()))
        return trn(
            "Offline; the next try is in {count} second.",
            "Offline; the next try is in {count} seconds.",
            seconds,
        )

    def _build_sure(self) -> QFrame:
        frame, inside = card(tr("Leave this hub?"))
        inside.addWidget(
            label(
                tr(
                    "Jobs that run here are stopped, and your chats reach this computer no more. "
                    "Models, files and your rules stay. To come back you pair it again."
                )
            )
        )
        leaves = button(tr("Leave"), self._leave, "danger")
        stays = button(tr("Stay"), frame.hide)
        inside.addLayout(row(leaves, stays, None))
        frame.hide()
        return frame

    def _ask(self) -> None:
        self._sure.show()
        self.ensureWidgetVisible(self._sure)

    def _leave(self) -> None:
        self._sure.hide()
        self.do(self.desk.leave(), failed=self.banner.tell)

    def _pair(self) -> None:
        self.bridge.opened.emit("pairing", "")
