"""The Runs window: the list beside one run, fresh while models are asked."""

from __future__ import annotations

from PySide6.QtCore import QItemSelection, Qt, QTimer, QUrl
from PySide6.QtGui import QDesktopServices, QHideEvent, QKeySequence, QShortcut, QShowEvent
from PySide6.QtWidgets import QListView, QSplitter, QStackedWidget, QVBoxLayout, QWidget

from desktop.core.news import News
from desktop.desk.runs import CellPage, Detail, Run, Runs
from desktop.gui.bridge import Bridge
from desktop.gui.fresh import Fresh
from desktop.gui.language import tr
from desktop.gui.parts import Banner, EmptyState, button
from desktop.gui.strip import Strip
from desktop.gui.style import GRID, Style
from desktop.gui.two_lines import TwoLineDelegate
from desktop.gui.windows.runs.detail import DetailPane
from desktop.gui.windows.runs.run_list import RUN_ROLE, RunList
from shared.errors import AppError

LOOK_MS = 1000
"""How often a run that goes on is looked at anew, while the window is seen."""
TYPING_MS = 250


class RunsWindow(QWidget):
    """What models were asked on this machine."""

    def __init__(self, bridge: Bridge, style: Style) -> None:
        super().__init__()
        self._bridge = bridge
        desk = bridge.desk
        self.runs = Runs(desk.paths.data, desk.paths.runs)
        self.banner = Banner()
        self.list = RunList(desk.environment.now, self)
        self.detail = DetailPane(style)
        self._wanted = ""
        self._fresh = Fresh(bridge, self, self.runs.all, self._took)
        self._look = QTimer(self)
        self._look.setInterval(LOOK_MS)
        self._look.timeout.connect(self._look_again)
        self._typing = QTimer(self)
        self._typing.setSingleShot(True)
        self._typing.setInterval(TYPING_MS)
        self._typing.timeout.connect(self._read_cells)
        self.setWindowTitle(tr("Runs"))
        self._arrange(style)
        self._connect()
        self.resize(1120, 780)

    def show_item(self, item: str) -> None:
        """Show a run by its id; nothing happens for an empty one."""
        if item:
            self._wanted = item
            self._fresh.ask()

    def chosen(self) -> Run | None:
        """The run that is looked at."""
        run: Run | None = self.view.currentIndex().data(RUN_ROLE)
        return run

    # Putting it together.

    def _arrange(self, style: Style) -> None:
        self.view = QListView()
        self.view.setModel(self.list)
        self.view.setItemDelegate(TwoLineDelegate(style, self.list.lines, self))
        self.view.setAccessibleName(tr("Runs"))
        self.view.setUniformItemSizes(True)
        left = QWidget()
        column = QVBoxLayout(left)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(GRID)
        column.addWidget(self.view, 1)
        column.addWidget(button(tr("New run…"), self._new))
        split = QSplitter(Qt.Orientation.Horizontal)
        split.setChildrenCollapsible(False)
        split.setHandleWidth(2 * GRID)
        split.addWidget(left)
        split.addWidget(self.detail)
        split.setSizes([300, 800])
        split.setStretchFactor(1, 1)
        teaches = tr(
            "A run puts the scenarios of a file to several models and ends with statistics. "
            "What was said stays on this computer."
        )
        self._stack = QStackedWidget()
        self._stack.addWidget(EmptyState(teaches, button(tr("New run…"), self._new, "primary")))
        self._stack.addWidget(split)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(2 * GRID, 2 * GRID, 2 * GRID, 2 * GRID)
        outer.setSpacing(GRID)
        outer.addWidget(Strip(self._bridge))
        outer.addWidget(self.banner)
        outer.addWidget(self._stack, 1)

    def _connect(self) -> None:
        self.view.selectionModel().selectionChanged.connect(self._selected)
        self.list.modelReset.connect(self._keep_choice)
        self.detail.wants.connect(self._do)
        self.detail.wanted_changed.connect(self._typing.start)
        self.detail.cells.wants_more.connect(self._read_more)
        self.detail.chosen.connect(self._read_probe)
        self._bridge.hears(self, News.JOBS, then=self._fresh.ask)
        find = QShortcut(QKeySequence.StandardKey.Find, self)
        find.activated.connect(self.detail.search.setFocus)
        self._fresh.ask()

    # What the transcripts say.

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._look.start()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._look.stop()

    def _look_again(self) -> None:
        """A run that goes on grows without a word to this window."""
        run = self.chosen()
        if run is not None and run.done < run.total:
            self._fresh.ask()

    def _took(self, runs: tuple[Run, ...]) -> None:
        before = self.chosen()
        self.list.show(runs)
        self._stack.setCurrentIndex(1 if runs else 0)
        self._keep_choice()
        now = self.chosen()
        if now is not None and before is not None and now.run_id == before.run_id and now != before:
            self._read_detail()
            self._read_cells()

    def _keep_choice(self) -> None:
        """Look at the wanted run, or at the newest."""
        row = self.list.row_of(self._wanted) if self._wanted else -1
        if row < 0 and self.list.runs and not self.view.currentIndex().isValid():
            row = 0
        if row >= 0:
            self._wanted = ""
            if row != self.view.currentIndex().row():
                self.view.setCurrentIndex(self.list.index(row, 0))

    def _selected(self, _new: QItemSelection, _old: QItemSelection) -> None:
        if self.chosen() is not None:
            self._read_detail()
            self._read_cells()

    def _read_detail(self) -> None:
        if (run := self.chosen()) is not None:
            self._bridge.do(
                self.runs.detail(run.run_id), then=self._show_detail, failed=self._failed
            )

    def _show_detail(self, detail: Detail) -> None:
        run = self.chosen()
        if run is not None and run.run_id == detail.run.run_id:
            self.detail.show_detail(detail)

    def _read_cells(self) -> None:
        if (run := self.chosen()) is not None:
            wanted, run_id = self.detail.wanted(), run.run_id
            self._bridge.do(
                self.runs.cells(run_id, wanted),
                then=lambda page: self._show_cells(run_id, page),
                failed=self._failed,
            )

    def _show_cells(self, run_id: str, page: CellPage) -> None:
        run = self.chosen()
        if run is None or run.run_id != run_id:
            return
        index = self.detail.chosen_index()
        self.detail.cells.show(page)
        row = self.detail.cells.row_of(index) if index is not None else -1
        if row >= 0:
            self.detail.table.selectRow(row)

    def _read_more(self, after: int) -> None:
        if (run := self.chosen()) is not None:
            self._bridge.do(
                self.runs.cells(run.run_id, self.detail.wanted(), after),
                then=self.detail.cells.add,
                failed=self._failed,
            )

    def _read_probe(self, index: int) -> None:
        if (run := self.chosen()) is not None:
            self._bridge.do(
                self.runs.probe(run.run_id, index),
                then=self.detail.transcript.show_probe,
                failed=self._failed,
            )

    def _failed(self, error: AppError) -> None:
        self.banner.tell(error)

    # What the person does.

    def _do(self, wish: str) -> None:
        run = self.chosen()
        if run is None:
            return
        match wish:
            case "again":
                desk = self._bridge.desk
                title = tr("go on with {name}").format(name=run.name)
                self._bridge.do(
                    desk.requests.make(
                        "llm.run",
                        {"again": run.run_id},
                        title=title[:200],
                        worker_id=desk.pairing.worker_id if desk.pairing else None,
                    ),
                    then=lambda _: self.banner.tell(tr("What has no answer yet is asked again.")),
                    failed=self._failed,
                )
            case "job":
                self._bridge.opened.emit("jobs", run.run_id)
            case "folder":
                folder = self.detail.detail.folder if self.detail.detail else None
                if folder is None or not folder.is_dir():
                    self.banner.tell(tr("There are no results of this run yet."))
                else:
                    QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder)))
            case _:
                raise AssertionError(wish)

    def _new(self) -> None:
        self._bridge.opened.emit("chat", "new:llm.run")
