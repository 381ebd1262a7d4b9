"""The list of all jobs: filters over a table that reads on as it is scrolled."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial

from PySide6.QtCore import QItemSelectionModel, QModelIndex, Qt, QTimer, Signal
from PySide6.QtGui import QHideEvent, QKeyEvent, QResizeEvent, QShowEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QStackedLayout,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from desktop.core.news import News
from desktop.desk.standing import whereabouts
from desktop.gui.bridge import Bridge
from desktop.gui.language import tr
from desktop.gui.parts import EmptyState, button
from desktop.gui.style import GRID, Style
from desktop.gui.windows.jobs.filters import FilterBar
from desktop.gui.windows.jobs.freshness import Fresh
from desktop.gui.windows.jobs.job_delegate import HEIGHT, JobDelegate
from desktop.gui.windows.jobs.job_model import ORDERS, ROW_ROLE, Column, JobModel
from desktop.store import copied_list
from desktop.store.copied import JobRow
from desktop.store.copied_list import PAGE_ROWS, Changes, Mark, Order, Wanted
from shared.ids import JobId

AGE_MS = 30_000
"""How often ages are counted anew while somebody looks."""
KEPT_ROWS_MAX = 1000
"""A list that is read anew keeps so many rows of what was scrolled to."""
WIDTHS = {Column.STATE: 120, Column.MACHINE: 108, Column.KIND: 112, Column.AGE: 72}
NARROW = {Column.KIND: 560, Column.MACHINE: 440}
"""In a table that is narrower than this, a column gives its room to the title."""


class JobTable(QTableView):
    """A table whose rows are jobs."""

    opened = Signal()
    """Enter: the person wants to see the job that is chosen."""
    cancel_wanted = Signal()
    copied = Signal()

    def __init__(self, model: JobModel, style: Style) -> None:
        super().__init__()
        self.setModel(model)
        self.setItemDelegate(JobDelegate(style, self))
        self.setAccessibleName(tr("Jobs"))
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setShowGrid(False)
        self.setTabKeyNavigation(False)
        self.setWordWrap(False)
        self.verticalHeader().hide()
        self.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self.verticalHeader().setDefaultSectionSize(HEIGHT)
        header = self.horizontalHeader()
        header.setAccessibleName(tr("Columns; Ctrl and a number sorts"))
        header.setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
        header.setSectionResizeMode(Column.JOB, QHeaderView.ResizeMode.Stretch)
        header.setHighlightSections(False)
        header.setSortIndicatorShown(True)
        header.setSectionsClickable(True)
        header.setMinimumSectionSize(48)
        for column, width in WIDTHS.items():
            self.setColumnWidth(column, width)

    def resizeEvent(self, event: QResizeEvent) -> None:
        for column, width in NARROW.items():
            self.setColumnHidden(column, event.size().width() < width)
        super().resizeEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        match event.key():
            case Qt.Key.Key_Return | Qt.Key.Key_Enter:
                self.opened.emit()
            case Qt.Key.Key_Delete:
                self.cancel_wanted.emit()
            case Qt.Key.Key_C if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
                self.copied.emit()
            case key if event.modifiers() & Qt.KeyboardModifier.ControlModifier and (
                0 <= key - Qt.Key.Key_1 < len(Column)
            ):
                self.horizontalHeader().sectionClicked.emit(key - Qt.Key.Key_1)
            case _:
                super().keyPressEvent(event)


class JobListing(QWidget):
    """Filters and table together; keeps them as new as the store."""

    chosen = Signal(object)
    """The JobRow that is chosen now, or None; again when it has changed."""

    def __init__(self, bridge: Bridge, style: Style) -> None:
        super().__init__()
        self._bridge = bridge
        self.model = JobModel(bridge.desk.progress, partial(whereabouts, bridge.desk), self)
        self.filters = FilterBar()
        self.table = JobTable(self.model, style)
        self._mark: Mark | None = None
        self._wanted = Wanted()
        self._to_show = ""
        self._has_chosen = False
        self._fresh = Fresh(bridge, self, self._read)
        self._fresh_choices = Fresh(bridge, self, self._read_choices)
        self._ages = QTimer(self, interval=AGE_MS)
        self._arrange()
        self._connect()

    @property
    def has_read(self) -> bool:
        """Whether what is shown is what the store says."""
        return self._mark is not None

    def show_item(self, job_id: str) -> None:
        """Choose a job, also one that the filters leave out: then they are cleared."""
        place = self.model.place_of(JobId(job_id))
        if place is not None:
            self._choose(place)
            return
        self._to_show = job_id
        if self._mark is not None and not self._wanted.is_all:
            self.filters.clear()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._ages.start()
        self.model.grow_older(self._now())

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._ages.stop()

    def chosen_row(self) -> JobRow | None:
        row = self.table.currentIndex().data(ROW_ROLE)
        return row if isinstance(row, JobRow) else None

    def _arrange(self) -> None:
        connect = button(
            tr("New task"), lambda: self._bridge.opened.emit("chat", "new:"), "primary"
        )
        self._empty = EmptyState(
            tr(
                "No jobs yet. Say what you want done in the chat, or drop a file there; "
                "every job of all your computers then shows up here."
            ),
            connect,
        )
        clear = button(tr("Show all jobs"), self.filters.clear)
        self._nothing = EmptyState(tr("No job fits these filters."), clear)
        below = QWidget()
        self._stack = QStackedLayout(below)
        for part in (self.table, self._empty, self._nothing):
            self._stack.addWidget(part)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(GRID)
        column.addWidget(self.filters)
        column.addWidget(below, 1)
        self._show_order()

    def _connect(self) -> None:
        self.filters.changed.connect(self._want)
        self.table.horizontalHeader().sectionClicked.connect(self._sort)
        self.table.selectionModel().currentRowChanged.connect(self._tell_chosen)
        self.model.more_wanted.connect(self._read_on)
        self._ages.timeout.connect(lambda: self.model.grow_older(self._now()))
        self._bridge.hears(self, News.JOBS, News.QUESTIONS, then=self._fresh.ring)
        self._bridge.hears(self, News.LOGS, then=self._hear_lines)
        self._bridge.hears(
            self, News.JOBS, News.WORKERS, News.PAIRING, then=self._fresh_choices.ring
        )
        self._bridge.hears(self, News.WORKERS, News.PAIRING, then=self._read_anew)
        self._bridge.hears(self, News.PROGRESS, then=self.model.tell_progress)
        self._bridge.hears(self, News.STATUS, then=self.model.tell_standing)

    def _want(self) -> None:
        wanted = self.filters.wanted(self._wanted)
        if wanted != self._wanted:
            self._wanted = wanted
            self._read_anew()

    def _hear_lines(self) -> None:
        if self._wanted.words:
            self._fresh.ring()

    def _sort(self, section: int) -> None:
        order = ORDERS[Column(section)]
        is_reversed = order is self._wanted.order and not self._wanted.is_reversed
        self._wanted = replace(self._wanted, order=order, is_reversed=is_reversed)
        self._show_order()
        self._read_anew()

    def _show_order(self) -> None:
        column = next(c for c, order in ORDERS.items() if order is self._wanted.order)
        is_up = (self._wanted.order is Order.AGE) == self._wanted.is_reversed
        way = Qt.SortOrder.AscendingOrder if is_up else Qt.SortOrder.DescendingOrder
        self.table.horizontalHeader().setSortIndicator(column, way)

    def _read_anew(self) -> None:
        self._mark = None
        self._fresh.start_over()

    async def _read(self) -> None:
        look = self._bridge.desk.look
        wanted = self._wanted
        if self._mark is not None and wanted == self.model.wanted:
            changes = await look(partial(copied_list.changes, wanted=wanted, since=self._mark))
            self._mark = changes.mark
            if not changes.is_everything:
                self._mend(changes)
                return
        limit = PAGE_ROWS
        if wanted == self.model.wanted:
            limit = max(limit, min(len(self.model.rows), KEPT_ROWS_MAX))
        mark = await look(copied_list.mark)
        rows = await look(partial(copied_list.page, wanted=wanted, limit=limit))
        self._mark = mark
        self._adopt(wanted, rows, limit)
        too_many = partial(copied_list.has_too_many_lines, words=wanted.words)
        self.filters.tell_cut(is_cut=await look(too_many))

    async def _read_choices(self) -> None:
        look = self._bridge.desk.look
        counts = await look(copied_list.shelf_counts)
        self.filters.offer(counts, await look(copied_list.machines), await look(copied_list.kinds))

    def _read_on(self) -> None:
        wanted, after = self.model.wanted, self.model.rows[-1]

        def add(rows: Sequence[JobRow]) -> None:
            if self.model.wanted != wanted:
                return
            if self.model.rows and self.model.rows[-1] == after:
                self.model.extend(rows, has_more=len(rows) == PAGE_ROWS)
            else:
                self.model.extend((), has_more=True)  # the end has changed: it asks again

        self._bridge.do(
            self._bridge.desk.look(partial(copied_list.page, wanted=wanted, after=after)), then=add
        )

    def _mend(self, changes: Changes) -> None:
        before = self.chosen_row()
        if changes.numbers:
            self.model.mend(changes)
            self._show_stack()
        after = self.chosen_row()
        if before is not None and before.number in changes.numbers:
            self.chosen.emit(after)

    def _adopt(self, wanted: Wanted, rows: Sequence[JobRow], limit: int) -> None:
        is_first = not self._has_chosen
        chosen, scrolled = self.chosen_row(), self.table.verticalScrollBar().value()
        is_same = wanted == self.model.wanted
        self.model.now = self._now()
        self.model.adopt(wanted, rows, has_more=len(rows) == limit)
        self._show_stack()
        wished = self._to_show or (chosen.job_id if chosen else "")
        place = self.model.place_of(JobId(wished)) if wished else None
        if is_first and rows and not wished:
            place = 0
        if place is not None:
            self._choose(place)
        elif chosen is not None:
            self.chosen.emit(None)
        if is_same:
            self.table.verticalScrollBar().setValue(scrolled)

    def _show_stack(self) -> None:
        if self.model.rows:
            self._stack.setCurrentWidget(self.table)
        else:
            self._stack.setCurrentWidget(self._empty if self._wanted.is_all else self._nothing)

    def _choose(self, place: int) -> None:
        self._to_show, self._has_chosen = "", True
        index = self.model.index(place, Column.JOB)
        self.table.selectionModel().setCurrentIndex(
            index,
            QItemSelectionModel.SelectionFlag.ClearAndSelect
            | QItemSelectionModel.SelectionFlag.Rows,
        )
        self.table.scrollTo(index)

    def _tell_chosen(self, _now: QModelIndex, _before: QModelIndex) -> None:
        self.chosen.emit(self.chosen_row())

    def _now(self) -> datetime:
        return self._bridge.desk.environment.now()
