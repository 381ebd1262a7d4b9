"""The Change window: files at the left, lines at the right, and the way to the decision."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from PySide6.QtCore import QItemSelection, Qt
from PySide6.QtWidgets import (
    QHBoxLayout,
    QListView,
    QSplitter,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from desktop.core.news import News
from desktop.desk.changes import Changes, ShownChange, fetched
from desktop.gui.bridge import Bridge
from desktop.gui.fresh import Fresh
from desktop.gui.language import tr, trn
from desktop.gui.parts import Banner, EmptyState, button, label
from desktop.gui.style import GRID, Style
from desktop.gui.two_lines import TwoLineDelegate
from desktop.gui.windows.change.diff_model import NOTHING
from desktop.gui.windows.change.diff_view import DiffView
from desktop.gui.windows.change.file_list import FileList, signed
from desktop.gui.windows.change.rows import Rows, rows_of
from desktop.store import copied, copied_changes
from desktop.store.copied import Job, JobRow
from shared.errors import AppError
from shared.ids import JobId
from shared.kinds.code import SuiteFacts
from shared.plain_text import plain_line


@dataclass(frozen=True, slots=True)
class Seen:
    """What there is to see, read at one moment."""

    row: JobRow | None
    change: ShownChange | None
    rows: Rows
    fetching: Job | None
    """The job that brings it from another machine."""


class ChangeWindow(QWidget):
    """What one job changed."""

    def __init__(self, bridge: Bridge, style: Style) -> None:
        super().__init__()
        self._bridge = bridge
        self.changes = Changes(bridge.desk.paths.data)
        self._job_id = JobId("")
        self.seen: Seen | None = None
        self.banner = Banner()
        self.files = FileList(self)
        self.diff = DiffView(style)
        self._fresh = Fresh(bridge, self, self._read, self._show)
        self.setWindowTitle(tr("Change"))
        self._arrange(style)
        bridge.hears(self, News.JOBS, News.QUESTIONS, then=self._fresh.ask)
        self.resize(1120, 780)

    def show_item(self, item: str) -> None:
        """Show the change of a job by its id; nothing happens for an empty one."""
        if item and item != self._job_id:
            self._job_id = JobId(item)
            self.banner.hide()
        self._fresh.ask()

    # Putting it together.

    def _arrange(self, style: Style) -> None:
        self.title = label("", "title")
        self.told = label("", "muted")
        self.fetch = button(tr("Fetch it"), self._fetch, "primary")
        self.chat = button(tr("To the conversation"), self._open_chat)
        self.job = button(tr("Its job"), self._open_job)
        self.view = QListView()
        self.view.setModel(self.files)
        self.view.setItemDelegate(TwoLineDelegate(style, self.files.lines, self))
        self.view.setAccessibleName(tr("Changed files"))
        self.view.setUniformItemSizes(True)
        self.view.selectionModel().selectionChanged.connect(self._chosen)
        split = QSplitter(Qt.Orientation.Horizontal)
        split.setChildrenCollapsible(False)
        split.setHandleWidth(2 * GRID)
        split.addWidget(self.view)
        split.addWidget(self.diff)
        split.setSizes([280, 820])
        split.setStretchFactor(1, 1)
        self.nothing = label("", "muted")
        self.nothing.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._stack = QStackedWidget()
        self._stack.addWidget(
            EmptyState(tr("What a coding job changed is shown here: open it from its question."))
        )
        self._stack.addWidget(split)
        self._stack.addWidget(self.nothing)
        head = QHBoxLayout()
        head.setSpacing(GRID)
        head.addWidget(self.title, 1)
        for part in (self.fetch, self.chat, self.job):
            head.addWidget(part)
            part.hide()
        outer = QVBoxLayout(self)
        outer.setContentsMargins(2 * GRID, 2 * GRID, 2 * GRID, 2 * GRID)
        outer.setSpacing(GRID)
        outer.addLayout(head)
        outer.addWidget(self.told)
        outer.addWidget(self.banner)
        outer.addWidget(self._stack, 1)

    # What there is to see.

    async def _read(self) -> Seen:
        job_id, look = self._job_id, self._bridge.desk.look
        row = next(iter(await look(lambda c: copied.rows_of(c, (job_id,)))), None)
        change = await self.changes.kept(job_id) if job_id else None
        fetching = None
        if change is None and job_id:
            fetching = await look(lambda c: copied_changes.fetching(c, job_id))
            if fetching is not None and fetching.result is not None:
                change = await fetched(fetching.result)
        rows = await asyncio.to_thread(rows_of, change) if change is not None else NOTHING
        return Seen(row, change, rows, fetching)

    def _show(self, seen: Seen) -> None:
        self.seen = seen
        row, change = seen.row, seen.change
        self.title.setText(plain_line(row.title or row.kind) if row else "")
        self.told.setText(_told(change) if change else "")
        self.told.setVisible(change is not None)
        self.chat.setVisible(row is not None)
        self.chat.setText(tr("To the question") if row and row.asks else tr("To the conversation"))
        self.job.setVisible(row is not None)
        self.fetch.setVisible(change is None and row is not None and not self._is_coming())
        self.files.show(change.files if change else ())
        self.diff.show_rows(seen.rows)
        if not self._job_id:
            self._stack.setCurrentIndex(0)
        elif change is not None and change.files:
            self._stack.setCurrentIndex(1)
        else:
            self.nothing.setText(self._why_nothing())
            self._stack.setCurrentIndex(2)

    def _is_coming(self) -> bool:
        fetching = self.seen.fetching if self.seen else None
        return fetching is not None and not fetching.row.state.is_terminal

    def _why_nothing(self) -> str:
        seen = self.seen
        assert seen is not None
        machine = plain_line(seen.row.machine) if seen.row else ""
        if seen.change is not None:
            return tr("Nothing was changed.")
        if seen.row is None:
            return tr("This computer knows no such job.")
        if self._is_coming():
            return tr("{machine} is asked for it …").format(machine=machine or tr("Its computer"))
        if seen.fetching is not None and seen.fetching.row.error is not None:
            error = seen.fetching.row.error
            return f"{plain_line(error.message)} {plain_line(error.hint)}".strip()
        return tr("What was changed stands on {machine} alone.").format(
            machine=machine or tr("its computer")
        )

    # What the person does.

    def _chosen(self, _new: QItemSelection, _old: QItemSelection) -> None:
        self.diff.show_file(self.view.currentIndex().row())

    def _fetch(self) -> None:
        row = self.seen.row if self.seen else None
        if row is None:
            return
        self.fetch.setEnabled(False)
        self._bridge.do(
            self._bridge.desk.requests.make(
                "code.diff",
                {"job": row.job_id},
                title=tr("the change of {title}").format(title=row.title)[:200],
                worker_id=row.worker_id or None,
            ),
            then=lambda _: self._asked(),
            failed=self._failed,
        )

    def _asked(self) -> None:
        self.fetch.setEnabled(True)
        self._fresh.ask()

    def _failed(self, error: AppError) -> None:
        self.fetch.setEnabled(True)
        self.banner.tell(error)

    def _open_chat(self) -> None:
        if self.seen is not None and self.seen.row is not None:
            row = self.seen.row
            self._bridge.opened.emit("chat", row.task_id or row.job_id)

    def _open_job(self) -> None:
        self._bridge.opened.emit("jobs", self._job_id)


def _told(change: ShownChange) -> str:
    """Say how large a change is, where it is, and how the tests are."""
    parts = [
        trn("{count} file", "{count} files", change.files_total),
        signed(change.added, change.removed),
        change.branch,
    ]
    if change.base:
        parts.append(tr("from {branch}").format(branch=change.base))
    if change.tests_after is not None and change.tests_after.is_good is not None:
        parts.append(_tests(change.tests_after))
    return " · ".join(part for part in parts if part)


def _tests(suite: SuiteFacts) -> str:
    parts = []
    if suite.passed:
        parts.append(trn("{count} test passed", "{count} tests passed", suite.passed))
    if suite.failed:
        parts.append(tr("{count} failed").format(count=f"{suite.failed:,}"))
    word = tr("tests passed") if suite.is_good else tr("tests failed")
    return f"{'✓' if suite.is_good else '⚠'} {', '.join(parts) or word}"
