"""One job: what it is, what came of it or went wrong, what happened when, and its log."""

from __future__ import annotations

from datetime import datetime

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QGuiApplication, QResizeEvent
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLayout,
    QMessageBox,
    QScrollArea,
    QSplitter,
    QStackedLayout,
    QVBoxLayout,
    QWidget,
)

from desktop.core.news import News
from desktop.desk.standing import whereabouts
from desktop.gui import standing, times
from desktop.gui.bridge import Bridge
from desktop.gui.chip import StateChip
from desktop.gui.language import tr
from desktop.gui.parts import Banner, EmptyState, button, label
from desktop.gui.style import GRID, Style
from desktop.gui.windows.jobs import cards, wording
from desktop.gui.windows.jobs.copying import story_text
from desktop.gui.windows.jobs.freshness import Fresh
from desktop.gui.windows.jobs.log_bar import LogWithActions
from desktop.gui.windows.jobs.plan_card import plan_card
from desktop.gui.windows.jobs.story import Story, read_story
from desktop.store.copied import JobRow
from shared.errors import AppError
from shared.ids import JobId
from shared.jobs import JobState
from shared.plain_text import plain_line

RETRIABLE = frozenset({JobState.FAILED, JobState.DEAD, JobState.INTERRUPTED})


NO_CHANGES = frozenset({"code.review", "code.diff", "code.agents"})
STORY_MIN = 96
STORY_SHARE_MAX = 0.6
"""Of the height that story and log share."""


class DetailPane(QWidget):
    """Shows a job and keeps it as new as the store."""

    closed = Signal()
    """Escape: back to the list."""

    def __init__(self, bridge: Bridge, style: Style) -> None:
        super().__init__()
        self._bridge = bridge
        self._style = style
        self._job_id: JobId | None = None
        self._story: Story | None = None
        self._is_split = False
        """The room of story and log fits this job, or the person has chosen it."""
        self.banner = Banner()
        self.log = LogWithActions(bridge, style, self.banner)
        self._title = label("", "title")
        self._meta = label("", "muted")
        self._stands = label("", "waiting")
        self._stands.hide()
        self._chip = StateChip(style)
        self._progress = cards.ProgressBar()
        self.retry = button(tr("Try again"), self._retry, "primary")
        self.cancel = button(tr("Cancel…"), self.ask_to_cancel, "danger")
        self.change = button(tr("The change"), self._open_change)
        self.chat = button(tr("Open in chat"), self._open_chat)
        self.copy = button(tr("Copy"), self._copy, name=tr("Copy all about this job as text"))
        self._fresh = Fresh(bridge, self, self._read)
        self._arrange()
        bridge.hears(self, News.JOBS, News.QUESTIONS, then=self._fresh.ring)
        bridge.hears(self, News.WORKERS, News.PAIRING, then=self._fresh.ring)
        bridge.hears(self, News.PROGRESS, then=self._tell_progress)
        bridge.hears(self, News.STATUS, then=self._tell_standing)
        style.changed.connect(self._show_again)

    @property
    def story(self) -> Story | None:
        return self._story

    @property
    def job_id(self) -> JobId | None:
        return self._job_id

    def show_job(self, job_id: JobId | None) -> None:
        """Show another job; None for none."""
        if job_id == self._job_id:
            return
        self._job_id = job_id
        self.banner.hide()
        self.log.pane.show_log(job_id)
        self._fresh.start_over()

    def ask_to_cancel(self) -> None:
        """Ask whether the job is to be cancelled; "no" is what Enter and Escape say."""
        if self._story is None or not can_cancel(self._story.job.row):
            return
        row = self._story.job.row
        box = QMessageBox(self)
        box.setTextFormat(Qt.TextFormat.PlainText)
        box.setWindowTitle(tr("Cancel the job?"))
        where = tr(" on {machine}").format(machine=plain_line(row.machine)) if row.machine else ""
        box.setText(
            tr("Cancel “{title}”{where}?").format(title=_short(wording.title(row)), where=where)
        )
        box.setInformativeText(tr("What it has not finished is lost."))
        stop = box.addButton(tr("Cancel the job"), QMessageBox.ButtonRole.DestructiveRole)
        keep = box.addButton(tr("Let it go on"), QMessageBox.ButtonRole.RejectRole)
        box.setDefaultButton(keep)
        box.setEscapeButton(keep)
        box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        stop.clicked.connect(lambda: self._do_cancel(row.job_id))
        box.open()

    def _arrange(self) -> None:
        head = QHBoxLayout()
        head.setSpacing(GRID)
        head.addWidget(self._chip, 0, Qt.AlignmentFlag.AlignTop)
        head.addWidget(self._title, 1)
        actions = QHBoxLayout()
        actions.setSpacing(GRID)
        for action in (self.retry, self.cancel, self.change, self.chat, self.copy):
            actions.addWidget(action)
        actions.addStretch()
        self._body = QVBoxLayout()
        self._body.setSpacing(2 * GRID)
        self._body.setContentsMargins(0, 0, GRID, 0)
        self._inside = inside = QWidget()
        inside.setLayout(self._body)
        scroll = QScrollArea()
        scroll.setWidget(inside)
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._split = QSplitter(Qt.Orientation.Vertical)
        self._split.addWidget(scroll)
        self._split.addWidget(self.log)
        self._split.setChildrenCollapsible(False)
        self._split.setStretchFactor(0, 0)
        self._split.setStretchFactor(1, 1)
        self._split.splitterMoved.connect(self._keep_split)
        self._scroll = scroll
        shown = QWidget()
        column = QVBoxLayout(shown)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(GRID)
        column.addLayout(head)
        column.addWidget(self._meta)
        column.addWidget(self._stands)
        column.addLayout(actions)
        column.addWidget(self.banner)
        column.addWidget(self._progress)
        column.addWidget(self._split, 1)
        self._stack = QStackedLayout(self)
        self._stack.addWidget(EmptyState(tr("Choose a job to see what it did and what it says.")))
        self._stack.addWidget(shown)

    async def _read(self) -> None:
        story = None if self._job_id is None else await read_story(self._bridge, self._job_id)
        if story != self._story:
            self._story = story
            self._show_again()

    def _show_again(self) -> None:
        story = self._story
        self._stack.setCurrentIndex(0 if story is None else 1)
        if story is None:
            return
        row, now = story.job.row, self._bridge.desk.environment.now()
        self._title.setText(wording.title(row))
        self._meta.setText(meta(story, now))
        self._tell_standing()
        self._chip.show_state(row.state)
        self._show_actions(row)
        self._tell_progress()
        _clear(self._body)
        for part in self._parts(story, now):
            self._body.addWidget(part)
        self._body.addStretch()
        if not self._is_split:
            QTimer.singleShot(0, self, self._split_room)  # when the parts have their widths

    def _split_room(self) -> None:
        """Give the story the room it needs, at most most of it; the log has the rest."""
        inside, height = self._inside, self._split.height()
        self._body.activate()
        width = self._scroll.viewport().width()
        needed = max(inside.heightForWidth(width), inside.minimumSizeHint().height()) + GRID
        above = max(STORY_MIN, min(needed, round(height * STORY_SHARE_MAX)))
        self._split.setSizes([above, max(1, height - above)])

    def _keep_split(self, _position: int, _index: int) -> None:
        self._is_split = True

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if self._story is not None and not self._is_split:
            self._split_room()

    def _show_actions(self, row: JobRow) -> None:
        """Show what fits the job's state, and nothing else."""
        self.retry.setVisible(row.state in RETRIABLE and row.replaced_by is None)
        self.retry.setEnabled(True)
        self.cancel.setVisible(can_cancel(row))
        self.change.setVisible(changes_code(row))

    def _parts(self, story: Story, now: datetime) -> list[QWidget]:
        row, parts = story.job.row, list[QWidget]()
        if story.question is not None:
            parts.append(cards.question_card(story.question, self._style, self._open_chat))
        if row.error is not None and row.state not in (JobState.SUCCEEDED, JobState.CANCELLED):
            parts.append(cards.error_card(row.error, row.state, self._style))
        if (result := cards.result_of(story.job)) is not None:
            parts.append(cards.result_card(result, story.written, row.machine, self._style))
        if story.plan is not None:
            parts.append(plan_card(story.plan, self._style))
        if story.job.text and plain_line(story.job.text) != wording.title(row):
            parts.append(cards.said(story.job.text))
        parts.append(cards.heading(tr("What happened")))
        parts.append(cards.timeline(story.steps, now, is_kept=row.is_kept))
        return parts

    def _tell_standing(self) -> None:
        """Say what the state alone does not; the line to the hub may have come or gone."""
        row = None if self._story is None else self._story.job.row
        told = standing.of_job(row, whereabouts(self._bridge.desk)) if row else ""
        self._stands.setText(plain_line(told))
        self._stands.setVisible(bool(told))

    def _tell_progress(self) -> None:
        row = None if self._story is None else self._story.job.row
        is_live = row is not None and row.state in (JobState.RUNNING, JobState.GRANTED)
        told = self._bridge.desk.progress.get(row.job_id) if row and is_live else None
        self._progress.tell(told)

    def _retry(self) -> None:
        if self._job_id is not None:
            self.retry.setEnabled(False)
            self._bridge.do(self._bridge.desk.requests.retry(self._job_id), failed=self._failed)

    def _do_cancel(self, job_id: JobId) -> None:
        self._bridge.do(self._bridge.desk.requests.cancel(job_id), failed=self._failed)

    def _failed(self, error: AppError) -> None:
        self.retry.setEnabled(True)
        self.banner.tell(error)

    def _open_chat(self) -> None:
        if self._story is not None:
            row = self._story.job.row
            self._bridge.opened.emit("chat", row.task_id or row.job_id)

    def _open_change(self) -> None:
        if self._job_id is not None:
            self._bridge.opened.emit("change", self._job_id)

    def _copy(self) -> None:
        if self._story is not None:
            now = self._bridge.desk.environment.now()
            QGuiApplication.clipboard().setText(
                story_text(self._story, now, whereabouts(self._bridge.desk))
            )


def can_cancel(row: JobRow) -> bool:
    return not row.state.is_terminal and not row.cancel_by


def changes_code(row: JobRow) -> bool:
    """Whether there may be a change to show: of a job that worked; reviews change nothing."""
    is_work = row.kind.startswith("code.") and row.kind not in NO_CHANGES
    return is_work and (row.state.is_terminal or bool(row.asks))


def meta(story: Story, now: datetime) -> str:
    """Say in one line where, what kind, when and for how long."""
    row = story.job.row
    parts = [plain_line(row.machine), plain_line(row.kind), times.clock(row.asked_at, now)]
    seconds = story.job.running_seconds
    if seconds is None and row.started_at and row.ended_at:
        seconds = (row.ended_at - row.started_at).total_seconds()
    if seconds is not None:
        parts.append(tr("took {time}").format(time=times.duration(seconds)))
    if row.attempt > 1:
        parts.append(tr("try {attempt}").format(attempt=row.attempt))
    parts.append(f"#{row.short_id}")
    return " · ".join(part for part in parts if part)


def _short(text: str) -> str:
    return text if len(text) <= 80 else f"{text[:40]}…{text[-39:]}"


def _clear(layout: QLayout) -> None:
    while item := layout.takeAt(0):
        widget = item.widget()
        if widget is not None:
            widget.hide()
            widget.deleteLater()
