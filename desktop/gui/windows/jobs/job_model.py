"""The list of jobs as Qt's model: rows as the store gave them, mended in place."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from enum import IntEnum

from PySide6.QtCore import (
    QAbstractTableModel,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    Qt,
    Signal,
)

from desktop.desk.standing import Whereabouts
from desktop.gui import times
from desktop.gui.chip import state_word
from desktop.gui.language import tr
from desktop.gui.parts import tip
from desktop.gui.windows.jobs import wording
from desktop.store.copied import JobRow
from desktop.store.copied_list import Changes, Order, Wanted, precedes
from shared.ids import JobId
from shared.messages import Progress
from shared.plain_text import plain_line

Index = QModelIndex | QPersistentModelIndex
TOP = QModelIndex()
"""The parent of all rows."""
ROW_ROLE = Qt.ItemDataRole.UserRole
SECOND_LINE_ROLE = Qt.ItemDataRole.UserRole + 1


class Column(IntEnum):
    STATE = 0
    JOB = 1
    MACHINE = 2
    KIND = 3
    AGE = 4


ORDERS = {
    Column.STATE: Order.STATE,
    Column.JOB: Order.TITLE,
    Column.MACHINE: Order.MACHINE,
    Column.KIND: Order.KIND,
    Column.AGE: Order.AGE,
}


class JobModel(QAbstractTableModel):
    """Holds the pages that were read so far; whoever owns it reads more when it asks."""

    more_wanted = Signal()

    def __init__(
        self,
        progress: Mapping[JobId, Progress],
        place: Callable[[], Whereabouts],
        parent: QObject,
    ) -> None:
        """Start empty.

        Args:
            progress: of jobs that run here; read whenever a row is shown.
            place: where this computer stands; asked whenever a row is shown.
            parent: owns the model.
        """
        super().__init__(parent)
        self.wanted = Wanted()
        self.now = datetime.now().astimezone()
        """The moment that ages are counted to."""
        self._progress = progress
        self._place = place
        self._rows: list[JobRow] = []
        self._has_more = False
        self._is_asking = False

    @property
    def rows(self) -> Sequence[JobRow]:
        return self._rows

    def adopt(self, wanted: Wanted, rows: Sequence[JobRow], *, has_more: bool) -> None:
        """Show other rows instead."""
        self.beginResetModel()
        self.wanted = wanted
        self._rows = list(rows)
        self._has_more, self._is_asking = has_more, False
        self.endResetModel()

    def extend(self, rows: Sequence[JobRow], *, has_more: bool) -> None:
        """Show the next page, too."""
        self._has_more, self._is_asking = has_more, False
        known = {row.number for row in self._rows}
        rows = [row for row in rows if row.number not in known]
        if rows:
            first = len(self._rows)
            self.beginInsertRows(TOP, first, first + len(rows) - 1)
            self._rows += rows
            self.endInsertRows()

    def mend(self, changes: Changes) -> None:
        """Show what has changed: rows stay where they are, move, come or go."""
        places = {row.number: place for place, row in enumerate(self._rows)}
        fresh = {row.number: row for row in changes.rows}
        homeless = []
        for number in changes.numbers & places.keys():
            row = fresh.pop(number, None)
            if row is not None and self._fits(places[number], row):
                self._rows[places[number]] = row
                self._tell(places[number])
            else:
                homeless.append(number)
                if row is not None:
                    fresh[number] = row
        for place in sorted((places[number] for number in homeless), reverse=True):
            self.beginRemoveRows(TOP, place, place)
            del self._rows[place]
            self.endRemoveRows()
        for row in fresh.values():
            self._insert(row)

    def grow_older(self, now: datetime) -> None:
        """Count the ages to another moment."""
        self.now = now
        if self._rows:
            last = self.index(len(self._rows) - 1, Column.AGE)
            self.dataChanged.emit(self.index(0, Column.AGE), last)

    def tell_standing(self) -> None:
        """The line to the hub came or went, or a rule holds jobs back."""
        if self._rows:
            last = self.index(len(self._rows) - 1, Column.JOB)
            self.dataChanged.emit(self.index(0, Column.JOB), last)

    def tell_progress(self) -> None:
        """The progress of jobs that run here has changed."""
        for place, row in enumerate(self._rows):
            if row.job_id in self._progress:
                self._tell(place)

    def place_of(self, job_id: JobId) -> int | None:
        return next((n for n, row in enumerate(self._rows) if row.job_id == job_id), None)

    def rowCount(self, parent: Index = TOP) -> int:
        return 0 if parent.isValid() else len(self._rows)

    def columnCount(self, parent: Index = TOP) -> int:
        return 0 if parent.isValid() else len(Column)

    def canFetchMore(self, parent: Index) -> bool:
        return self._has_more and not self._is_asking and not parent.isValid()

    def fetchMore(self, parent: Index) -> None:
        self._is_asking = True
        self.more_wanted.emit()

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> object:
        if orientation is not Qt.Orientation.Horizontal:
            return None
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _alignment(Column(section))
        if role != Qt.ItemDataRole.DisplayRole:
            return None
        return (tr("State"), tr("Job"), tr("Computer"), tr("Kind"), tr("Age"))[section]

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if not index.isValid() or index.row() >= len(self._rows):
            return None
        row, column = self._rows[index.row()], Column(index.column())
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return self._text(row, column)
            case Qt.ItemDataRole.AccessibleTextRole if column is Column.JOB:
                return f"{wording.title(row)}. {self._second_line(row)}".strip()
            case Qt.ItemDataRole.ToolTipRole if column in (Column.JOB, Column.AGE):
                return self._tip(row, column)
            case Qt.ItemDataRole.TextAlignmentRole:
                return _alignment(column)
            case _ if role == ROW_ROLE:
                return row
            case _ if role == SECOND_LINE_ROLE:
                return self._second_line(row)
        return None

    def _text(self, row: JobRow, column: Column) -> str:
        match column:
            case Column.STATE:
                return state_word(row.state)
            case Column.JOB:
                return wording.title(row)
            case Column.MACHINE:
                return plain_line(row.machine)
            case Column.KIND:
                return plain_line(row.kind)
            case Column.AGE:
                return times.age(row.created_at, self.now)

    def _tip(self, row: JobRow, column: Column) -> str:
        if column is Column.AGE:
            return times.clock(row.created_at, self.now)
        # A tool tip guesses whether it is rich text; a leading tag must not make it so.
        return tip(f"{wording.title(row)}\n{self._second_line(row)}".strip())

    def _second_line(self, row: JobRow) -> str:
        progress = self._progress.get(row.job_id)
        return wording.second_line(row, progress, self.now, self._place())

    def _fits(self, place: int, row: JobRow) -> bool:
        """Say whether a row may stand at a place between its neighbours."""
        above = self._rows[place - 1] if place else None
        below = self._rows[place + 1] if place + 1 < len(self._rows) else None
        if below is None and self._has_more and precedes(self._rows[place], row, self.wanted):
            return False  # what was not read yet may stand before it now
        return (above is None or precedes(above, row, self.wanted)) and (
            below is None or precedes(row, below, self.wanted)
        )

    def _insert(self, row: JobRow) -> None:
        low, high = 0, len(self._rows)
        while low < high:
            middle = (low + high) // 2
            if precedes(self._rows[middle], row, self.wanted):
                low = middle + 1
            else:
                high = middle
        if low == len(self._rows) and self._has_more:
            return  # it belongs to a page that nobody has scrolled to
        self.beginInsertRows(TOP, low, low)
        self._rows.insert(low, row)
        self.endInsertRows()

    def _tell(self, place: int) -> None:
        self.dataChanged.emit(self.index(place, 0), self.index(place, len(Column) - 1))


def _alignment(column: Column) -> Qt.AlignmentFlag:
    side = Qt.AlignmentFlag.AlignRight if column is Column.AGE else Qt.AlignmentFlag.AlignLeft
    return side | Qt.AlignmentFlag.AlignVCenter
