"""One thread: its head, its bubbles, the form when several questions are open, the line to write.

It reads the part of the thread that is at hand and shows it anew whenever something may have
changed; what the person does goes to the desk.
"""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from desktop.core.news import News
from desktop.desk.standing import whereabouts
from desktop.gui import standing
from desktop.gui.bridge import Bridge
from desktop.gui.fresh import Fresh
from desktop.gui.language import tr
from desktop.gui.style import CONTENT_WIDTH_MAX, GRID, Style
from desktop.gui.windows.chat.bubble_view import Around
from desktop.gui.windows.chat.bubbles import bubbles_of
from desktop.gui.windows.chat.composer import Composer
from desktop.gui.windows.chat.form import Form
from desktop.gui.windows.chat.progress_view import ProgressView
from desktop.gui.windows.chat.replies import reply_to
from desktop.gui.windows.chat.results import Results
from desktop.gui.windows.chat.thread_head import ThreadHead
from desktop.gui.windows.chat.timeline import Timeline
from desktop.store import thread_pages
from desktop.store.copied import JobRow, QuestionRow
from desktop.store.thread_pages import Turn, Window
from desktop.store.threads import Talk
from shared.errors import AppError
from shared.ids import JobId, TaskId
from shared.jobs import JobState
from shared.plain_text import plain_line

BESIDE = frozenset({JobState.RUNNING, JobState.GRANTED})
"""States in which a job's progress is shown."""


class ThreadView(QWidget):
    """Shows the thread it was told last."""

    new_wanted = Signal(str)
    """A line that begins with "/" was sent: something new, please."""
    seen = Signal(str, int)
    """A task was read up to a step."""

    def __init__(self, bridge: Bridge, style: Style) -> None:
        super().__init__()
        self._bridge = bridge
        self._desk = bridge.desk
        self._style = style
        self._window: Window | None = None
        self._shown: Window | None = None
        """What was read last; nobody wants anything else while it is the window."""
        self._talk: Talk | None = None
        self._is_turning = False
        self._drafts: dict[TaskId, str] = {}
        self.timeline = Timeline()
        self.head = ThreadHead(bridge, style)
        self.form = Form(style, self._answer)
        self.composer = Composer()
        self.progress = ProgressView(style, self._cancel)
        self._results = Results(bridge, style)
        self._lay_out()
        self._fresh = Fresh(bridge, self, self._read, self._show)
        self._connect()

    @property
    def task_id(self) -> TaskId | None:
        return self._window.task_id if self._window else None

    def show_thread(self, task_id: TaskId) -> None:
        """Show another thread, at its end."""
        if task_id != self.task_id:
            self.timeline.clear()
            self.timeline.set_tail(None)
            self._talk = None
            self._keep_draft(task_id)
        self._window = Window(task_id)
        self._to_end()

    def _keep_draft(self, task_id: TaskId) -> None:
        """What was begun in one thread waits there, and goes to no other one."""
        if self.task_id is not None:
            self._drafts[self.task_id] = self.composer.text
        self.composer.tell("")
        self.composer.fill(self._drafts.pop(task_id, ""))

    def press(self, number: int) -> None:
        """Choose the answer of that number in the newest question that is open."""
        for view in reversed(self.timeline.views):
            if view.question is not None and view.question.is_open:
                self.timeline.ensureWidgetVisible(view.question)
                view.question.press(number)
                return

    def tick(self) -> None:
        """Bring countdowns up to date."""
        self.timeline.tick(self._desk.environment.now())

    def tell_seen(self) -> None:
        """Say how far the person has seen this thread; only while its end is in view."""
        talk = self._talk
        if talk is not None and self.timeline.is_following and not talk.has_newer:
            self.seen.emit(talk.task_id, talk.last_step)

    def _lay_out(self) -> None:
        below = QVBoxLayout()
        below.setContentsMargins(2 * GRID, GRID, 2 * GRID, 2 * GRID)
        below.setSpacing(GRID)
        below.addWidget(self.form)
        below.addWidget(self.composer)
        writing = QWidget()
        writing.setMaximumWidth(CONTENT_WIDTH_MAX + 4 * GRID)
        writing.setLayout(below)
        middle = QHBoxLayout()
        middle.addWidget(writing)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.head)
        column.addWidget(self.timeline, 1)
        column.addLayout(middle)

    def _connect(self) -> None:
        self._bridge.hears(
            self, News.JOBS, News.QUESTIONS, News.WORKERS, News.PAIRING, then=self._fresh.ask
        )
        self._bridge.hears(self, News.STATUS, then=self._look_around)
        self._bridge.hears(self, News.PROGRESS, then=self._show_progress)
        self._style.changed.connect(self._repaint)
        self.timeline.older_wanted.connect(lambda: self._turn(thread_pages.older))
        self.timeline.newer_wanted.connect(lambda: self._turn(thread_pages.newer))
        self.timeline.end_wanted.connect(self._to_end)
        self.timeline.bottom_seen.connect(self.tell_seen)
        self.timeline.retried.connect(lambda job_id: self._retry(JobId(job_id)))
        self.timeline.shows_change.connect(self._show_change)
        self.composer.said.connect(self._said)

    async def _read(self) -> Talk | None:
        window = self._window
        if window is None:
            return None
        if self._talk is not None and window == self._shown:
            window = self._window = thread_pages.settled(
                window, self._talk, is_following=self.timeline.is_following
            )
        self._shown = window
        return await self._desk.look(window.read)

    def _show(self, talk: Talk | None) -> None:
        if talk is None or talk.task_id != self.task_id:
            return
        self._talk = talk
        now = self._desk.environment.now()
        self.form.tell(talk.open)
        place = whereabouts(self._desk)
        around = Around(self._style, now, self._answer, self.form.is_asking, place)
        bubbles = bubbles_of(talk, place)
        self.timeline.tell(bubbles, around, has_older=talk.has_older, has_newer=talk.has_newer)
        self._results.place(self.timeline.views, talk)
        self.head.tell(talk, place)
        self._show_progress()
        self._invite(talk)
        self.tell_seen()

    def _look_around(self) -> None:
        """The line to the hub came or went, or a rule holds jobs back: it may be said here."""
        self._show(self._talk)

    def _show_progress(self) -> None:
        job = self._running()
        if job is None or (self._talk is not None and self._talk.has_newer):
            self.timeline.set_tail(None)
            return
        self.progress.tell(
            job.job_id,
            plain_line(job.title),
            plain_line(job.machine),
            self._desk.progress.get(job.job_id),
            ending=standing.of_job(job, whereabouts(self._desk)) if job.cancel_by else "",
        )
        self.timeline.set_tail(self.progress)

    def _running(self) -> JobRow | None:
        jobs = self._talk.jobs if self._talk else ()
        return next((job for job in reversed(jobs) if job.state in BESIDE), None)

    def _invite(self, talk: Talk) -> None:
        welcome = [row for row in talk.open if row.asking.allow_text or not row.asking.choices]
        if self.form.is_asking:
            self.composer.invite(tr("Answer in the form above"))
        elif welcome:
            self.composer.invite(tr("Your answer"))
        elif talk.open:
            self.composer.invite(tr("Choose above, or type the name or number of an answer"))
        else:
            self.composer.invite(tr("Nothing is asked here. Type / to start something new"))

    def _turn(self, turn: Turn) -> None:
        talk = self._talk
        if talk is None or self._is_turning:
            return
        self._is_turning = True

        def turned(window: Window) -> None:
            self._is_turning = False
            if window.task_id == self.task_id:
                self._window = window
                self._fresh.ask()

        self._bridge.do(self._desk.look(lambda c: turn(c, talk)), then=turned)

    def _to_end(self) -> None:
        if self._window is not None:
            self._window, self._talk = Window(self._window.task_id), None
            self.timeline.stay_at_end()
            self._fresh.ask()

    def _show_change(self, job_id: str) -> None:
        self._bridge.opened.emit("change", job_id)

    def _said(self, text: str) -> None:
        if text.startswith("/"):
            self.new_wanted.emit(text)
            return
        reply = reply_to(self._talk.open if self._talk else (), text)
        if reply.row is not None:
            self._answer(reply.row, reply.value)
            return
        self.composer.fill(text)
        self.composer.tell(reply.trouble)

    def _answer(self, row: QuestionRow, value: str) -> None:
        self.timeline.follow()
        deed = self._desk.requests.answer(row.question_id, row.job_id, value)
        self._bridge.do(deed, failed=self._tell_failure)

    def _cancel(self, job_id: JobId) -> None:
        self._bridge.do(self._desk.requests.cancel(job_id), failed=self._tell_failure)

    def _retry(self, job_id: JobId) -> None:
        self._bridge.do(self._desk.requests.retry(job_id), failed=self._tell_failure)

    def _tell_failure(self, error: AppError) -> None:
        """Say above the line what could not be done; the buttons come back."""
        self.composer.tell(f"⚠ {error}")
        self._repaint()

    def _repaint(self) -> None:
        self.timeline.clear()
        self._fresh.ask()
