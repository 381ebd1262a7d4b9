"""Settings, Start at login: as the system itself says it is, and a switch."""

from __future__ import annotations

from desktop.desk import login
from desktop.gui.bridge import Bridge
from desktop.gui.language import tr
from desktop.gui.parts import label
from desktop.gui.style import Style
from desktop.gui.windows.settings.section import Line, Option, Section
from desktop.system.login_start import State
from shared.errors import AppError


class Login(Section):
    def __init__(self, bridge: Bridge, style: Style) -> None:
        super().__init__(
            bridge,
            style,
            tr("Start at login"),
            tr("Off until you switch it on. How it stands is read from the system each time."),
        )

    def build(self) -> None:
        inside = self.card()
        self.switch = Option(
            tr("Start Deskhand when I log in"),
            tr("It starts in the background; no window opens."),
            self._switch,
        )
        self.state_line = Line()
        inside.addWidget(self.switch)
        inside.addWidget(self.state_line)
        self.column.addWidget(
            label(
                tr(
                    "When you switch it off in the system's own settings, it stays off: Deskhand "
                    "never switches itself on again."
                ),
                "muted",
            )
        )

    def refresh(self) -> None:
        self.do(login.state(self.desk.paths), then=self.show_state, failed=self._cannot)

    def show_state(self, state: State) -> None:
        self.switch.set(state.is_on)
        self.switch.setEnabled(True)
        color = self.look.tokens.done if state.is_on else self.look.tokens.muted
        if state.is_on:
            told = tr("On. This does it: {place}").format(place=state.place)
        else:
            told = tr("Off.")
        sign = "✓" if state.is_on else "–"
        self.state_line.tell(told, " ".join(state.notes), sign=sign, color=color)

    def _switch(self, is_on: bool) -> None:  # noqa: FBT001 - a box has one value
        self.switch.setEnabled(False)
        turned = login.turn(self.desk.paths, is_on=is_on)
        self.do(turned, then=self.show_state, failed=self._refused)

    def _refused(self, error: AppError) -> None:
        self.banner.tell(error)
        self.refresh()

    def _cannot(self, error: AppError) -> None:
        self.switch.set(False)
        self.switch.setEnabled(False)
        self.state_line.tell(error.message, error.hint, sign="⚠", color=self.look.tokens.waiting)
