"""The Models window: the list beside one model, and a file dropped anywhere is predicted."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QFileSystemWatcher, QItemSelection, Qt, QTimer, QUrl
from PySide6.QtGui import (
    QDesktopServices,
    QDragEnterEvent,
    QDropEvent,
    QHideEvent,
    QKeySequence,
    QShortcut,
    QShowEvent,
)
from PySide6.QtWidgets import (
    QComboBox,
    QFileDialog,
    QHBoxLayout,
    QInputDialog,
    QLineEdit,
    QListView,
    QSplitter,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from desktop.core.news import News
from desktop.desk.models import Detail, Entry, Manifest, Models, Removed
from desktop.gui.bridge import Bridge
from desktop.gui.language import tr
from desktop.gui.parts import Banner, EmptyState, button, label
from desktop.gui.strip import Strip
from desktop.gui.style import GRID, Style
from desktop.gui.two_lines import TwoLineDelegate
from desktop.gui.windows.models.compare import Comparison
from desktop.gui.windows.models.detail import DetailPane
from desktop.gui.windows.models.model_list import ENTRY_ROLE, ModelList, sorts
from desktop.gui.windows.models.predicting import ENDINGS, Predicting
from shared.plain_text import plain_line

WATCHED_MAX = 256
"""Systems allow a program only so many folders to watch."""
SETTLE_MS = 400
"""A model is written in several files; one look is enough for all of them."""


class ModelsWindow(QWidget):
    """What was trained on this machine."""

    def __init__(self, bridge: Bridge, style: Style) -> None:
        super().__init__()
        self._bridge = bridge
        self._style = style
        self.models = Models(bridge.desk.paths.models)
        self.banner = Banner()
        self.undo = button(tr("Undo"), self._undo, "primary", name=tr("Bring the model back"))
        self.list = ModelList(bridge.desk.environment.now, self)
        self.detail = DetailPane(style)
        self.predicting = Predicting(bridge)
        self._removed: Removed | None = None
        self._wanted = ""
        self._watcher: QFileSystemWatcher | None = None
        self._settle = QTimer(self)
        self._settle.setSingleShot(True)
        self._settle.setInterval(SETTLE_MS)
        self._settle.timeout.connect(self.read)
        self.setAcceptDrops(True)
        self.setWindowTitle(tr("Models"))
        self._arrange()
        self._connect()
        self.resize(1080, 740)

    def show_item(self, item: str) -> None:
        """Show a model by its id; nothing happens for an empty one."""
        if item:
            self._wanted = item
            self.read()

    def read(self) -> None:
        """Look at the folder anew."""
        self._bridge.do(self.models.entries(), then=self._took)

    def chosen(self) -> Entry | None:
        """The model that is looked at."""
        entry: Entry | None = self.view.currentIndex().data(ENTRY_ROLE)
        return entry

    # Putting it together.

    def _arrange(self) -> None:
        self.search = QLineEdit()
        self.search.setPlaceholderText(tr("Search models"))
        self.search.setAccessibleName(tr("Search models"))
        self.search.setClearButtonEnabled(True)
        self.order = QComboBox()
        self.order.setAccessibleName(tr("Order"))
        for name, title in sorts().items():
            self.order.addItem(title, name)
        self.view = QListView()
        self.view.setModel(self.list)
        self.view.setItemDelegate(TwoLineDelegate(self._style, self.list.lines, self))
        self.view.setAccessibleName(tr("Models"))
        self.view.setUniformItemSizes(True)
        self.train = button(tr("Train a new one…"), self._train)
        left = QWidget()
        column = QVBoxLayout(left)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(GRID)
        top = QHBoxLayout()
        top.setSpacing(GRID)
        top.addWidget(self.search, 1)
        top.addWidget(self.order)
        column.addLayout(top)
        column.addWidget(self.view, 1)
        column.addWidget(self.train)
        self._stack = QStackedWidget()
        first = button(tr("Train a model…"), self._train, "primary")
        teaches = tr("What you train on this computer appears here, with how good it is.")
        self._stack.addWidget(EmptyState(teaches, first))
        self._stack.addWidget(self._both(left))
        outer = QVBoxLayout(self)
        outer.setContentsMargins(2 * GRID, 2 * GRID, 2 * GRID, 2 * GRID)
        outer.setSpacing(GRID)
        outer.addWidget(Strip(self._bridge))
        outer.addLayout(self._notes())
        outer.addWidget(self._stack, 1)

    def _both(self, left: QWidget) -> QSplitter:
        right = QWidget()
        column = QVBoxLayout(right)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(GRID)
        column.addWidget(self.predicting)
        self._broken = label("", "failed")
        self._broken.hide()
        column.addWidget(self._broken)
        column.addWidget(self.detail, 1)
        column.addStretch()
        split = QSplitter(Qt.Orientation.Horizontal)
        split.setChildrenCollapsible(False)
        split.setHandleWidth(2 * GRID)
        split.addWidget(left)
        split.addWidget(right)
        split.setSizes([340, 720])
        split.setStretchFactor(1, 1)
        return split

    def _notes(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.addWidget(self.banner, 1)
        row.addWidget(self.undo)
        self.undo.hide()
        return row

    def _connect(self) -> None:
        self.search.textChanged.connect(self.list.narrow)
        self.order.currentIndexChanged.connect(
            lambda _: self.list.order(str(self.order.currentData()))
        )
        self.view.selectionModel().selectionChanged.connect(self._selected)
        self.list.modelReset.connect(self._keep_choice)
        self.detail.wants.connect(self._do)
        self.predicting.told.connect(self.banner.tell)
        self._bridge.hears(self, News.MODELS, News.JOBS, then=self._rung)
        find = QShortcut(QKeySequence.StandardKey.Find, self)
        find.activated.connect(self.search.setFocus)
        remove = QShortcut(QKeySequence.StandardKey.Delete, self.view)
        remove.setContext(Qt.ShortcutContext.WidgetShortcut)
        remove.activated.connect(lambda: self._do("remove"))

    # What the folder says.

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._watcher = QFileSystemWatcher(self)
        self._watcher.directoryChanged.connect(lambda _: self._settle.start())
        self.read()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._settle.stop()
        if self._watcher is not None:
            self._watcher.deleteLater()
            self._watcher = None

    def _rung(self) -> None:
        if self.isVisible():
            self._settle.start()

    def _took(self, entries: tuple[Entry, ...]) -> None:
        chosen = self.chosen()
        if not self._wanted and chosen is not None:
            self._wanted = chosen.model_id
        self.list.show(entries)
        self._stack.setCurrentIndex(0 if self.list.is_empty else 1)
        self._keep_choice()
        if self._watcher is not None:
            self._bridge.do(self.models.homes(), then=self._watch)

    def _watch(self, homes: tuple[Path, ...]) -> None:
        """Hear of versions, too: they come and go one folder deeper."""
        if self._watcher is None:
            return
        watched = set(self._watcher.directories())
        fresh = [str(home) for home in homes[:WATCHED_MAX] if str(home) not in watched]
        if fresh:
            self._watcher.addPaths(fresh)

    def _keep_choice(self) -> None:
        """Look at the wanted model, or at the first one."""
        row = self.list.row_of(self._wanted) if self._wanted else -1
        if row < 0 and self.list.shown and not self.view.currentIndex().isValid():
            row = 0
        if row >= 0 and row != self.view.currentIndex().row():
            self.view.setCurrentIndex(self.list.index(row, 0))
        if row >= 0:
            self._wanted = ""

    def _selected(self, _new: QItemSelection, _old: QItemSelection) -> None:
        entry = self.chosen()
        is_whole = isinstance(entry, Manifest)
        self._broken.setVisible(entry is not None and not is_whole)
        self.detail.setVisible(is_whole)
        if entry is None:
            return
        if isinstance(entry, Manifest):
            self._bridge.do(self.models.detail(entry.model_id), then=self._show_detail)
        else:
            told = tr("{name} cannot be used: {reason}").format(
                name=plain_line(entry.name), reason=plain_line(entry.reason)
            )
            self._broken.setText(told)

    def _show_detail(self, detail: Detail) -> None:
        entry = self.chosen()
        if entry is not None and entry.model_id == detail.manifest.model_id:
            self.detail.show_detail(detail)

    # What the person does.

    def _do(self, wish: str) -> None:
        entry = self.chosen()
        if entry is None:
            return
        match wish:
            case "predict":
                self._choose_file()
            case "rename":
                self._rename(entry)
            case "compare":
                self._compare(entry)
            case "folder":
                detail = self.detail.detail
                if detail is not None:
                    QDesktopServices.openUrl(QUrl.fromLocalFile(str(detail.folder)))
            case "remove":
                self._bridge.do(self.models.remove(entry.model_id), then=self._removed_one)
            case _:
                raise AssertionError(wish)

    def _train(self) -> None:
        self._bridge.opened.emit("chat", "new:ml.train")

    def _rename(self, entry: Entry) -> None:
        dialog = QInputDialog(self)
        dialog.setWindowTitle(tr("Rename the model"))
        dialog.setLabelText(tr("Its new name:"))
        dialog.setTextValue(entry.name)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.textValueSelected.connect(
            lambda name: self._bridge.do(
                self.models.rename(entry.model_id, name),
                then=lambda _: self._renamed(entry.model_id),
                failed=self.banner.tell,
            )
        )
        dialog.open()

    def _renamed(self, model_id: str) -> None:
        self.view.clearSelection()
        self.view.setCurrentIndex(self.list.index(-1, 0))
        self.show_item(model_id)

    def _compare(self, entry: Entry) -> None:
        others = [e for e in self.list.shown if isinstance(e, Manifest) and e != entry]
        if not others:
            self.banner.tell(tr("There is no other model to compare it with."))
            return
        titles = {f"{plain_line(e.name)} · {e.created_at[:16]}": e.model_id for e in others}
        dialog = QInputDialog(self)
        dialog.setWindowTitle(tr("Compare"))
        dialog.setLabelText(tr("Compare with:"))
        dialog.setComboBoxItems(list(titles))
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.textValueSelected.connect(
            lambda title: self._bridge.do(
                self._two(entry.model_id, titles[title]), then=self._beside, failed=self.banner.tell
            )
        )
        dialog.open()

    async def _two(self, first: str, second: str) -> tuple[Detail, Detail]:
        return await self.models.detail(first), await self.models.detail(second)

    def _beside(self, both: tuple[Detail, Detail]) -> None:
        Comparison(self._style, *both, self).open()

    def _removed_one(self, removed: Removed) -> None:
        self._removed = removed
        self.banner.tell(
            tr("{name} was deleted. It can come back for a week.").format(
                name=plain_line(removed.name)
            )
        )
        self.undo.show()
        self.undo.setFocus()
        self.read()

    def _undo(self) -> None:
        if self._removed is not None:
            self._wanted = self._removed.model_id
            self._bridge.do(
                self.models.restore(self._removed),
                then=lambda _: self.read(),
                failed=self.banner.tell,
            )
        self._removed = None
        self.undo.hide()
        self.banner.hide()

    # Files.

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if dropped(event.mimeData().urls()) is not None and isinstance(self.chosen(), Manifest):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        file = dropped(event.mimeData().urls())
        if file is not None:
            self.predict(file)

    def predict(self, file: Path) -> None:
        """Predict a file of an allowed folder with the model that is looked at."""
        entry = self.chosen()
        if not isinstance(entry, Manifest):
            return
        if not is_allowed(file, self._bridge.desk.policy.folders):
            self.banner.tell(
                tr(
                    "{file} is in no folder that Deskhand may use. Allow its folder in Settings, "
                    "then try again."
                ).format(file=plain_line(file.name))
            )
            self._bridge.opened.emit("settings", "folders")
            return
        self.predicting.start(entry, file)

    def _choose_file(self) -> None:
        dialog = QFileDialog(self, tr("Which file should be predicted?"))
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        endings = " ".join(f"*{ending}" for ending in ENDINGS)
        dialog.setNameFilter(tr("Tables ({endings})").format(endings=endings))
        folders = self._bridge.desk.policy.folders
        if folders:
            dialog.setDirectory(str(Path(folders[0]).expanduser()))
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(lambda name: self.predict(Path(name)))
        dialog.open()


def dropped(urls: list[QUrl]) -> Path | None:
    """The one table that was dropped; None for anything else."""
    if len(urls) != 1 or not urls[0].isLocalFile():
        return None
    file = Path(urls[0].toLocalFile())
    return file if file.suffix.lower() in ENDINGS else None


def is_allowed(file: Path, folders: tuple[str, ...]) -> bool:
    """Say whether a file lies in one of the owner's folders; the worker decides again."""
    real = file.resolve()
    return any(real.is_relative_to(Path(f).expanduser().resolve()) for f in folders)
