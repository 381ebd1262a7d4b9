"""The lines of a change, in a list that only ever paints those that are seen."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication, QKeySequence, QShortcut
from PySide6.QtWidgets import QAbstractItemView, QListView

from desktop.gui.language import tr
from desktop.gui.style import Style
from desktop.gui.windows.change.diff_delegate import DiffDelegate
from desktop.gui.windows.change.diff_model import DiffModel
from desktop.gui.windows.change.rows import Rows, copied


class DiffView(QListView):
    def __init__(self, style: Style) -> None:
        super().__init__()
        self.lines = DiffModel(self)
        self._delegate = DiffDelegate(style, self)
        self.setModel(self.lines)
        self.setItemDelegate(self._delegate)
        self.setUniformItemSizes(True)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setTextElideMode(Qt.TextElideMode.ElideNone)
        self.setTabKeyNavigation(False)
        self.setAccessibleName(tr("Changed lines"))
        copies = QShortcut(QKeySequence.StandardKey.Copy, self)
        copies.setContext(Qt.ShortcutContext.WidgetShortcut)
        copies.activated.connect(self.copy)
        style.changed.connect(self.viewport().update)

    def show_rows(self, rows: Rows) -> None:
        """Show another change; the same one stays where it is."""
        if rows == self.lines.rows:
            return
        self._delegate.columns = rows.columns
        self.lines.show(rows)
        self.scheduleDelayedItemsLayout()

    def show_file(self, number: int) -> None:
        """Bring a file's first line to the top."""
        if 0 <= number < len(self.lines.rows.starts):
            index = self.lines.index(self.lines.rows.starts[number], 0)
            self.setCurrentIndex(index)
            self.scrollTo(index, QAbstractItemView.ScrollHint.PositionAtTop)
            self.horizontalScrollBar().setValue(0)

    def copy(self) -> None:
        """Put the chosen lines on the clipboard, as a diff writes them."""
        rows = sorted(index.row() for index in self.selectionModel().selectedIndexes())
        if rows:
            text = "\n".join(copied(self.lines.row(row)) for row in rows)
            QGuiApplication.clipboard().setText(f"{text}\n" if len(rows) > 1 else text)
