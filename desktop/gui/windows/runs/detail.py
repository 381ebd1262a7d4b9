"""One run: how far it is, what it cost, its statistics, its probes and what was said in one."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QItemSelection, Qt, Signal
from PySide6.QtWidgets import (
    QAbstractItemView,
    QButtonGroup,
    QComboBox,
    QHBoxLayout,
    QHeaderView,
    QLineEdit,
    QProgressBar,
    QSplitter,
    QStackedWidget,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from desktop.core.llm.types import CellState
from desktop.desk.runs import CellFacts, Detail, Wanted
from desktop.gui.language import tr
from desktop.gui.parts import button, label
from desktop.gui.style import GRID, ROW, Style
from desktop.gui.windows.runs import saying
from desktop.gui.windows.runs.cell_model import CELL_ROLE, CellModel, Column
from desktop.gui.windows.runs.statistics_view import StatisticsView
from desktop.gui.windows.runs.transcript_view import TranscriptView
from shared.plain_text import plain_line


class DetailPane(QWidget):
    wants = Signal(str)
    """"again", "job", "folder"."""
    wanted_changed = Signal()
    chosen = Signal(int)
    """A probe, by its index."""

    def __init__(self, style: Style) -> None:
        super().__init__()
        self._style = style
        self.detail: Detail | None = None
        self.cells = CellModel(style.color, self)
        self.transcript = TranscriptView()
        self._arrange()

    def show_detail(self, detail: Detail) -> None:
        """Show a run's head; its probes come on their own."""
        is_other = self.detail is None or self.detail.run.run_id != detail.run.run_id
        self.detail = detail
        run = detail.run
        self.title.setText(plain_line(run.name))
        self.told.setText(" · ".join(p for p in (saying.how_far(run), saying.spent(run)) if p))
        self.bar.setMaximum(max(1, run.total))
        self.bar.setValue(run.done)
        self.bar.setAccessibleName(saying.how_far(run))
        self.bar.setVisible(run.done < run.total)
        self.faults.setText(tr("Failed: {classes}").format(classes=saying.faults(run)))
        self.faults.setVisible(bool(run.faults))
        self.again.setVisible(run.done >= run.total and run.failed > 0)
        self.figures.show_figures(detail)
        if is_other:
            self._offer_models(run.models)
            self.transcript.clear()

    def wanted(self) -> Wanted:
        """Which probes the person wants to see."""
        state = self.state.currentData()
        return Wanted(
            state=CellState(state) if state else None,
            model=str(self.model.currentData() or ""),
            text=self.search.text().strip(),
        )

    def chosen_index(self) -> int | None:
        facts = self.table.currentIndex().data(CELL_ROLE)
        return facts.cell.index if isinstance(facts, CellFacts) else None

    # Putting it together.

    def _arrange(self) -> None:
        self.title = label("", "title")
        self.told = label("", "muted")
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.faults = label("", "failed")
        self.again = button(tr("Ask the failed again"), self._wish("again"), "primary")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(GRID)
        head = QHBoxLayout()
        head.setSpacing(GRID)
        head.addWidget(self.title, 1)
        head.addWidget(self.again)
        head.addWidget(button(tr("Its job"), self._wish("job")))
        head.addWidget(button(tr("Open folder"), self._wish("folder")))
        column.addLayout(head)
        for part in (self.told, self.bar, self.faults):
            column.addWidget(part)
        self.stack = QStackedWidget()
        self.stack.addWidget(self._probes())
        self.stack.addWidget(self._statistics())
        column.addLayout(self._sides())
        column.addWidget(self.stack, 1)

    def _sides(self) -> QHBoxLayout:
        """Make the buttons that choose between probes and statistics."""
        row = QHBoxLayout()
        row.setSpacing(GRID)
        self.sides = QButtonGroup(self)
        for number, text in enumerate((tr("Probes"), tr("Statistics"))):
            side = button(text, lambda: None, "chip")
            side.setCheckable(True)
            side.setChecked(number == 0)
            self.sides.addButton(side, number)
            row.addWidget(side)
        row.addStretch()
        self.sides.idClicked.connect(self.stack.setCurrentIndex)
        return row

    def _probes(self) -> QWidget:
        page = QWidget()
        column = QVBoxLayout(page)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(GRID)
        column.addLayout(self._filters())
        split = QSplitter(Qt.Orientation.Vertical)
        split.setChildrenCollapsible(False)
        split.setHandleWidth(2 * GRID)
        split.addWidget(self._table())
        split.addWidget(self.transcript)
        split.setSizes([300, 320])
        column.addWidget(split, 1)
        return page

    def _filters(self) -> QHBoxLayout:
        self.search = QLineEdit()
        self.search.setPlaceholderText(tr("Search in what was said"))
        self.search.setAccessibleName(tr("Search in what was said"))
        self.search.setClearButtonEnabled(True)
        self.state = QComboBox()
        self.state.setAccessibleName(tr("State"))
        self.state.addItem(tr("All"), "")
        for state in (CellState.ANSWERED, CellState.REFUSED, CellState.FAILED, CellState.OPEN):
            self.state.addItem(saying.state_word(state), state.value)
        self.model = QComboBox()
        self.model.setAccessibleName(tr("Model"))
        self.model.addItem(tr("All models"), "")
        self.search.textChanged.connect(lambda _: self.wanted_changed.emit())
        for box in (self.state, self.model):
            box.currentIndexChanged.connect(lambda _: self.wanted_changed.emit())
        row = QHBoxLayout()
        row.setSpacing(GRID)
        row.addWidget(self.search, 1)
        row.addWidget(self.state)
        row.addWidget(self.model)
        return row

    def _table(self) -> QTableView:
        self.table = table = QTableView()
        table.setModel(self.cells)
        table.setAccessibleName(tr("Probes"))
        table.setShowGrid(False)
        table.setWordWrap(False)
        table.setTabKeyNavigation(False)
        table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        table.verticalHeader().hide()
        table.verticalHeader().setDefaultSectionSize(ROW)
        header = table.horizontalHeader()
        header.setHighlightSections(False)
        header.setSectionResizeMode(Column.SCENARIO, QHeaderView.ResizeMode.Stretch)
        for column, width in (
            (Column.STATE, 176),
            (Column.MODEL, 150),
            (Column.CHOICE, 64),
            (Column.TOKENS, 72),
            (Column.TOOK, 72),
            (Column.COST, 80),
        ):
            table.setColumnWidth(column, width)
        table.selectionModel().selectionChanged.connect(self._selected)
        return table

    def _statistics(self) -> QWidget:
        self.figures = StatisticsView(self._style)
        return self.figures

    def _offer_models(self, models: tuple[str, ...]) -> None:
        self.model.blockSignals(True)  # noqa: FBT003 - Qt's
        while self.model.count() > 1:
            self.model.removeItem(1)
        for name in models:
            self.model.addItem(plain_line(name), name)
        self.model.setVisible(len(models) > 1)
        self.model.blockSignals(False)  # noqa: FBT003 - Qt's

    def _selected(self, _new: QItemSelection, _old: QItemSelection) -> None:
        index = self.chosen_index()
        if index is not None:
            self.chosen.emit(index)

    def _wish(self, wish: str) -> Callable[[], None]:
        return lambda: self.wants.emit(wish)
