"""The tray's menu: how things stand, what waits and what was done last, and what one can do.

It is filled anew whenever something has changed, but never under the pointer.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from PySide6.QtCore import QObject, QTimer, QUrl, Signal
from PySide6.QtGui import QAction, QDesktopServices
from PySide6.QtWidgets import QMenu

from desktop.core.link import LinkState
from desktop.core.tray import Facts
from desktop.desk.holding import PAUSED
from desktop.desk.standing import WAITING, whereabouts
from desktop.gui import standing, telling
from desktop.gui.bridge import Bridge
from desktop.gui.language import tr, trn
from desktop.store import copied
from desktop.store.pending import Pending
from shared.plain_text import plain_line

JOBS_SHOWN = 5
QUESTIONS_SHOWN = 5
TEXT_CHARS_MAX = 48
REASON_CHARS_MAX = 64
MORNING_HOUR = 8
NOTHING = Pending()
WINDOWS = ("chat", "jobs", "models", "runs", "settings")


@dataclass(frozen=True, slots=True)
class Listed:
    """What the menu names one by one."""

    jobs: tuple[copied.JobRow, ...] = ()
    questions: tuple[copied.QuestionRow, ...] = ()
    pending: Pending = NOTHING


class TrayMenu(QObject):
    """One per tray."""

    wants = Signal(str, str)
    """Open a window, and what in it."""
    quits = Signal()

    def __init__(self, bridge: Bridge) -> None:
        super().__init__(bridge)
        self.menu = QMenu()
        # Clearing a menu forgets the menus within, but keeps them: after a week, thousands.
        self._pause_menu = QMenu(self.menu)
        self._bridge = bridge
        self._facts = Facts(line=None)
        self._listed = Listed()
        self._is_stale = False
        self.menu.aboutToHide.connect(self._catch_up)

    def show(self, facts: Facts, listed: Listed) -> None:
        """Say how things stand from now on."""
        self._facts, self._listed = facts, listed
        if self.menu.isVisible():
            # A menu that changes under the pointer is a trap.
            self._is_stale = True
        else:
            self._fill()

    def _catch_up(self) -> None:
        if self._is_stale:
            self._is_stale = False
            QTimer.singleShot(0, self, self._fill)

    def _fill(self) -> None:
        self.menu.clear()
        self._fill_head()
        self._fill_questions()
        self._fill_jobs()
        self.menu.addSeparator()
        self._act(tr("New task…"), lambda: self.wants.emit("chat", "new:"))
        titles = telling.window_titles()
        for name in WINDOWS:
            self._opens(titles[name], name)
        if (pairing := self._bridge.desk.pairing) is not None:
            self._act(tr("Open the dashboard"), lambda: self._open_dashboard(pairing.hub_url))
        self.menu.addSeparator()
        self._fill_pause()
        self._act(tr("Quit Deskhand"), self.quits.emit)

    def _fill_head(self) -> None:
        desk, facts = self._bridge.desk, self._facts
        headline, *reasons = telling.tooltip_lines(facts, desk)
        self._note(headline, REASON_CHARS_MAX)
        for reason in reasons:
            self._note(reason, REASON_CHARS_MAX)
        if desk.pairing is None:
            self._opens(tr("Connect this computer…"), "pairing")
        elif facts.line is LinkState.REFUSED:
            self._opens(tr("Connect this computer again…"), "pairing")
        if facts.line is LinkState.OFFLINE:
            self._act(tr("Try the hub now"), desk.hurry)
        if facts.trouble is not None:
            is_policy = desk.policy_error is not None
            section = "kinds" if is_policy else "diagnostics"
            self._opens(tr("Show what is wrong…"), "settings", section)
        if facts.newer and desk.update is None:
            self._opens(tr("Look for updates…"), "settings", "updates")
        if desk.update is not None:
            version = plain_line(desk.update.version)
            told = tr("Get Deskhand {version}…").format(version=version)
            self._opens(told, "settings", "updates")

    def _fill_questions(self) -> None:
        questions = self._listed.questions
        if questions:
            self.menu.addSeparator()
        for question in questions[:QUESTIONS_SHOWN]:
            self._opens(f"? {_brief(question.asking.text)}", "chat", question.question_id)
        more = len(questions) - QUESTIONS_SHOWN
        if more > 0:
            told = trn("{count} more question…", "{count} more questions…", more)
            self._opens(told, "chat")

    def _fill_jobs(self) -> None:
        if self._listed.jobs:
            self.menu.addSeparator()
        place = whereabouts(self._bridge.desk)
        for job in self._listed.jobs:
            stands = telling.state(job.state)
            if job.state in WAITING or job.cancel_by:
                stands = standing.foot(standing.of_job(job, place)) or stands
            text = f"{_brief(job.title or job.kind)} · {_brief(stands)}"
            self._opens(text, "jobs", job.job_id)

    def _fill_pause(self) -> None:
        desk = self._bridge.desk
        if desk.pairing is None:
            return
        if desk.held_back is not None and desk.held_back.code == PAUSED:
            self._act(tr("Resume"), lambda: self._bridge.do(desk.resume()))
            return
        pause = self._pause_menu
        pause.clear()
        pause.setTitle(tr("Pause"))
        self.menu.addMenu(pause)
        half, hour = timedelta(minutes=30), timedelta(hours=1)
        self._act(tr("Until I resume"), lambda: self._pause(None), pause)
        told = trn("For {count} minute", "For {count} minutes", 30)
        self._act(told, lambda: self._pause(self._now() + half), pause)
        told = trn("For {count} hour", "For {count} hours", 1)
        self._act(told, lambda: self._pause(self._now() + hour), pause)
        self._act(tr("Until tomorrow"), lambda: self._pause(tomorrow(self._now())), pause)

    def _pause(self, until: datetime | None) -> None:
        self._bridge.do(self._bridge.desk.pause(until))

    def _now(self) -> datetime:
        return self._bridge.desk.environment.now()

    def _open_dashboard(self, hub_url: str) -> None:
        finding = self._bridge.desk.joining.dashboard(hub_url)
        self._bridge.do(finding, then=lambda address: QDesktopServices.openUrl(QUrl(address)))

    def _note(self, text: str, chars_max: int) -> None:
        action = QAction(_escaped(_brief(text, chars_max)), self.menu)
        action.setEnabled(False)
        self.menu.addAction(action)

    def _opens(self, text: str, window: str, item: str = "") -> None:
        self._act(text, lambda: self.wants.emit(window, item))

    def _act(self, text: str, act: Callable[[], object], menu: QMenu | None = None) -> None:
        menu = menu or self.menu
        action = QAction(_escaped(text), menu)
        action.triggered.connect(lambda _checked=False: act())
        menu.addAction(action)


def tomorrow(now: datetime) -> datetime:
    """Return the morning of the next day, by this machine's clock."""
    local = now.astimezone() + timedelta(days=1)
    return local.replace(hour=MORNING_HOUR, minute=0, second=0, microsecond=0)


def _brief(text: str, chars_max: int = TEXT_CHARS_MAX) -> str:
    line = plain_line(text.strip().splitlines()[0] if text.strip() else "")
    return line if len(line) <= chars_max else f"{line[: chars_max - 1]}…"


def _escaped(text: str) -> str:
    """An ampersand in somebody's words would underline the letter after it."""
    return text.replace("&", "&&")
