"""Notifications: what waits for the person, and what has ended, outside of any window.

A question with few choices is answered right there. Everything else opens the window where it can
be dealt with. The library is met when there is something to say, not when the program starts.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

import structlog
from PySide6.QtCore import QObject
from PySide6.QtWidgets import QApplication

from desktop.core.link import LinkState
from desktop.core.news import News
from desktop.gui import icons, telling
from desktop.gui.bridge import Bridge
from desktop.gui.language import tr
from desktop.store import copied, glance
from desktop.store.glance import Glance
from shared.errors import AppError
from shared.plain_text import plain_line

if TYPE_CHECKING:
    from desktop_notifier import DesktopNotifier

log = structlog.get_logger(__name__)

BUTTONS_MAX = 3
TEXT_CHARS_MAX = 240
SEND_SECONDS = 10.0
OFF = "off"
CHANGE = "code.diff"
"""What a question says that is about a change (`Asking.more`)."""
UPDATE_TOLD = "notices_update"
"""The setting with the newest version that was told of."""
UPDATES = ("settings", "updates")


class Notices(QObject):
    """Tells what is new since the program started. One per application."""

    def __init__(
        self,
        bridge: Bridge,
        opens: Callable[[str, str], None],
        falls_back: Callable[[str, str], None],
    ) -> None:
        """Begin to listen.

        Args:
            bridge: to the desk.
            opens: opens a window and shows an item in it.
            falls_back: tells a title and a text where the system has no notifications.
        """
        super().__init__(bridge)
        self._bridge = bridge
        self._opens = opens
        self._falls_back = falls_back
        self._notifier: DesktopNotifier | None = None
        self._told: dict[str, str] = {}
        """By question, the notification that asks it."""
        self._seen: set[str] | None = None
        self._is_refused = False
        bridge.hears(self, News.QUESTIONS, News.JOBS, then=self._look)
        bridge.hears(self, News.STATUS, News.SETTINGS, then=self._look_around)
        self._look()

    def tell(self, title: str, text: str, window: str = "", item: str = "") -> None:
        """Tell something now; a click opens a window."""
        self._bridge.do(self._send(title, text, lambda: self._opens(window, item)))

    def _look(self) -> None:
        self._bridge.do(self._bridge.desk.look(glance.look), then=self._compare)

    def _look_around(self) -> None:
        """Tell what is new of this machine itself; a refusal even to who wants no notices."""
        desk = self._bridge.desk
        link = desk.link
        was_refused = self._is_refused
        self._is_refused = link is not None and link.state is LinkState.REFUSED
        if link is not None and link.error is not None and self._is_refused and not was_refused:
            self.tell(link.error.message, link.error.hint, "pairing")
        if desk.update is not None:
            self._bridge.do(self._tell_update(desk.update.version))

    async def _tell_update(self, version: str) -> None:
        """Tell of each new version once, however often the program starts."""
        desk = self._bridge.desk
        if await desk.settings.value(UPDATE_TOLD) == version:
            return
        await desk.settings.put(UPDATE_TOLD, version)
        now = await desk.look(glance.look)
        if not self._wants_quiet(now):
            title = tr("Deskhand {version} is there").format(version=plain_line(version))
            self.tell(title, tr("See what is new, and get it when you want it."), *UPDATES)

    def _compare(self, now: Glance) -> None:
        known = self._seen
        self._seen = {q.question_id for q in now.questions} | {_name(job) for job in now.ended}
        self._withdraw(now)
        if self._wants_quiet(now):
            return
        for question in now.questions:
            # What waited before this program started is news to whoever just logged in.
            if question.question_id not in (known or ()) and not question.given:
                self._ask(question, now.machines.get(question.job_id, ""))
        if known is None or QApplication.activeWindow() is not None:
            return
        for job in now.ended:
            if _name(job) not in known:
                self._report(job)

    def _wants_quiet(self, now: Glance) -> bool:
        if now.notices == OFF:
            return True
        clock = self._bridge.desk.environment.now()
        return bool(now.snoozed_until) and datetime.fromisoformat(now.snoozed_until) > clock

    def _ask(self, question: copied.QuestionRow, machine: str) -> None:
        asking = question.asking
        title = tr("{machine} asks").format(machine=plain_line(machine) or "Deskhand")
        few = asking.choices if len(asking.choices) <= BUTTONS_MAX else ()
        presses: dict[str, Callable[[], object]] = {
            plain_line(choice.label): partial(self._answer, question, choice.value)
            for choice in few
        }
        if asking.more == CHANGE:
            presses[tr("Show diff")] = lambda: self._opens("change", question.job_id)
        self._bridge.do(
            self._send(
                title, asking.text, lambda: self._opens("chat", question.question_id), presses
            ),
            then=lambda name: self._told.__setitem__(question.question_id, name),
        )

    def _answer(self, question: copied.QuestionRow, value: str) -> None:
        desk = self._bridge.desk
        self._bridge.do(desk.requests.answer(question.question_id, question.job_id, value))

    def _report(self, job: copied.JobRow) -> None:
        title = f"{plain_line(job.title or job.kind)}: {telling.state(job.state)}"
        text = job.error.message if job.error else job.headline
        self.tell(title, text, "jobs", job.job_id)

    def _withdraw(self, now: Glance) -> None:
        """Take back what was answered elsewhere."""
        asked = {question.question_id for question in now.questions}
        for question_id in [q for q in self._told if q not in asked]:
            name = self._told.pop(question_id)
            if self._notifier is not None and name:
                self._bridge.do(self._clear(self._notifier, name))

    async def _clear(self, notifier: DesktopNotifier, name: str) -> None:
        with contextlib.suppress(Exception):  # it is gone already, or its server is
            await notifier.clear(name)

    async def _send(
        self,
        title: str,
        text: str,
        clicked: Callable[[], object],
        presses: Mapping[str, Callable[[], object]] | None = None,
    ) -> str:
        """Show a notification; return its name, empty when the tray had to show it."""
        title, text = plain_line(title), _plain(text)
        try:
            from desktop_notifier import Button

            notifier = await self._notifications()
            buttons = tuple(
                Button(title=label, on_pressed=press) for label, press in (presses or {}).items()
            )
            arrived: list[bool] = []
            async with asyncio.timeout(SEND_SECONDS):
                name = await notifier.send(
                    title=title,
                    message=text,
                    buttons=buttons,
                    on_clicked=clicked,
                    on_dispatched=lambda: arrived.append(True),
                )
            if arrived:  # the library keeps a failure to itself
                return name
        except (AppError, asyncio.CancelledError):
            raise
        except Exception as error:
            log.info("notification not shown", error=repr(error))
        self._falls_back(title, text)
        return ""

    async def _notifications(self) -> DesktopNotifier:
        if self._notifier is None:
            from desktop_notifier import DesktopNotifier, Icon

            path = icons.icon_file(self._bridge.desk.paths.data)
            self._notifier = DesktopNotifier(app_name="Deskhand", app_icon=Icon(path=path))
        return self._notifier


def _name(job: copied.JobRow) -> str:
    """Name one end of a job: it may be tried again, and end again."""
    return f"{job.job_id} {job.attempt}"


def _plain(text: str) -> str:
    """Make somebody's words harmless: servers may read markup in a message."""
    lines = [plain_line(line) for line in text.strip().splitlines()[:4]]
    told = "\n".join(lines)[:TEXT_CHARS_MAX]
    return told.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
