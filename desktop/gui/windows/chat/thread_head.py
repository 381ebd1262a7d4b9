"""The head of a thread: what it is, how it stands, where it runs, and the way to its log."""

from __future__ import annotations

from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from desktop.desk.standing import Whereabouts
from desktop.gui import standing
from desktop.gui.bridge import Bridge
from desktop.gui.chip import StateChip
from desktop.gui.language import tr
from desktop.gui.parts import button
from desktop.gui.style import GRID, SMALL, TITLE, Style
from desktop.gui.windows.chat.elided import Elided
from desktop.store.threads import Talk
from shared.jobs import JobState
from shared.plain_text import plain_line


class ThreadHead(QWidget):
    def __init__(self, bridge: Bridge, style: Style) -> None:
        super().__init__()
        self._bridge = bridge
        self._style = style
        self._job_id = ""
        self._title = Elided(pixels=TITLE, is_bold=True)
        self._chip = StateChip(style)
        self._chip.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self._place = Elided(pixels=SMALL)
        self._log = button(
            tr("Open in Jobs"), lambda: bridge.opened.emit("jobs", self._job_id), "quiet"
        )
        low = QHBoxLayout()
        low.setSpacing(GRID)
        low.addWidget(self._chip)
        low.addWidget(self._place, 1)
        words = QVBoxLayout()
        words.setSpacing(GRID // 2)
        words.addWidget(self._title)
        words.addLayout(low)
        row = QHBoxLayout(self)
        row.setContentsMargins(2 * GRID, 2 * GRID, 2 * GRID, GRID + GRID // 2)
        row.addLayout(words, 1)
        row.addWidget(self._log)
        style.changed.connect(self._ink)

    def tell(self, talk: Talk, place: Whereabouts) -> None:
        """Show a thread's newest job, and what its state does not say."""
        job = talk.jobs[-1] if talk.jobs else None
        self._log.setVisible(job is not None)
        if job is None:
            return
        self._job_id = job.job_id
        self._title.tell(plain_line(job.title or job.kind))
        self._chip.show_state(JobState.ASKING if talk.open else job.state)
        where = tr("on {machine}").format(machine=plain_line(job.machine)) if job.machine else ""
        stands = standing.foot(standing.of_job(job, place))
        told = " · ".join(part for part in (where, f"#{job.short_id}", stands) if part)
        self._place.tell(plain_line(told))
        self._log.setAccessibleName(
            tr("Open in Jobs: {what}").format(what=plain_line(job.title or job.kind))
        )
        self._ink()

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setPen(self._style.color("line"))
        painter.drawLine(0, self.height() - 1, self.width(), self.height() - 1)
        painter.end()

    def _ink(self) -> None:
        self._title.ink(self._style.color("text"))
        self._place.ink(self._style.color("muted"))
