"""Settings, Updates: look once a day, look now, what is new. Nothing is installed by itself."""

from __future__ import annotations

from PySide6.QtWidgets import QFrame

from desktop.core.news import News
from desktop.core.update import UpdateFound
from desktop.desk.updates import UpdateState
from desktop.gui.bridge import Bridge
from desktop.gui.language import tr
from desktop.gui.parts import button, label
from desktop.gui.style import Style
from desktop.gui.windows.settings.section import (
    Line,
    Option,
    Section,
    card,
    row,
    show_page,
    words_of,
)
from desktop.system.program import version
from shared.errors import AppError
from shared.plain_text import plain_line


class UpdatesSection(Section):
    def __init__(self, bridge: Bridge, style: Style) -> None:
        super().__init__(
            bridge,
            style,
            tr("Updates"),
            tr("Deskhand only tells you of a new version. You get it, when you want it."),
        )
        bridge.hears(self, News.SETTINGS, then=self.refresh)

    def build(self) -> None:
        self._found, self._inside = self._build_found()
        self.column.addWidget(self._found)
        inside = self.card()
        self.line = Line()
        self.switch = Option(
            tr("Look for a new version once a day"),
            tr("One small signed file is asked for; not over a metered network."),
            self._switch,
        )
        self.look_button = button(tr("Look now"), self._look)
        inside.addWidget(self.line)
        inside.addWidget(self.switch)
        inside.addLayout(row(self.look_button, None))

    def refresh(self) -> None:
        self.do(self.desk.updates.state(), then=self.show_state)

    def show_state(self, state: UpdateState) -> None:
        tokens = self.look.tokens
        self.switch.set(state.is_on)
        has_source = bool(state.source)
        self.switch.setEnabled(has_source)
        self.look_button.setEnabled(has_source)
        self._found.setVisible(state.found is not None)
        running = tr("This is Deskhand {version}.").format(version=version())
        when = ""
        if state.checked_at is not None:
            clock = f"{state.checked_at.astimezone():%d.%m.%Y %H:%M}"
            when = tr("Looked for last on {time}.").format(time=clock)
        if not has_source:
            told = tr("This build names no source of updates: look where you got it from.")
            self.line.tell(running, told, sign="–", color=tokens.muted)
        elif state.error is not None:
            told = f"{when}\n{words_of(state.error)}".strip()
            self.line.tell(running, told, sign="⚠", color=tokens.failed)
        elif state.found is not None:
            self.line.tell(running, when, sign="↑", color=tokens.accent)
            self._tell_found(state.found)
        else:
            sign = "✓" if state.checked_at else "–"
            self.line.tell(running, when or tr("Not looked for yet."), sign=sign, color=tokens.done)

    def _build_found(self) -> tuple[QFrame, Line]:
        frame, inside = card()
        line = Line()
        self._notes = label("")
        self._page = ""
        inside.addWidget(line)
        inside.addWidget(self._notes)
        opens = button(tr("Get it"), lambda: show_page(self._page), "primary")
        self._where = label("", "muted")
        inside.addLayout(row(opens, self._where, stretch=1))
        frame.hide()
        return frame, line

    def _tell_found(self, found: UpdateFound) -> None:
        day = f"{found.released_at.astimezone():%d.%m.%Y}"
        self._inside.tell(
            tr("Deskhand {version} is there").format(version=plain_line(found.version)),
            tr("Of {day}, and signed by its maker.").format(day=day),
            sign="↑",
            color=self.look.tokens.accent,
        )
        self._notes.setText("\n".join(f"• {plain_line(note)}" for note in found.notes))
        self._notes.setVisible(bool(found.notes))
        self._page = found.page
        self._where.setText(plain_line(found.page))

    def _switch(self, is_on: bool) -> None:  # noqa: FBT001 - a box has one value
        self.do(self.desk.updates.switch(is_on=is_on), failed=self.banner.tell)

    def _look(self) -> None:
        self.look_button.setEnabled(False)
        self.do(self.desk.updates.look(), then=lambda _: self.refresh(), failed=self._look_failed)

    def _look_failed(self, _error: AppError) -> None:
        self.refresh()  # the state tells it
