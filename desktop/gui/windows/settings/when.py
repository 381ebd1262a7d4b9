"""Settings, When to run: power, network, presence, hours, and how much of the processor."""

from __future__ import annotations

from pydantic import ValidationError
from PySide6.QtCore import QTime
from PySide6.QtWidgets import QCheckBox, QComboBox, QSpinBox, QTimeEdit

from desktop.core.news import News
from desktop.core.run_policy import DAYS, Day, RunRules, cores_max
from desktop.gui.bridge import Bridge
from desktop.gui.language import tr, trn
from desktop.gui.parts import button, label
from desktop.gui.style import GRID, Style
from desktop.gui.windows.settings.broken import BrokenPolicy
from desktop.gui.windows.settings.section import Line, Option, Section, named, row, spin
from desktop.system import hardware
from desktop.system.power import cannot_sense

CLOCK = "HH:mm"
SHARES = (1.0, 0.75, 0.5, 0.25)


def day_names() -> dict[Day, str]:
    names = (tr("Mon"), tr("Tue"), tr("Wed"), tr("Thu"), tr("Fri"), tr("Sat"), tr("Sun"))
    return dict(zip(DAYS, names, strict=True))


class When(Section):
    """Changes count when they are saved, all together."""

    def __init__(self, bridge: Bridge, style: Style) -> None:
        super().__init__(
            bridge,
            style,
            tr("When to run"),
            tr(
                "When jobs may start here. A job that runs already goes on; what may not start "
                "waits, or runs on another of your computers."
            ),
        )
        bridge.hears(self, News.POLICY, then=self.refresh)
        bridge.hears(self, News.STATUS, then=self._show_now)

    def build(self) -> None:
        self._broken = BrokenPolicy(self.desk)
        self.column.addWidget(self._broken)
        self.now = Line()
        self.card().addWidget(self.now)
        self._build_power()
        self._build_hours()
        self._build_share()
        self.save_button = button(tr("Save"), self.save, "primary")
        self.revert_button = button(tr("Revert"), self.refresh)
        self.column.addLayout(row(self.save_button, self.revert_button, None))

    def refresh(self) -> None:
        """Show what the policy says; what was not saved is dropped."""
        rules = self.desk.policy.run
        self._broken.refresh()
        self.on_battery.set(rules.on_battery)
        self.has_floor.set(rules.battery_min_share is not None)
        self.floor.setValue(round((rules.battery_min_share or 0.3) * 100))
        self.on_metered.set(rules.on_metered)
        self.while_active.set(rules.while_active)
        self.idle.setValue(rules.idle_minutes)
        begins, _, ends = (rules.hours or "18:00-08:00").partition("-")
        self.has_hours.set(bool(rules.hours))
        self.begins.setTime(QTime.fromString(begins, CLOCK))
        self.ends.setTime(QTime.fromString(ends, CLOCK))
        for day, box in self.days.items():
            box.setChecked(not rules.days or day in rules.days)
        share = rules.cpu_share_max or 1.0
        nearest = min(range(len(SHARES)), key=lambda index: abs(SHARES[index] - share))
        self.share.setCurrentIndex(nearest)
        self._edited()
        self._show_now()

    def rules(self) -> RunRules:
        """Read the rules as they are ticked now.

        Raises:
            ValidationError: no day is ticked, and the like.
        """
        days = tuple(day for day, box in self.days.items() if box.isChecked())
        clocks = (self.begins.time().toString(CLOCK), self.ends.time().toString(CLOCK))
        share = SHARES[self.share.currentIndex()]
        kept = self.desk.policy.run.cpu_share_max
        if kept is not None and abs(kept - share) < 0.125:
            share = kept
        return RunRules(
            on_battery=self.on_battery.box.isChecked(),
            battery_min_share=self.floor.value() / 100 if self.has_floor.box.isChecked() else None,
            on_metered=self.on_metered.box.isChecked(),
            while_active=self.while_active.box.isChecked(),
            idle_minutes=self.idle.value(),
            hours="-".join(clocks) if self.has_hours.box.isChecked() else "",
            days=() if len(days) == len(DAYS) else days,
            cpu_share_max=None if share >= 1 else share,
        )

    @property
    def _has_days(self) -> bool:
        return any(box.isChecked() for box in self.days.values())

    def save(self) -> None:
        if not self._has_days:
            self.banner.tell(tr("Tick at least one day; to stop all work, pause this computer."))
            return
        try:
            rules = self.rules()
        except ValidationError:
            return
        self.banner.hide()
        policy = self.desk.policy.model_copy(update={"run": rules})
        self.change_policy(policy, undo=tr("Saved. These rules count from now on."))

    def _build_power(self) -> None:
        inside = self.card(tr("Power, network, presence"))
        self.on_battery = self._option(tr("Start jobs on battery"), tr("Unticked: only plugged in"))
        self.has_floor = self._option(tr("On battery, only above a charge of"), "")
        self.floor = self._number(5, 95, " %", tr("Lowest charge"))
        self.on_metered = self._option(
            tr("Start jobs on a metered network"),
            self._known("metered", tr("One that counts what goes through it, as phones share")),
        )
        self.while_active = self._option(
            tr("Start jobs while somebody uses this computer"),
            self._known("idle", tr("Unticked: only when keyboard and mouse were left alone")),
        )
        self.idle = self._number(1, 240, tr(" min"), tr("Minutes without a touch"))
        inside.addWidget(self.on_battery)
        inside.addLayout(row(self.has_floor, self.floor, None))
        inside.addWidget(self.on_metered)
        inside.addWidget(self.while_active)
        alone = row(label(tr("Left alone for"), wraps=False), self.idle, None)
        alone.setContentsMargins(3 * GRID, 0, 0, 0)
        inside.addLayout(alone)

    def _build_hours(self) -> None:
        inside = self.card(tr("Hours"), tr("In this computer's own time; may go over midnight."))
        self.has_hours = self._option(tr("Start jobs only between"), "")
        self.begins, self.ends = QTimeEdit(), QTimeEdit()
        for edit, name in ((self.begins, tr("From")), (self.ends, tr("To"))):
            edit.setDisplayFormat(CLOCK)
            spin(edit, name)
            edit.timeChanged.connect(self._edited)
        dash = label("–", wraps=False)
        inside.addLayout(row(self.has_hours, self.begins, dash, self.ends, None))
        self.days: dict[Day, QCheckBox] = {}
        for day, name in day_names().items():
            self.days[day] = QCheckBox(name)
            self.days[day].setAccessibleName(name)
            self.days[day].clicked.connect(self._edited)
        inside.addLayout(row(*self.days.values(), None))

    def _build_share(self) -> None:
        inside = self.card(tr("Processor"))
        self.share = QComboBox()
        cores = hardware.cores()
        for share in SHARES:
            count = cores_max(RunRules(cpu_share_max=share), cores) or cores
            told = trn("{count} core", "{count} cores", count)
            self.share.addItem(tr("All cores") if share == 1 else f"{share:.0%} ({told})")
        self.share.currentIndexChanged.connect(self._edited)
        inside.addLayout(row(named(self.share, tr("Jobs may &use")), self.share, None))
        inside.addWidget(
            label(
                tr(
                    "All jobs together stay on so many whole cores (Linux and Windows; macOS pins "
                    "nothing), and always run at a low priority, so this computer stays quick."
                ),
                "muted",
            )
        )

    def _show_now(self) -> None:
        held = self.desk.held_back
        if held is None:
            self.now.tell(tr("Jobs may start now."), sign="✓", color=self.look.tokens.done)
            return
        at = self.desk.holding.next_look_at
        again = ""
        if at is not None:
            again = tr("Looked at again at {time}.").format(time=f"{at.astimezone():%H:%M:%S}")
        self.now.tell(held.message, again, sign="○", color=self.look.tokens.waiting)

    def _edited(self) -> None:
        self.floor.setEnabled(self.has_floor.box.isChecked())
        self.idle.setEnabled(not self.while_active.box.isChecked())
        for edit in (self.begins, self.ends):
            edit.setEnabled(self.has_hours.box.isChecked())
        try:
            is_new = self.rules() != self.desk.policy.run or not self._has_days
        except ValidationError:
            is_new = True
        is_sound = self.desk.policy_error is None
        self.save_button.setEnabled(is_new and is_sound)
        self.revert_button.setEnabled(is_new)

    def _option(self, text: str, why: str) -> Option:
        return Option(text, why, lambda _is_on: self._edited())

    def _number(self, low: int, high: int, unit: str, name: str) -> QSpinBox:
        made = spin(QSpinBox(), name)
        made.setRange(low, high)
        made.setSuffix(unit)
        made.setMinimumWidth(12 * GRID)
        made.valueChanged.connect(self._edited)
        return made

    def _known(self, sense: str, why: str) -> str:
        if sense in cannot_sense():
            return tr("This system does not tell; the rule then holds nothing back")
        return why
