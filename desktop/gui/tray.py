"""The tray icon and its menu. It says how things stand, and opens everything else.

Qt registers its icon with the panel's StatusNotifier watcher once, when it is made. A watcher that
comes later, or comes again with a restarted panel, would never hear of it, so the icon is made
anew whenever one appears.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from datetime import datetime, timedelta

from PySide6.QtCore import SLOT, QObject, QTimer, Signal, Slot
from PySide6.QtDBus import QDBusConnection, QDBusServiceWatcher
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMenu, QSystemTrayIcon

from desktop.core.news import News
from desktop.core.tray import Facts, TrayState, state_of
from desktop.gui import icons, telling
from desktop.gui.bridge import Bridge
from desktop.gui.language import tr, trn
from desktop.gui.style import Style
from desktop.store import copied
from shared.plain_text import plain_line

JOBS_SHOWN = 5
QUESTIONS_SHOWN = 5
TEXT_CHARS_MAX = 48
GRACE_MS = 4000
"""A panel that starts with the session gets this long before a window opens in its place."""
WATCHER = "org.kde.StatusNotifierWatcher"
WINDOWS = ("chat", "jobs", "models", "settings")


class Tray(QObject):
    """One per application."""

    wants = Signal(str, str)
    """Open a window, and what in it."""
    quits = Signal()
    missing = Signal()
    """There is no tray to be seen in; said once."""

    def __init__(self, bridge: Bridge, style: Style) -> None:
        super().__init__(bridge)
        self._bridge = bridge
        self._style = style
        self._jobs: tuple[copied.JobRow, ...] = ()
        self._questions: tuple[copied.QuestionRow, ...] = ()
        self._menu = QMenu()
        self._menu.aboutToHide.connect(self._catch_up)
        self._is_stale = False
        self._icon: QSystemTrayIcon | None = None
        self.last_window = "chat"
        self._watch()
        self._make()
        bridge.hears(
            self,
            News.STATUS, News.JOBS, News.QUESTIONS, News.POLICY, News.PAIRING, News.SETTINGS,
            then=self._read,
        )  # fmt: skip
        style.changed.connect(self._show)
        self._show()
        self._read()
        QTimer.singleShot(GRACE_MS, self, self._look_for_a_panel)

    @property
    def state(self) -> TrayState:
        return state_of(self.facts)

    @property
    def facts(self) -> Facts:
        desk = self._bridge.desk
        return Facts(
            line=desk.link.state if desk.link else None,
            running=desk.running_count,
            questions=len(self._questions),
            held_back=desk.held_back,
            trouble=desk.policy_error,
            has_update=getattr(desk, "update", None) is not None,
        )

    @property
    def icon(self) -> QSystemTrayIcon:
        assert self._icon is not None
        return self._icon

    @Slot()
    def rebuild(self) -> None:
        """Make the icon anew: a panel has come that does not know it."""
        # Not from within the bus' own call: the registration would wait for itself.
        QTimer.singleShot(0, self, self._make)

    def tell(self, title: str, text: str) -> None:
        """Show a message by the panel itself; for systems without notifications."""
        self.icon.showMessage(title, text)

    def _make(self) -> None:
        if self._icon is not None:
            self._icon.hide()
            self._icon.deleteLater()
        self._icon = QSystemTrayIcon(self)
        self._icon.setContextMenu(self._menu)
        self._icon.activated.connect(self._activated)
        self._show()
        self._icon.show()

    def _watch(self) -> None:
        bus = QDBusConnection.sessionBus()
        if sys.platform != "linux" or not bus.isConnected():
            return
        watcher = QDBusServiceWatcher(
            WATCHER, bus, QDBusServiceWatcher.WatchModeFlag.WatchForRegistration, self
        )
        watcher.serviceRegistered.connect(self.rebuild)
        # The watcher's name can be there before a panel listens to it.
        bus.connect(
            WATCHER, "/StatusNotifierWatcher", WATCHER, "StatusNotifierHostRegistered",
            self, SLOT("rebuild()"),  # the stubs say bytes; the library takes none
        )  # type: ignore[call-overload]  # fmt: skip

    def _look_for_a_panel(self) -> None:
        if not QSystemTrayIcon.isSystemTrayAvailable():
            self.missing.emit()

    def _read(self) -> None:
        self._bridge.do(
            self._bridge.desk.look(
                lambda c: (copied.newest(c, JOBS_SHOWN), copied.open_questions(c))
            ),
            then=self._took,
        )

    def _took(self, told: tuple[tuple[copied.JobRow, ...], tuple[copied.QuestionRow, ...]]) -> None:
        self._jobs, self._questions = told
        self._show()

    def _show(self) -> None:
        if self._icon is None:
            return
        facts = self.facts
        self._icon.setIcon(
            icons.state_icon(
                state_of(facts),
                is_panel_dark=self._style.is_dark or _is_gnome(),
                is_mask=sys.platform == "darwin",
            )
        )
        self._icon.setToolTip(telling.tooltip(facts, self._bridge.desk))
        if self._menu.isVisible():
            # A menu that changes under the pointer is a trap.
            self._is_stale = True
        else:
            self._fill()

    def _catch_up(self) -> None:
        if self._is_stale:
            self._is_stale = False
            QTimer.singleShot(0, self, self._fill)

    def _fill(self) -> None:
        menu = self._menu
        menu.clear()
        self._note(telling.headline(self.facts, self._bridge.desk))
        if self._bridge.desk.pairing is None:
            self._act(tr("Connect this computer…"), lambda: self._open("pairing"))
        self._fill_questions()
        self._fill_jobs()
        menu.addSeparator()
        self._act(tr("New task…"), lambda: self._open("chat", "new:"))
        titles = telling.window_titles()
        for name in WINDOWS:
            self._act(titles[name], lambda name=name: self._open(name))  # type: ignore[misc]
        menu.addSeparator()
        self._fill_pause()
        self._act(tr("Quit Deskhand"), self.quits.emit)

    def _fill_questions(self) -> None:
        if self._questions:
            self._menu.addSeparator()
        for question in self._questions[:QUESTIONS_SHOWN]:
            text = _brief(question.asking.text)
            self._act(f"? {text}", lambda q=question: self._open("chat", q.question_id))  # type: ignore[misc]

    def _fill_jobs(self) -> None:
        if self._jobs:
            self._menu.addSeparator()
        for job in self._jobs:
            text = f"{_brief(job.title or job.kind)} · {telling.state(job.state)}"
            self._act(text, lambda job=job: self._open("jobs", job.job_id))  # type: ignore[misc]

    def _fill_pause(self) -> None:
        desk = self._bridge.desk
        if desk.pairing is None:
            return
        if desk.held_back is not None and desk.held_back.code == "paused":
            self._act(tr("Resume"), lambda: self._bridge.do(desk.resume()))
            return
        pause = self._menu.addMenu(tr("Pause"))
        for title, until in (
            (tr("Until I resume"), None),
            (trn("For {count} minute", "For {count} minutes", 30), timedelta(minutes=30)),
            (trn("For {count} hour", "For {count} hours", 1), timedelta(hours=1)),
        ):
            action = QAction(title, pause)
            action.triggered.connect(lambda _=False, wait=until: self._pause(wait))
            pause.addAction(action)
        morning = QAction(tr("Until tomorrow"), pause)
        morning.triggered.connect(lambda: self._bridge.do(desk.pause(_tomorrow(self._now()))))
        pause.addAction(morning)

    def _pause(self, wait: timedelta | None) -> None:
        desk = self._bridge.desk
        self._bridge.do(desk.pause(None if wait is None else self._now() + wait))

    def _now(self) -> datetime:
        return self._bridge.desk.environment.now()

    def _note(self, text: str) -> None:
        action = QAction(text, self._menu)
        action.setEnabled(False)
        self._menu.addAction(action)

    def _act(self, text: str, act: Callable[[], object]) -> None:
        # An ampersand in somebody's words would underline the letter after it.
        action = QAction(text.replace("&", "&&"), self._menu)
        action.triggered.connect(lambda _checked=False: act())
        self._menu.addAction(action)

    def _open(self, window: str, item: str = "") -> None:
        self.wants.emit(window, item)

    def _activated(self, reason: QSystemTrayIcon.ActivationReason) -> None:
        if reason is QSystemTrayIcon.ActivationReason.Trigger and sys.platform != "darwin":
            if self._questions:
                self._open("chat", self._questions[0].question_id)
            else:
                self._open(self.last_window)


def _brief(text: str) -> str:
    line = plain_line(text.strip().splitlines()[0] if text.strip() else "")
    return line if len(line) <= TEXT_CHARS_MAX else f"{line[: TEXT_CHARS_MAX - 1]}…"


def _tomorrow(now: datetime) -> datetime:
    """Eight in the morning of the next day, by this machine's clock."""
    local = now.astimezone() + timedelta(days=1)
    return local.replace(hour=8, minute=0, second=0, microsecond=0)


def _is_gnome() -> bool:
    """GNOME's panel is dark, whatever its windows are."""
    return "GNOME" in os.environ.get("XDG_CURRENT_DESKTOP", "").upper()
