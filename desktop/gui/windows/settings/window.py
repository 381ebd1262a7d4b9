"""The settings window: sections on the left, one page on the right, made when first looked at."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QFileSystemWatcher, Qt
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QHBoxLayout, QListWidget, QListWidgetItem, QStackedWidget, QWidget

from desktop.core.news import News
from desktop.gui.bridge import Bridge
from desktop.gui.language import tr
from desktop.gui.style import GRID, Style
from desktop.gui.windows.settings.devices import Devices
from desktop.gui.windows.settings.diagnostics import Diagnostics
from desktop.gui.windows.settings.folders import Folders
from desktop.gui.windows.settings.hub import Hub
from desktop.gui.windows.settings.keys import Keys
from desktop.gui.windows.settings.kinds import Kinds
from desktop.gui.windows.settings.login import Login
from desktop.gui.windows.settings.looks import Looks
from desktop.gui.windows.settings.notices import NoticesSection
from desktop.gui.windows.settings.schedules import Schedules
from desktop.gui.windows.settings.section import Section
from desktop.gui.windows.settings.updates import UpdatesSection
from desktop.gui.windows.settings.when import When

WIDTH, HEIGHT = 960, 680
LIST_WIDTH_MIN = 200
Make = Callable[[Bridge, Style], Section]


def sections() -> dict[str, tuple[str, Make]]:
    """Name the sections, in their order: what each is called, and how it is made."""
    return {
        "folders": (tr("Folders"), Folders),
        "kinds": (tr("Kinds and permissions"), Kinds),
        "when": (tr("When to run"), When),
        "keys": (tr("Keys"), Keys),
        "hub": (tr("Hub"), Hub),
        "devices": (tr("Devices"), Devices),
        "schedules": (tr("Schedules"), Schedules),
        "autostart": (tr("Start at login"), Login),
        "notices": (tr("Notifications"), NoticesSection),
        "appearance": (tr("Appearance and language"), Looks),
        "updates": (tr("Updates"), UpdatesSection),
        "diagnostics": (tr("Diagnostics"), Diagnostics),
    }


class SettingsWindow(QWidget):
    """`show_item` opens a section by its name."""

    def __init__(self, bridge: Bridge, style: Style) -> None:
        super().__init__()
        self._bridge = bridge
        self._style = style
        self._pages: dict[str, Section] = {}
        self.list = QListWidget()
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setAccessibleName(tr("Sections"))
        self.list.setProperty("look", "sections")
        self.list.currentItemChanged.connect(self._chosen)
        self._stack = QStackedWidget()
        row = QHBoxLayout(self)
        row.setContentsMargins(2 * GRID, 2 * GRID, 0, 0)
        row.setSpacing(0)
        row.addWidget(self.list)
        row.addWidget(self._stack, 1)
        self.resize(WIDTH, HEIGHT)
        self.setMinimumSize(640, 400)
        QShortcut(QKeySequence(Qt.Key.Key_Escape), self, self.close)
        self._watch_policy()
        self._fill("folders")

    @property
    def page(self) -> Section:
        """The section that is shown."""
        page = self._stack.currentWidget()
        assert isinstance(page, Section)
        return page

    def show_item(self, section: str) -> None:
        """Show a section: "folders", "kinds", "when", "keys", "hub" and so on."""
        for index in range(self.list.count()):
            item = self.list.item(index)
            if item.data(Qt.ItemDataRole.UserRole) == section:
                self.list.setCurrentItem(item)

    def speak_anew(self) -> None:
        """Say everything in the language that was just chosen."""
        self.setWindowTitle(f"{tr('Settings')} – Deskhand")
        shown = str(self.list.currentItem().data(Qt.ItemDataRole.UserRole))
        for page in self._pages.values():
            self._stack.removeWidget(page)
            page.deleteLater()
        self._pages.clear()
        self._fill(shown)

    def _fill(self, shown: str) -> None:
        self.list.blockSignals(True)  # noqa: FBT003 - Qt's own
        self.list.clear()
        for name, (title, _) in sections().items():
            item = QListWidgetItem(title, self.list)
            item.setData(Qt.ItemDataRole.UserRole, name)
        self.list.blockSignals(False)  # noqa: FBT003
        self.list.setFixedWidth(max(LIST_WIDTH_MIN, self.list.sizeHintForColumn(0) + 2 * GRID))
        self.show_item(shown)

    def _chosen(self, item: QListWidgetItem | None) -> None:
        if item is None:
            return
        name = str(item.data(Qt.ItemDataRole.UserRole))
        if name not in self._pages:
            page = sections()[name][1](self._bridge, self._style)
            if isinstance(page, Looks):
                page.language_chosen.connect(self.speak_anew)
            self._pages[name] = page
            self._stack.addWidget(page)
        self._stack.setCurrentWidget(self._pages[name])

    def _watch_policy(self) -> None:
        """Notice when the policy file is edited elsewhere; editors replace files, so its folder."""
        self._watcher = QFileSystemWatcher([str(self._bridge.desk.paths.config)], self)
        self._watcher.directoryChanged.connect(self._policy_edited)
        self._watcher.fileChanged.connect(self._policy_edited)
        self._bridge.hears(self, News.POLICY, then=self._watch_file)
        self._watch_file()

    def _watch_file(self) -> None:
        policy = self._bridge.desk.paths.policy
        if str(policy) not in self._watcher.files() and policy.exists():
            self._watcher.addPath(str(policy))

    def _policy_edited(self) -> None:
        self._watch_file()
        self._bridge.do(self._bridge.desk.read_policy())
