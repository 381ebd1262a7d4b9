"""The folders that may be used: ticked ones count, others can be dropped or picked."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import (
    QDragEnterEvent,
    QDragMoveEvent,
    QDropEvent,
    QPainter,
    QPaintEvent,
    QPalette,
)
from PySide6.QtWidgets import QAbstractItemView, QFileDialog, QListWidget, QListWidgetItem

from desktop.gui.language import tr
from desktop.gui.style import GRID, ROW

FOLDERS_MAX = 100
ROWS_SHOWN = 3
PATH = Qt.ItemDataRole.UserRole


class FolderList(QListWidget):
    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName(tr("Folders that may be used"))
        self.setAccessibleDescription(tr("Space ticks a folder. Folders can be dropped here."))
        self.setAcceptDrops(True)
        self.setDragDropMode(QAbstractItemView.DragDropMode.DropOnly)
        self.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setUniformItemSizes(True)
        self.setFixedHeight(ROWS_SHOWN * ROW + 2)
        self.setTabKeyNavigation(False)
        self.setViewportMargins(GRID, 0, GRID, 0)
        self.itemChanged.connect(lambda _item: self.changed.emit())

    def fill(self, allowed: Iterable[str], suggested: Iterable[str]) -> None:
        """Show the folders of the policy, ticked, and suggestions, not ticked."""
        self.clear()
        for folder in allowed:
            self._add(folder, is_ticked=True)
        for folder in suggested:
            self._add(folder, is_ticked=False)

    @property
    def ticked(self) -> tuple[str, ...]:
        items = [self.item(row) for row in range(self.count())]
        return tuple(
            str(item.data(PATH)) for item in items if item.checkState() is Qt.CheckState.Checked
        )

    def add(self, folder: str) -> None:
        """Tick a folder; one that stands there already is not doubled."""
        for row in range(self.count()):
            if self.item(row).data(PATH) == folder:
                self.item(row).setCheckState(Qt.CheckState.Checked)
                self.setCurrentRow(row)
                return
        if self.count() < FOLDERS_MAX:
            self._add(folder, is_ticked=True)
            self.setCurrentRow(self.count() - 1)
            self.changed.emit()

    def ask(self) -> None:
        """Let the person pick a folder."""
        dialog = QFileDialog(self, tr("Which folder may be used?"), str(Path.home()))
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.setOption(QFileDialog.Option.ShowDirsOnly)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(self.add)
        # Not `exec`: that loop would stand still within ours.
        dialog.open()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Say what to do with an empty list."""
        super().paintEvent(event)
        if self.count() == 0:
            painter = QPainter(self.viewport())
            painter.setPen(self.palette().color(QPalette.ColorRole.PlaceholderText))
            told = tr("Drop a folder here, or add one")
            painter.drawText(self.viewport().rect(), Qt.AlignmentFlag.AlignCenter, told)
            painter.end()

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if event.mimeData().hasUrls():
            event.acceptProposedAction()

    def dragMoveEvent(self, event: QDragMoveEvent) -> None:
        event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        """Take folders; of a file its folder is not taken, for it may hold more than was meant."""
        for url in event.mimeData().urls()[:FOLDERS_MAX]:
            folder = url.toLocalFile()
            if folder and Path(folder).is_dir():
                self.add(str(Path(folder)))
        event.acceptProposedAction()

    def _add(self, folder: str, *, is_ticked: bool) -> None:
        item = QListWidgetItem(short_path(folder))
        item.setData(PATH, folder)
        item.setToolTip(folder)
        item.setFlags(
            Qt.ItemFlag.ItemIsEnabled
            | Qt.ItemFlag.ItemIsSelectable
            | Qt.ItemFlag.ItemIsUserCheckable
        )
        item.setCheckState(Qt.CheckState.Checked if is_ticked else Qt.CheckState.Unchecked)
        item.setSizeHint(QSize(0, ROW))
        self.addItem(item)


def short_path(folder: str) -> str:
    """Write a path the way people do: "~/Documents"."""
    home = str(Path.home())
    return f"~{folder[len(home) :]}" if folder.startswith(f"{home}/") else folder
