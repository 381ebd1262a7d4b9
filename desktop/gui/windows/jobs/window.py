"""The Jobs window: the list beside one job's detail, or the live log of everything."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication, QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QSplitter,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from desktop.desk.standing import whereabouts
from desktop.gui.bridge import Bridge
from desktop.gui.language import tr
from desktop.gui.parts import Banner
from desktop.gui.strip import Strip
from desktop.gui.style import GRID, Style
from desktop.gui.windows.jobs.chips import Chips
from desktop.gui.windows.jobs.copying import row_text
from desktop.gui.windows.jobs.detail import DetailPane
from desktop.gui.windows.jobs.listing import JobListing
from desktop.gui.windows.jobs.log_bar import LogWithActions
from desktop.store.copied import JobRow
from shared.ids import JobId


class JobsWindow(QWidget):
    """All jobs of this person on every machine."""

    def __init__(self, bridge: Bridge, style: Style) -> None:
        super().__init__()
        self._bridge = bridge
        self.banner = Banner()
        self.strip = Strip(bridge)
        self.listing = JobListing(bridge, style)
        self.detail = DetailPane(bridge, style)
        self._style = style
        self._logs: LogWithActions | None = None
        self.setWindowTitle(tr("Jobs"))
        self._arrange()
        self._connect()
        self.resize(1120, 720)

    def show_item(self, job_id: str) -> None:
        """Show a job; nothing happens for an empty id."""
        self._show_view(0)
        if job_id:
            self.listing.show_item(job_id)
            self.detail.show_job(JobId(job_id))

    @property
    def logs(self) -> LogWithActions:
        """The log of all jobs; made when somebody wants to see it."""
        if self._logs is None:
            self._logs = LogWithActions(self._bridge, self._style, self.banner, is_mixed=True)
            self._logs.pane.table.opened.connect(self.show_item)
            self._stack.addWidget(self._logs)
        return self._logs

    def show_logs(self) -> None:
        """Show the live log of all jobs."""
        self._show_view(1)

    def _arrange(self) -> None:
        self._views = Chips({0: tr("Jobs"), 1: tr("All logs")}, 0)
        self._views.chosen.connect(self._show_view)
        self.split = QSplitter(Qt.Orientation.Horizontal)
        self.split.setChildrenCollapsible(False)
        self.split.addWidget(self.listing)
        self.split.addWidget(self.detail)
        self.split.setHandleWidth(2 * GRID)
        self.split.setSizes([640, 460])
        self.split.setStretchFactor(0, 3)
        self.split.setStretchFactor(1, 2)
        self._stack = QStackedWidget()
        self._stack.addWidget(self.split)
        column = QVBoxLayout(self)
        column.setContentsMargins(2 * GRID, 2 * GRID, 2 * GRID, 2 * GRID)
        column.setSpacing(GRID + GRID // 2)
        column.addWidget(self._views)
        column.addWidget(self.strip)
        column.addWidget(self.banner)
        column.addWidget(self._stack, 1)
        self._show_view(0)
        self.listing.table.setFocus()

    def _connect(self) -> None:
        self.listing.chosen.connect(self._choose)
        self.listing.table.opened.connect(self.detail.log.pane.table.setFocus)
        self.listing.table.cancel_wanted.connect(self.detail.ask_to_cancel)
        self.listing.table.copied.connect(self._copy_row)
        find = QShortcut(QKeySequence.StandardKey.Find, self)
        find.activated.connect(self._find)
        back = QShortcut(QKeySequence(Qt.Key.Key_Escape), self.detail)
        back.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        back.activated.connect(self._back)

    def _choose(self, row: JobRow | None) -> None:
        if row is not None:
            self.detail.show_job(row.job_id)

    def _find(self) -> None:
        """Go to the search box of what is being looked at."""
        box = self.listing.filters.search
        if self._stack.currentIndex() == 1:
            box = self.logs.pane.search
        elif self.detail.isAncestorOf(self.focusWidget()):
            box = self.detail.log.pane.search
        box.setFocus(Qt.FocusReason.ShortcutFocusReason)
        box.selectAll()

    def _back(self) -> None:
        """Empty the box that is being typed in, otherwise go back to the list."""
        box = self.detail.log.pane.search
        if box.hasFocus() and box.text():
            box.clear()
        else:
            self.listing.table.setFocus()

    def _copy_row(self) -> None:
        row = self.listing.chosen_row()
        if row is not None:
            now = self._bridge.desk.environment.now()
            QGuiApplication.clipboard().setText(row_text(row, now, whereabouts(self._bridge.desk)))

    def _show_view(self, number: int) -> None:
        self._views.choose(number)
        self._stack.setCurrentWidget(self.logs if number else self.split)
