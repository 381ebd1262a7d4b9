"""Settings, Notifications: on, off, or quiet for a while."""

from __future__ import annotations

from datetime import datetime, timedelta

from desktop.core.news import News
from desktop.gui.bridge import Bridge
from desktop.gui.language import tr
from desktop.gui.parts import button
from desktop.gui.style import Style
from desktop.gui.windows.settings.section import Line, Option, Section, row

SWITCH, UNTIL, OFF = "notices", "notices_until", "off"
MORNING_HOUR = 8


class NoticesSection(Section):
    def __init__(self, bridge: Bridge, style: Style) -> None:
        super().__init__(
            bridge,
            style,
            tr("Notifications"),
            tr("Deskhand tells when a job asks something, and when one has ended."),
        )
        bridge.hears(self, News.SETTINGS, then=self.refresh)

    def build(self) -> None:
        inside = self.card()
        self.switch = Option(
            tr("Show notifications"),
            tr("Without them the tray icon alone says what waits for you."),
            lambda is_on: self.put(SWITCH, "" if is_on else OFF),
        )
        inside.addWidget(self.switch)
        quiet = self.card(tr("Quiet for a while"))
        self.line = Line()
        quiet.addWidget(self.line)
        self.buttons = [
            button(tr("30 minutes"), lambda: self._snooze(timedelta(minutes=30))),
            button(tr("1 hour"), lambda: self._snooze(timedelta(hours=1))),
            button(tr("Until tomorrow"), self._until_tomorrow),
        ]
        self.end_button = button(tr("End it"), lambda: self.put(UNTIL, ""))
        quiet.addLayout(row(*self.buttons, self.end_button, None))

    def refresh(self) -> None:
        self.do(self._read(), then=self._show)

    async def _read(self) -> tuple[str, str]:
        return await self.desk.settings.value(SWITCH), await self.desk.settings.value(UNTIL)

    def _show(self, told: tuple[str, str]) -> None:
        is_on = told[0] != OFF
        until = datetime.fromisoformat(told[1]) if told[1] else None
        is_quiet = until is not None and until > self.desk.environment.now()
        self.switch.set(is_on)
        for one in self.buttons:
            one.setEnabled(is_on)
        self.end_button.setVisible(is_quiet)
        if not is_on:
            self.line.tell(tr("Notifications are off."))
        elif is_quiet and until is not None:
            clock = f"{until.astimezone():%d.%m. %H:%M}"
            self.line.tell(tr("Quiet until {time}.").format(time=clock))
        else:
            self.line.tell(tr("Not now."))

    def _snooze(self, wait: timedelta) -> None:
        self.put(UNTIL, (self.desk.environment.now() + wait).isoformat())

    def _until_tomorrow(self) -> None:
        local = self.desk.environment.now().astimezone()
        tomorrow = (local + timedelta(days=1)).replace(
            hour=MORNING_HOUR, minute=0, second=0, microsecond=0
        )
        # In the same zone as others are compared with, which is by their text.
        self.put(UNTIL, tomorrow.astimezone(self.desk.environment.now().tzinfo).isoformat())
