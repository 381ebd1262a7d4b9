"""Settings, Schedules: what the hub does again and again, and what can be done about it here."""

from __future__ import annotations

from datetime import datetime
from functools import partial

from PySide6.QtWidgets import QPushButton, QWidget

from desktop.core.news import News
from desktop.gui.bridge import Bridge
from desktop.gui.language import tr
from desktop.gui.parts import button, label
from desktop.gui.style import Style
from desktop.gui.windows.settings.section import Line, Rows, Section
from desktop.store.schedules import ScheduleRow
from shared.plain_text import plain_line
from shared.schedules import ScheduleAction

WORDS_CHARS_MAX = 120


class Schedules(Section):
    def __init__(self, bridge: Bridge, style: Style) -> None:
        super().__init__(
            bridge,
            style,
            tr("Schedules"),
            tr(
                "What your hub does again and again, also while this computer sleeps: then the "
                "work waits for it."
            ),
        )
        bridge.hears(self, News.SCHEDULES, News.PAIRING, News.STATUS, then=self.refresh)

    def build(self) -> None:
        inside = self.card()
        self.rows = Rows()
        self._empty = label(tr("Nothing is scheduled."), "muted")
        inside.addWidget(self._empty)
        inside.addLayout(self.rows)
        self.column.addWidget(
            label(
                tr(
                    "To make one, say it in your chat: /every weekday 8:00 /predict churn new.csv. "
                    "The dashboard has a form for it, and deletes what is not wanted any more."
                ),
                "muted",
            )
        )

    def refresh(self) -> None:
        self.do(self.desk.requests.schedules(), then=self.show_schedules)

    def show_schedules(self, rows: tuple[ScheduleRow, ...]) -> None:
        self._empty.setVisible(not rows)
        self.rows.fill([self._line(row) for row in rows])

    def _line(self, row: ScheduleRow) -> QWidget:
        words = plain_line(row.facts.words)[:WORDS_CHARS_MAX]
        switch = self._button(row, words, "resume" if row.is_paused else "pause")
        line = Line(switch, self._button(row, words, "run"))
        tokens = self.look.tokens
        when = plain_line(row.facts.when)
        if row.waiting is not None:
            told, sign, color = tr("Waits for the hub"), "○", tokens.waiting
        elif row.facts.paused:
            why = plain_line(row.facts.why)
            told = tr("Paused. {why}").format(why=why) if why else tr("Paused")
            is_held = row.facts.paused != "person"
            sign, color = ("✕", tokens.failed) if is_held else ("○", tokens.muted)
        else:
            told = tr("Next {time}").format(time=_clock(row.facts.next_at))
            sign, color = "●", tokens.done
        line.tell(words, f"{when} · {told}", sign=sign, color=color)
        return line

    def _button(self, row: ScheduleRow, words: str, action: ScheduleAction) -> QPushButton:
        texts: dict[ScheduleAction, str] = {
            "pause": tr("Pause"),
            "resume": tr("Resume"),
            "run": tr("Run now"),
        }
        made = button(texts[action], partial(self._change, row, action), "quiet")
        made.setAccessibleName(f"{texts[action]}: {words}")
        return made

    def _change(self, row: ScheduleRow, action: ScheduleAction) -> None:
        done = self.desk.requests.change_schedule(row.schedule_id, action)
        self.do(done, then=lambda _: self.refresh(), failed=self._failed)


def _clock(moment: datetime | None) -> str:
    return "" if moment is None else f"{moment.astimezone():%d.%m. %H:%M}"
