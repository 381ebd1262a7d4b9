"""A log to look at: it follows its end, finds words, copies and saves. One job's, or all jobs'."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from functools import partial

from PySide6.QtCore import QModelIndex, Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QHeaderView,
    QPushButton,
    QStackedLayout,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from desktop.core.news import News
from desktop.gui.bridge import Bridge
from desktop.gui.language import tr, trn
from desktop.gui.parts import EmptyState, button, label
from desktop.gui.style import GRID, Style
from desktop.gui.windows.jobs.filters import TYPING_MS, search_box
from desktop.gui.windows.jobs.freshness import Fresh
from desktop.gui.windows.jobs.log_delegate import HEIGHT, LogDelegate
from desktop.gui.windows.jobs.log_model import LINE_ROLE, PAGE_LINES, LogModel
from desktop.gui.windows.jobs.wording import line_count
from desktop.store import copied_lines
from desktop.store.copied_lines import HITS_MAX, LogLine
from desktop.store.words import match_of, parts_of
from shared.ids import JobId


class LogTable(QTableView):
    """The lines; as light for a million as for ten."""

    copied = Signal()
    opened = Signal(str)
    """A line was chosen by double click or Enter: its job's id."""

    def __init__(self, model: LogModel, delegate: LogDelegate) -> None:
        super().__init__()
        self.setModel(model)
        self.setItemDelegate(delegate)
        self.setAccessibleName(tr("Log"))
        self.setLayoutDirection(Qt.LayoutDirection.LeftToRight)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setTabKeyNavigation(False)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.horizontalHeader().hide()
        self.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        self.verticalHeader().hide()
        self.verticalHeader().setMinimumSectionSize(HEIGHT)
        self.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self.verticalHeader().setDefaultSectionSize(HEIGHT)
        self.doubleClicked.connect(self._open)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        is_control = bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
        if is_control and event.key() == Qt.Key.Key_C:
            self.copied.emit()
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._open(self.currentIndex())
        else:
            super().keyPressEvent(event)

    def _open(self, index: QModelIndex) -> None:
        line = index.data(LINE_ROLE)
        if isinstance(line, LogLine):
            self.opened.emit(line.job_id)


class LogPane(QWidget):
    """Toolbar over lines."""

    counted = Signal(int)
    """How many lines the log has now."""

    def __init__(self, bridge: Bridge, style: Style, *, is_mixed: bool = False) -> None:
        """Show nothing until `show_log`.

        Args:
            bridge: to the store.
            style: the colours.
            is_mixed: for the logs of all jobs together; words then leave out the other lines.
        """
        super().__init__()
        self._bridge = bridge
        self._is_mixed = is_mixed
        self._job_id: JobId | None = None
        self._is_on = is_mixed
        self._seen = 0
        """Lines of the log that were counted."""
        self._hits: list[int] = []
        self.searched = ""
        """The words the hits are of, as they were typed."""
        self.model = LogModel(self)
        self._delegate = LogDelegate(style, is_mixed=is_mixed, parent=self)
        self.table = LogTable(self.model, self._delegate)
        self.search = search_box(tr("Search all logs") if is_mixed else tr("Find in this log"))
        self._told = label("", "muted", wraps=False)
        self.follow = _toggle(tr("Follow"), tr("Follow the end of the log"))
        self.only_hits = _toggle(tr("Only matches"), tr("Show only lines that match"))
        self.follow.setChecked(True)
        self.only_hits.setChecked(is_mixed)
        self._is_stale = True
        """What is shown is of no use any more; it stays until the next is here."""
        self._generation = 0
        """Counts what was shown, so that a page that was asked for earlier goes nowhere."""
        self._pages: list[int] = []
        self._fresh = Fresh(bridge, self, self._read)
        self._fresh_pages = Fresh(bridge, self.table, self._read_pages)
        self._arrange()
        self._connect()

    def show_log(self, job_id: JobId | None) -> None:
        """Show a job's log; None for nothing."""
        if job_id == self._job_id:
            return
        self._job_id = job_id
        self._is_on = job_id is not None
        self.follow.setChecked(True)
        self._start_over()

    @property
    def hits(self) -> list[int]:
        """The lines that have the words, by their numbers."""
        return self._hits

    @property
    def total(self) -> int:
        return self._seen

    @property
    def job_id(self) -> JobId | None:
        return self._job_id

    def numbers(self, rows: range) -> list[int]:
        """Say which lines stand in rows, by their numbers in the log."""
        if self._shows_hits:
            return self._hits[rows.start : rows.stop]
        return [row + 1 for row in rows]

    def go_to_hit(self, step: int) -> None:
        """Choose the next (1) or the last (-1) line that has the words, and go round at the end."""
        if not self._hits:
            return
        self.follow.setChecked(False)
        index = self.table.currentIndex()
        number = self._number_of(index.row()) if index.isValid() else 0
        if step > 0:
            place = bisect_right(self._hits, number) % len(self._hits)
        else:
            place = (bisect_left(self._hits, number) if number else 0) - 1
        row = place % len(self._hits) if self._shows_hits else self._hits[place] - 1
        self.table.setCurrentIndex(self.model.index(row))
        self.table.scrollTo(self.model.index(row), QAbstractItemView.ScrollHint.PositionAtCenter)
        self._tell()

    @property
    def _shows_hits(self) -> bool:
        return self.only_hits.isChecked() and bool(match_of(self.search.text()))

    def _number_of(self, row: int) -> int:
        return self._hits[row] if self._shows_hits and row < len(self._hits) else row + 1

    def _arrange(self) -> None:
        bar = QHBoxLayout()
        bar.setSpacing(GRID // 2)
        bar.addWidget(self.search, 1)
        bar.addWidget(self._told)
        self._before = button("↑", lambda: self.go_to_hit(-1), "quiet", name=tr("Match before"))
        self._after = button("↓", lambda: self.go_to_hit(1), "quiet", name=tr("Next match"))
        for part in (self._before, self._after, self.only_hits, self.follow):
            bar.addWidget(part)
        self.bar = bar
        lines = QWidget()
        self._stack = QStackedLayout(lines)
        self._stack.addWidget(self.table)
        told = tr("No lines yet. What jobs say while they work shows up here.")
        self._stack.addWidget(EmptyState(told))
        self._stack.addWidget(EmptyState(tr("No line has these words.")))
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(GRID)
        column.addLayout(bar)
        column.addWidget(lines, 1)
        self._tell()

    def _connect(self) -> None:
        typing = QTimer(self, singleShot=True, interval=TYPING_MS)
        typing.timeout.connect(self._search_anew)
        self.search.textChanged.connect(lambda _text: typing.start())
        self.search.returnPressed.connect(lambda: self.go_to_hit(1))
        self.only_hits.toggled.connect(lambda _is_on: self._start_over())
        self.follow.toggled.connect(lambda _is_on: self._follow_end())
        self.model.page_wanted.connect(self._want_page)
        bar = self.table.verticalScrollBar()
        bar.rangeChanged.connect(lambda _first, _last: self._follow_end())
        bar.valueChanged.connect(self._scrolled)
        self._bridge.hears(self, News.LOGS, then=self._fresh.ring)
        self._bridge.hears(self, News.PAIRING, then=self._start_over)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape and self.search.text():
            self.search.clear()
        elif event.key() == Qt.Key.Key_F3:
            is_back = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
            self.go_to_hit(-1 if is_back else 1)
        else:
            super().keyPressEvent(event)

    def _search_anew(self) -> None:
        if match_of(self.search.text()) != match_of(self.searched):
            self._start_over()

    def _start_over(self) -> None:
        """Another log, other words, or other lines of them: read from the start, then show."""
        self._is_stale = True
        self._fresh.start_over()

    async def _read(self) -> None:
        if not self._is_on:
            self._show_nothing()
            return
        look, job_id, words = self._bridge.desk.look, self._job_id, self.search.text()
        known = 0 if self._is_stale else self._seen
        count, last = await look(
            partial(copied_lines.grown, job_id=job_id, known=known, limit=PAGE_LINES)
        )
        if count < known:
            self._is_stale, known = True, 0  # the copy was begun anew
            count, last = await look(
                partial(copied_lines.grown, job_id=job_id, known=0, limit=PAGE_LINES)
            )
        found: tuple[int, ...] = ()
        if match_of(words) and count > known:
            found = await look(partial(copied_lines.hits, words=words, job_id=job_id, after=known))
        self._show(count, last, [number for number in found if number <= count], words)

    def _show(self, count: int, last: Sequence[LogLine], found: list[int], words: str) -> None:
        if self._is_stale:
            self._is_stale = False
            self._generation += 1
            self._hits = []
            self.searched = words
            self._delegate.marks = parts_of(words)
            self.model.show_count(0)
        self._seen = count
        self._hits += found
        self._delegate.now = self._bridge.desk.environment.now()
        if self._shows_hits:
            self.model.grow(len(self._hits), ())
        else:
            self.model.grow(count, last)
        if found:
            self.table.viewport().update()
        self._tell()

    def _show_nothing(self) -> None:
        self._generation += 1
        self._seen, self._hits, self._is_stale = 0, [], False
        self.model.show_count(0)
        self._tell()

    def _want_page(self, page: int) -> None:
        self._pages.append(page)
        self._fresh_pages.ring()

    async def _read_pages(self) -> None:
        """Read the pages that are looked at now; those that were scrolled past are left."""
        while self._pages:
            page, generation = self._pages.pop(), self._generation
            lines: tuple[LogLine, ...] = ()
            if self._is_seen(page):
                lines = await self._lines_of(page)
            if generation == self._generation:
                self.model.fill(page, lines)

    async def _lines_of(self, page: int) -> tuple[LogLine, ...]:
        look, job_id, first = self._bridge.desk.look, self._job_id, page * PAGE_LINES
        if self._shows_hits:
            numbers = self._hits[first : first + PAGE_LINES]
            return await look(partial(copied_lines.picked, numbers=numbers, job_id=job_id))
        return await look(partial(copied_lines.page, job_id=job_id, after=first, limit=PAGE_LINES))

    def _is_seen(self, page: int) -> bool:
        top = max(0, self.table.rowAt(0))
        bottom = self.table.rowAt(self.table.viewport().height() - 1)
        bottom = self.model.count - 1 if bottom < 0 else bottom
        return top // PAGE_LINES <= page <= bottom // PAGE_LINES

    def _follow_end(self) -> None:
        if self.follow.isChecked():
            self.table.scrollToBottom()

    def _scrolled(self, value: int) -> None:
        """Whoever scrolls up wants to read; whoever scrolls to the end wants to follow it."""
        self.follow.setChecked(value >= self.table.verticalScrollBar().maximum())

    def _tell(self) -> None:
        is_search = bool(match_of(self.search.text()))
        for part in (self._before, self._after, self.only_hits):
            part.setVisible(is_search)
        self.follow.setVisible(self._seen > 0)
        self.search.setVisible(self._seen > 0 or self._is_mixed)
        self._told.setVisible(self._seen > 0)
        self.counted.emit(self._seen)
        self._told.setText(self._hits_told() if is_search else line_count(self._seen))
        self._stack.setCurrentIndex(0 if self.model.count else 2 if is_search else 1)

    def _hits_told(self) -> str:
        count = len(self._hits)
        if count >= HITS_MAX:
            return tr("{count}+ matches").format(count=f"{HITS_MAX:,}")
        index = self.table.currentIndex()
        number = self._number_of(index.row()) if index.isValid() else 0
        place = bisect_left(self._hits, number)
        if number and place < count and self._hits[place] == number:
            return tr("{place} of {count}").format(place=place + 1, count=count)
        return trn("{count} match", "{count} matches", count)


def _toggle(text: str, name: str) -> QPushButton:
    made = QPushButton(text)
    made.setProperty("look", "chip")
    made.setCheckable(True)
    made.setAutoDefault(False)
    made.setAccessibleName(name)
    return made
