"""The list of threads: newest first, searched and filtered by the store, page by page."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from functools import partial

from PySide6.QtCore import (
    QAbstractListModel,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    Qt,
    Signal,
)
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLineEdit, QListView, QVBoxLayout, QWidget

from desktop.core.news import News
from desktop.desk.standing import Whereabouts, whereabouts
from desktop.gui.bridge import Bridge
from desktop.gui.chip import state_word
from desktop.gui.fresh import Fresh
from desktop.gui.language import tr, trn
from desktop.gui.parts import button, label
from desktop.gui.style import GRID, Style
from desktop.gui.times import age
from desktop.gui.windows.chat.thread_row import (
    ROW_HEIGHT,
    THREAD_ROLE,
    ThreadRow,
    line_of,
    title_of,
)
from desktop.store import threads
from desktop.store.threads import THREADS_PAGE, Filter, Thread
from shared.ids import TaskId

Index = QModelIndex | QPersistentModelIndex


class Threads(QAbstractListModel):
    """The threads that were read so far."""

    more_wanted = Signal()

    def __init__(
        self, now: Callable[[], datetime], place: Callable[[], Whereabouts], parent: QObject
    ) -> None:
        super().__init__(parent)
        self._now = now
        self._place = place
        self.rows: tuple[Thread, ...] = ()
        self.has_more = False

    def tell(self, rows: tuple[Thread, ...], *, has_more: bool) -> None:
        """Show these threads; rows that stay in place keep their selection."""
        self.has_more = has_more
        if _ids(rows) == _ids(self.rows):
            self.rows = rows
            self.dataChanged.emit(self.index(0), self.index(len(rows) - 1))
        elif _ids(rows)[: len(self.rows)] == _ids(self.rows):
            self.beginInsertRows(QModelIndex(), len(self.rows), len(rows) - 1)
            self.rows = rows
            self.endInsertRows()
        else:
            self.beginResetModel()
            self.rows = rows
            self.endResetModel()

    def place_of(self, task_id: TaskId) -> QModelIndex:
        ids = _ids(self.rows)
        return self.index(ids.index(task_id)) if task_id in ids else QModelIndex()

    def rowCount(self, parent: Index | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self.rows)

    def canFetchMore(self, _parent: Index) -> bool:
        return self.has_more

    def fetchMore(self, _parent: Index) -> None:
        self.more_wanted.emit()

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        thread = self.rows[index.row()]
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return title_of(thread)
            case Qt.ItemDataRole.AccessibleTextRole:
                return self._spoken(thread)
            case _ if role == THREAD_ROLE:
                return thread
            case _:
                return None

    def _spoken(self, thread: Thread) -> str:
        parts = [title_of(thread), state_word(thread.job.state), line_of(thread, self._place())]
        if thread.unread:
            parts.append(trn("{count} unread", "{count} unread", thread.unread))
        return ", ".join((*parts, age(thread.job.updated_at, self._now())))


class ThreadList(QWidget):
    """Search, filter, list."""

    picked = Signal(str)
    """A task's id."""
    new_wanted = Signal()

    def __init__(self, bridge: Bridge, style: Style) -> None:
        super().__init__()
        self._bridge = bridge
        self._wanted_rows = THREADS_PAGE
        self._current: TaskId | None = None
        self._place = partial(whereabouts, bridge.desk)
        self._model = Threads(bridge.desk.environment.now, self._place, self)
        self._model.more_wanted.connect(self._read_more)
        self.search = QLineEdit()
        self.search.setPlaceholderText(tr("Search"))
        self.search.setAccessibleName(tr("Search threads"))
        self.search.setClearButtonEnabled(True)
        self.search.textChanged.connect(self._from_start)
        self._filter = self._make_filter()
        self._view = self._make_view(style)
        self._empty = label("", "muted")
        self._empty.setAlignment(Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop)
        self._empty.setContentsMargins(0, 6 * GRID, 0, 0)
        self._empty.hide()
        self._lay_out()
        self._fresh = Fresh(bridge, self, self._read, self._show)
        bridge.hears(
            self, News.JOBS, News.QUESTIONS, News.READ, News.WORKERS, News.PAIRING,
            then=self._fresh.ask,
        )  # fmt: skip
        bridge.hears(self, News.STATUS, then=self._view.viewport().update)
        style.changed.connect(self._view.viewport().update)
        self._fresh.ask()

    def show_current(self, task_id: TaskId | None) -> None:
        """Mark the thread that is open."""
        self._current = task_id
        index = self._model.place_of(task_id) if task_id else QModelIndex()
        self._view.setCurrentIndex(index)

    def focus(self) -> None:
        if not self._view.currentIndex().isValid():
            self._view.setCurrentIndex(self._model.index(0))
        self._view.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def tick(self) -> None:
        """Draw the ages anew."""
        self._view.viewport().update()

    def _make_filter(self) -> QComboBox:
        made = QComboBox()
        made.setAccessibleName(tr("Which threads"))
        for wanted, words in (
            (Filter.ALL, tr("All")),
            (Filter.ASKING, tr("Waiting for you")),
            (Filter.UNDER_WAY, tr("Under way")),
        ):
            made.addItem(words, wanted)
        made.currentIndexChanged.connect(self._from_start)
        return made

    def _make_view(self, style: Style) -> QListView:
        made = QListView()
        made.setModel(self._model)
        made.setItemDelegate(ThreadRow(style, self._bridge.desk.environment.now, self._place, made))
        made.setUniformItemSizes(True)
        made.setAccessibleName(tr("Threads"))
        made.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        made.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        made.setMinimumHeight(2 * ROW_HEIGHT)
        made.clicked.connect(self._pick)
        made.activated.connect(self._pick)
        return made

    def _lay_out(self) -> None:
        top = QHBoxLayout()
        top.setSpacing(GRID)
        top.addWidget(self.search, 1)
        top.addWidget(self._filter)
        column = QVBoxLayout(self)
        column.setContentsMargins(2 * GRID, 2 * GRID, GRID, 2 * GRID)
        column.setSpacing(GRID)
        new = button(tr("New task"), self.new_wanted.emit)
        new.setToolTip("Ctrl+N")
        column.addWidget(new)
        column.addLayout(top)
        column.addWidget(self._view, 1)
        column.addWidget(self._empty, 1)
        for before, after in (
            (new, self.search), (self.search, self._filter), (self._filter, self._view),
        ):  # fmt: skip
            self.setTabOrder(before, after)

    def _pick(self, index: QModelIndex) -> None:
        thread = index.data(THREAD_ROLE)
        if isinstance(thread, Thread):
            self.picked.emit(thread.task_id)

    def _from_start(self) -> None:
        self._wanted_rows = THREADS_PAGE
        self._fresh.ask()

    def _read_more(self) -> None:
        if self._wanted_rows <= len(self._model.rows):
            self._wanted_rows = len(self._model.rows) + THREADS_PAGE
            self._fresh.ask()

    async def _read(self) -> tuple[Thread, ...]:
        words, wanted = self.search.text(), Filter(self._filter.currentData())
        limit = self._wanted_rows + 1
        return await self._bridge.desk.look(
            lambda c: threads.threads(c, words=words, wanted=wanted, limit=limit)
        )

    def _show(self, rows: tuple[Thread, ...]) -> None:
        has_more = len(rows) > self._wanted_rows
        self._model.tell(rows[: self._wanted_rows], has_more=has_more)
        self.show_current(self._current)
        is_narrowed = bool(self.search.text()) or self._filter.currentIndex() > 0
        self._empty.setText(
            tr("No thread is like that.") if is_narrowed else tr("No tasks so far.")
        )
        self._empty.setVisible(not rows)
        self._view.setVisible(bool(rows))


def _ids(rows: Iterable[Thread]) -> list[TaskId]:
    return [row.task_id for row in rows]
