"""The tray icon. It says how things stand, and opens everything else.

Qt registers its icon with the panel's StatusNotifier watcher once, when it is made. A watcher that
comes later, or comes again with a restarted panel or a computer that wakes, would never hear of
it, so the icon is made anew then.
"""

from __future__ import annotations

import os
import sys

from PySide6.QtCore import SLOT, QObject, QSettings, QTimer, Signal, Slot
from PySide6.QtDBus import QDBusConnection, QDBusServiceWatcher
from PySide6.QtWidgets import QSystemTrayIcon

from desktop.core.news import News
from desktop.core.tray import Facts, TrayState, state_of
from desktop.gui import icons, telling
from desktop.gui.bridge import Bridge
from desktop.gui.style import Style
from desktop.gui.tray_menu import JOBS_SHOWN, Listed, TrayMenu
from desktop.store import copied, pending

GRACE_MS = 4000
"""A panel that starts with the session gets this long before a window opens in its place."""
REBUILD_MS = 100
"""A panel that comes tells so several times; one new icon is enough."""
WATCHER = "org.kde.StatusNotifierWatcher"
LOGIN = "org.freedesktop.login1"
THEMES = r"HKEY_CURRENT_USER\Software\Microsoft\Windows\CurrentVersion\Themes\Personalize"


class Tray(QObject):
    """One per application."""

    wants = Signal(str, str)
    """Open a window, and what in it."""
    missing = Signal()
    """There is no tray to be seen in; said once."""

    def __init__(self, bridge: Bridge, style: Style) -> None:
        super().__init__(bridge)
        self._bridge = bridge
        self._listed = Listed()
        self.last_window = "chat"
        self.menu = TrayMenu(bridge)
        self.menu.wants.connect(self.wants)
        self._icon: QSystemTrayIcon | None = None
        self._renewal = QTimer(self)
        self._renewal.setSingleShot(True)
        self._renewal.setInterval(REBUILD_MS)
        self._renewal.timeout.connect(self._make)
        self._watch()
        self._make()
        bridge.hears(
            self,
            News.STATUS, News.JOBS, News.QUESTIONS, News.POLICY, News.PAIRING, News.SETTINGS,
            then=self._read,
        )  # fmt: skip
        style.changed.connect(self._show)
        self._read()
        QTimer.singleShot(GRACE_MS, self, self._look_for_a_panel)

    @property
    def state(self) -> TrayState:
        return state_of(self.facts)

    @property
    def facts(self) -> Facts:
        desk = self._bridge.desk
        store = desk.database.trouble
        return Facts(
            line=desk.link.state if desk.link else None,
            running=desk.running_count,
            questions=len(self._listed.questions),
            held_back=desk.held_back,
            trouble=desk.policy_error or (store.body if store is not None else None),
            has_update=desk.update is not None,
            waiting=self._listed.pending.changes,
            newer=self._listed.pending.newer,
        )

    @property
    def icon(self) -> QSystemTrayIcon:
        assert self._icon is not None
        return self._icon

    def tell(self, title: str, text: str) -> None:
        """Show a message by the panel itself; for systems without notifications."""
        self.icon.showMessage(title, text)

    @Slot()
    def rebuild(self) -> None:
        """Make the icon anew: a panel has come that does not know it."""
        # Not from within the bus' own call: the registration would wait for itself.
        self._renewal.start()

    @Slot(bool)
    def slept(self, is_going_to: bool) -> None:  # noqa: FBT001 - as logind tells it
        """Make the icon anew after a sleep, in which panels lose icons."""
        if not is_going_to:
            self.rebuild()

    def _make(self) -> None:
        if self._icon is not None:
            self._icon.hide()
            self._icon.deleteLater()
        self._icon = QSystemTrayIcon(self)
        self._icon.setContextMenu(self.menu.menu)
        self._icon.activated.connect(self._activated)
        self._show()
        self._icon.show()

    def _watch(self) -> None:
        session = QDBusConnection.sessionBus()
        if sys.platform != "linux" or not session.isConnected():
            return
        watcher = QDBusServiceWatcher(
            WATCHER, session, QDBusServiceWatcher.WatchModeFlag.WatchForRegistration, self
        )
        watcher.serviceRegistered.connect(self.rebuild)
        # The watcher's name can be there before a panel listens to it.
        session.connect(
            WATCHER, "/StatusNotifierWatcher", WATCHER, "StatusNotifierHostRegistered",
            self, SLOT("rebuild()"),  # the stubs say bytes; the library takes none
        )  # type: ignore[call-overload]  # fmt: skip
        system = QDBusConnection.systemBus()
        if system.isConnected():
            system.connect(
                LOGIN, "/org/freedesktop/login1", f"{LOGIN}.Manager", "PrepareForSleep",
                self, SLOT("slept(bool)"),
            )  # type: ignore[call-overload]  # fmt: skip

    def _look_for_a_panel(self) -> None:
        if not QSystemTrayIcon.isSystemTrayAvailable():
            self.missing.emit()

    def _read(self) -> None:
        self._bridge.do(
            self._bridge.desk.look(
                lambda c: Listed(
                    copied.newest(c, JOBS_SHOWN), copied.open_questions(c), pending.read(c)
                )
            ),
            then=self._took,
        )

    def _took(self, listed: Listed) -> None:
        self._listed = listed
        self._show()

    def _show(self) -> None:
        facts = self.facts
        self.icon.setIcon(
            icons.state_icon(
                state_of(facts), is_panel_dark=_is_panel_dark(), is_mask=sys.platform == "darwin"
            )
        )
        self.icon.setToolTip(telling.tooltip(facts, self._bridge.desk))
        self.menu.show(facts, self._listed)

    def _activated(self, reason: QSystemTrayIcon.ActivationReason) -> None:
        if reason is not QSystemTrayIcon.ActivationReason.Trigger or sys.platform == "darwin":
            return  # on a Mac the click opens the menu
        if self._listed.questions:
            self.wants.emit("chat", self._listed.questions[0].question_id)
        else:
            self.wants.emit(self.last_window, "")


def _is_panel_dark() -> bool:
    """Guess whether the panel is dark; nobody tells it, least of all the look of our windows."""
    if sys.platform == "win32":
        themes = QSettings(THEMES, QSettings.Format.NativeFormat)
        return themes.value("SystemUsesLightTheme", 0) in (0, "0")
    # GNOME's panel is dark, whatever its windows are.
    return "GNOME" in os.environ.get("XDG_CURRENT_DESKTOP", "").upper() or icons.is_system_dark()
