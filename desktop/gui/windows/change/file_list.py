"""The files of a change: what each is called, and what became of it."""

from __future__ import annotations

from PySide6.QtCore import QAbstractListModel, QObject, Qt

from desktop.desk.changes import FileChange
from desktop.gui.language import tr
from desktop.gui.parts import tip
from desktop.gui.two_lines import Index, Line


class FileList(QAbstractListModel):
    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self.files: tuple[FileChange, ...] = ()

    def show(self, files: tuple[FileChange, ...]) -> None:
        if files == self.files:
            return
        self.beginResetModel()
        self.files = files
        self.endResetModel()

    def rowCount(self, parent: Index | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self.files)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        file = self.files[index.row()]
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            return f"{file.path}. {second_line(file)}"
        return tip(file.path) if role == Qt.ItemDataRole.ToolTipRole else None

    def lines(self, index: Index) -> tuple[Line, Line]:
        """What stands in a row: the name, and where it is with what became of it."""
        file = self.files[index.row()]
        folder, _, name = file.path.rpartition("/")
        told = second_line(file)
        return Line(name, "text"), Line(f"{told} · {folder}" if folder else told, "muted")


def second_line(file: FileChange) -> str:
    """Say what became of a file: "new, +12 −0"."""
    words = {
        "added": tr("new"),
        "deleted": tr("deleted"),
        "renamed": tr("renamed"),
        "changed": tr("changed"),
    }
    size = tr("no text") if file.is_binary else signed(file.added, file.removed)
    return f"{words.get(file.what, words['changed'])}, {size}"


def signed(added: int, removed: int) -> str:
    return f"+{added:,} −{removed:,}"
