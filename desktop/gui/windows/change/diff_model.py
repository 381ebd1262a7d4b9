"""The rows of a change as Qt's model."""

from __future__ import annotations

from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, QPersistentModelIndex, Qt

from desktop.gui.windows.change.rows import Row, Rows, copied, spoken

Index = QModelIndex | QPersistentModelIndex
ROW_ROLE = Qt.ItemDataRole.UserRole
NOTHING = Rows((), (), 0)


class DiffModel(QAbstractListModel):
    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self.rows = NOTHING

    def show(self, rows: Rows) -> None:
        """Show these instead; the same ones stay as they are."""
        if rows == self.rows:
            return
        self.beginResetModel()
        self.rows = rows
        self.endResetModel()

    def row(self, number: int) -> Row:
        return self.rows.rows[number]

    def file_at(self, number: int) -> int:
        """Which file a row belongs to; -1 for none."""
        return sum(start <= number for start in self.rows.starts) - 1

    def rowCount(self, parent: Index | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self.rows.rows)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        row = self.row(index.row())
        if role == ROW_ROLE:
            return row
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return spoken(row)
        return copied(row) if role == Qt.ItemDataRole.DisplayRole else None
