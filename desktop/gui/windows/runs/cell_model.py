"""The probes of a run as a table, page by page: further ones are read when the view wants them."""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum

from PySide6.QtCore import (
    QAbstractTableModel,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    Qt,
    Signal,
)
from PySide6.QtGui import QColor

from desktop.desk.runs import CellFacts, CellPage
from desktop.gui.language import tr
from desktop.gui.parts import tip
from desktop.gui.times import duration
from desktop.gui.windows.runs import saying
from shared.plain_text import plain_line

CELL_ROLE = Qt.ItemDataRole.UserRole
Index = QModelIndex | QPersistentModelIndex


class Column(IntEnum):
    STATE = 0
    SCENARIO = 1
    MODEL = 2
    CHOICE = 3
    TOKENS = 4
    TOOK = 5
    COST = 6


NUMBERS = (Column.TOKENS, Column.TOOK, Column.COST)


class CellModel(QAbstractTableModel):
    wants_more = Signal(int)
    """The view is at its end: read on after this index."""

    def __init__(self, color: Callable[[str], QColor], parent: QObject) -> None:
        super().__init__(parent)
        self._color = color
        self.cells: list[CellFacts] = []
        self.next_after: int | None = None
        self._is_reading = False

    def show(self, page: CellPage) -> None:
        """Begin anew with a page."""
        self.beginResetModel()
        self.cells = list(page.cells)
        self.next_after = page.next_after
        self._is_reading = False
        self.endResetModel()

    def add(self, page: CellPage) -> None:
        """Go on with the page that follows."""
        self._is_reading = False
        self.next_after = page.next_after
        if not page.cells:
            return
        first = len(self.cells)
        self.beginInsertRows(QModelIndex(), first, first + len(page.cells) - 1)
        self.cells += page.cells
        self.endInsertRows()

    def row_of(self, index: int) -> int:
        return next((n for n, facts in enumerate(self.cells) if facts.cell.index == index), -1)

    # Qt's.

    def canFetchMore(self, parent: Index) -> bool:
        return not parent.isValid() and self.next_after is not None and not self._is_reading

    def fetchMore(self, parent: Index) -> None:
        if self.next_after is not None and not self._is_reading:
            self._is_reading = True
            self.wants_more.emit(self.next_after)

    def rowCount(self, parent: Index | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self.cells)

    def columnCount(self, parent: Index | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(Column)

    def headerData(
        self,
        section: int,
        orientation: Qt.Orientation,
        role: int = Qt.ItemDataRole.DisplayRole,
    ) -> object:
        if orientation is Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return _titles()[Column(section)]
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _alignment(Column(section))
        return None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        facts, column = self.cells[index.row()], Column(index.column())
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return _text(facts, column)
            case Qt.ItemDataRole.ToolTipRole:
                return tip(plain_line(facts.message) or _text(facts, column))
            case Qt.ItemDataRole.TextAlignmentRole:
                return _alignment(column)
            case Qt.ItemDataRole.ForegroundRole if column is Column.STATE:
                return self._color(saying.state_color(facts.state))
            case Qt.ItemDataRole.ForegroundRole if column is not Column.SCENARIO:
                return self._color("muted")
            case Qt.ItemDataRole.UserRole:
                return facts
            case _:
                return None


def _titles() -> dict[Column, str]:
    return {
        Column.STATE: tr("State"),
        Column.SCENARIO: tr("Scenario"),
        Column.MODEL: tr("Model"),
        Column.CHOICE: tr("Chose"),
        Column.TOKENS: tr("Tokens"),
        Column.TOOK: tr("Took"),
        Column.COST: tr("Cost"),
    }


def _text(facts: CellFacts, column: Column) -> str:
    cell = facts.cell
    match column:
        case Column.STATE:
            word = saying.state_word(facts.state)
            fault = f": {plain_line(facts.fault).replace('_', ' ')}" if facts.fault else ""
            return f"{saying.state_mark(facts.state)} {word}{fault}"
        case Column.SCENARIO:
            repeat = f" #{cell.repeat + 1}" if cell.repeat else ""
            return plain_line(cell.scenario) + repeat
        case Column.MODEL:
            return plain_line(cell.model)
        case Column.CHOICE:
            return plain_line(facts.choice)
        case Column.TOKENS:
            return saying.tokens(facts)
        case Column.TOOK:
            return duration(facts.total_ms / 1000) if facts.turns else ""
        case Column.COST:
            return saying.cost(facts.cost_usd) if facts.turns else ""


def _alignment(column: Column) -> int:
    side = Qt.AlignmentFlag.AlignRight if column in NUMBERS else Qt.AlignmentFlag.AlignLeft
    return int(side | Qt.AlignmentFlag.AlignVCenter)
