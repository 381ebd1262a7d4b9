"""The bubble of a job that runs: edited in place while it goes on, gone when it has ended."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QProgressBar, QVBoxLayout, QWidget

from desktop.gui.language import tr
from desktop.gui.parts import button
from desktop.gui.style import GRID, SMALL, Style
from desktop.gui.windows.chat.flowing import Flowing
from desktop.gui.windows.chat.times import span
from shared.ids import JobId
from shared.messages import Progress
from shared.plain_text import plain_line

STEPS = 1000
"""How finely the bar is divided."""


class ProgressView(QWidget):
    """One job's; `tell` as often as there is news."""

    def __init__(self, style: Style, stops: Callable[[JobId], None]) -> None:
        super().__init__()
        self._job_id = JobId("")
        card = QFrame()
        card.setProperty("look", "card")
        self._words = Flowing("", token_color=style.color("text"))
        self._left = Flowing("", token_color=style.color("muted"), pixels=SMALL)
        # A row of its own: beside the button a second line would not be seen.
        self._ending = Flowing("", token_color=style.color("muted"), pixels=SMALL)
        self._bar = QProgressBar()
        self._bar.setTextVisible(False)
        self._bar.setFixedHeight(GRID)
        self._bar.setAccessibleName(tr("Progress"))
        self._stop = button(tr("Stop"), lambda: stops(self._job_id), "danger")
        foot = QHBoxLayout()
        foot.addWidget(self._left, 1)
        foot.addWidget(self._stop, alignment=Qt.AlignmentFlag.AlignRight)
        column = QVBoxLayout(card)
        column.setContentsMargins(2 * GRID, GRID + 2, 2 * GRID, GRID + 2)
        column.addWidget(self._words)
        column.addWidget(self._bar)
        column.addWidget(self._ending)
        column.addLayout(foot)
        card.setFixedWidth(52 * GRID)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(card)
        row.addStretch()
        self._style = style
        style.changed.connect(self._ink)

    def tell(
        self, job_id: JobId, title: str, machine: str, progress: Progress | None, *, ending: str
    ) -> None:
        """Show how far a job is.

        Args:
            job_id: which.
            title: its name.
            machine: where it runs.
            progress: None when nothing is known but that it runs, as on other computers.
            ending: how its end comes about, when somebody wants it stopped; otherwise empty.
        """
        self._job_id = job_id
        self._words.tell(_words(title, machine, progress))
        self._left.tell("" if ending else _left(progress))
        self._ending.tell(ending)
        self._ending.setVisible(bool(ending))
        self._left.setVisible(not ending)
        is_counted = progress is not None and progress.total > 0
        self._bar.setVisible(is_counted)
        if progress is not None and is_counted:
            self._bar.setRange(0, STEPS)
            self._bar.setValue(int(min(1.0, progress.done / progress.total) * STEPS))
        self._stop.setAccessibleName(tr("Stop: {what}").format(what=title))
        self._stop.setEnabled(not ending)
        self.setAccessibleName(f"{self._words.text} {ending or self._left.text}".strip())

    def _ink(self) -> None:
        self._words.ink(self._style.color("text"))
        self._left.ink(self._style.color("muted"))
        self._ending.ink(self._style.color("muted"))


def _words(title: str, machine: str, progress: Progress | None) -> str:
    stage = plain_line(progress.stage) if progress is not None else ""
    head = tr("{what} on {machine}").format(what=title, machine=machine) if machine else title
    return f"{head}: {stage}" if stage else head


def _left(progress: Progress | None) -> str:
    if progress is None:
        return tr("running …")
    parts = []
    if progress.total > 0:
        if progress.total > 1 and progress.done == int(progress.done):
            parts.append(
                tr("{done} of {total}").format(
                    done=f"{int(progress.done):,}", total=f"{int(progress.total):,}"
                )
            )
        else:
            parts.append(f"{min(1.0, progress.done / progress.total):.0%}")
    if progress.eta_seconds is not None:
        parts.append(tr("{time} left").format(time=span(progress.eta_seconds)))
    return " · ".join(parts) or tr("running …")
