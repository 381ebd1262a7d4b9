"""A log of any length as Qt's model: only the pages that are looked at are in memory."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

from PySide6.QtCore import (
    QAbstractListModel,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    Qt,
    Signal,
)

from desktop.gui.parts import tip
from desktop.store.copied_lines import LogLine
from shared.plain_text import plain, plain_line

Index = QModelIndex | QPersistentModelIndex
TOP = QModelIndex()
"""The parent of all rows."""
LINE_ROLE = Qt.ItemDataRole.UserRole
PAGE_LINES = 200
PAGES_KEPT = 50
TIP_CHARS_MIN = 60
"""A shorter line needs no tool tip."""


class LogModel(QAbstractListModel):
    """Rows are lines; a row whose page is not here yet asks for it and stays blank meanwhile."""

    page_wanted = Signal(int)

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._count = 0
        self._pages: OrderedDict[int, dict[int, LogLine]] = OrderedDict()
        self._asked: set[int] = set()

    @property
    def count(self) -> int:
        return self._count

    @property
    def lines_held(self) -> int:
        return sum(len(page) for page in self._pages.values())

    def show_count(self, count: int) -> None:
        """Show another log, or the same one read anew."""
        self.beginResetModel()
        self._count = count
        self._pages.clear()
        self._asked.clear()
        self.endResetModel()

    def grow(self, count: int, last: Sequence[LogLine]) -> None:
        """Show lines that were added at the end.

        Args:
            count: of all rows from now on.
            last: the lines of the last rows; of a flood only the very last.
        """
        if count <= self._count:
            return
        self.beginInsertRows(TOP, self._count, count - 1)
        self._count = count
        self._take(count - len(last), last)
        self.endInsertRows()

    def fill(self, page: int, lines: Sequence[LogLine]) -> None:
        """Take a page that was asked for."""
        self._asked.discard(page)
        first = page * PAGE_LINES
        lines = lines[: self._count - first]
        if lines:
            self._take(first, lines)
            self.dataChanged.emit(self.index(first), self.index(first + len(lines) - 1))

    def peek(self, row: int) -> LogLine | None:
        """Return a row's line when it is here; ask for nothing."""
        return self._pages.get(row // PAGE_LINES, {}).get(row)

    def line(self, row: int) -> LogLine | None:
        """Return a row's line when it is here; otherwise ask for its page."""
        number = row // PAGE_LINES
        page = self._pages.get(number)
        line = page.get(row) if page else None
        if page is not None:
            self._pages.move_to_end(number)
        if line is None and number not in self._asked and row < self._count:
            self._asked.add(number)
            self.page_wanted.emit(number)
        return line

    def rowCount(self, parent: Index = TOP) -> int:
        return 0 if parent.isValid() else self._count

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if role not in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.ToolTipRole, LINE_ROLE):
            return None
        line = self.line(index.row())
        if line is None:
            return None
        if role == LINE_ROLE:
            return line
        if role == Qt.ItemDataRole.ToolTipRole:
            return tip(plain(line.text)) if len(line.text) >= TIP_CHARS_MIN else None
        return plain_line(line.text)

    def _take(self, first: int, lines: Sequence[LogLine]) -> None:
        for row, line in enumerate(lines, first):
            self._pages.setdefault(row // PAGE_LINES, {})[row] = line
        for number in range(first // PAGE_LINES, (first + len(lines)) // PAGE_LINES + 1):
            if number in self._pages:
                self._pages.move_to_end(number)
        while len(self._pages) > PAGES_KEPT:
            self._pages.popitem(last=False)
