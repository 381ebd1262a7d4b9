"""The settings in every state: each section, and what is wrong in it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path

from PySide6.QtWidgets import QWidget

from desktop.core.link import LinkState, LinkStatus, refused_status, unreachable
from desktop.core.policy import Policy
from desktop.core.providers import PROVIDERS, KeyVerdict
from desktop.core.run_policy import Day, Readings, RunRules
from desktop.core.update import UpdateFound
from desktop.desk.keys import Keys
from desktop.desk.updates import UpdateState
from desktop.doctor.finding import well, wrong
from desktop.gui.bridge import Bridge
from desktop.gui.style import Style
from desktop.gui.windows.settings import make
from desktop.gui.windows.settings.devices import Devices
from desktop.gui.windows.settings.diagnostics import Diagnostics
from desktop.gui.windows.settings.keys import Keys as KeysSection
from desktop.gui.windows.settings.login import Login
from desktop.gui.windows.settings.schedules import Schedules
from desktop.gui.windows.settings.section import Section
from desktop.gui.windows.settings.updates import UpdatesSection
from desktop.gui.windows.settings.window import SettingsWindow
from desktop.store.copied import Worker
from desktop.store.schedules import ScheduleRow
from desktop.system.login_start import State
from desktop.system.safe import Safe
from shared.errors import Unavailable
from shared.events import ScheduleChanged
from shared.ids import ScheduleId, WorkerId
from shared.schedules import ScheduleFacts
from tests.desktop.gui.loop import until
from tests.desktop.gui.world import ELSEWHERE, HERE, NOON, PaperDesk


def scheduled(number: int, words: str, when: str, **told: object) -> ScheduleFacts:
    """A schedule as the hub tells of it."""
    place = ScheduleId(f"01900000-0000-7000-8000-00000000e{number:03}")
    made = ScheduleFacts(schedule_id=place, words=words, when=when, cron="", zone="Europe/Vienna")
    return made.model_copy(update=told)


WEEKDAYS = scheduled(1, "/predict churn new.csv", "every weekday at 8:00", next_at=NOON)
SCHEDULES = (
    ScheduleRow(facts=WEEKDAYS),
    ScheduleRow(
        facts=scheduled(2, "summarize what changed in Documents/acme", "every Monday at 7:00",
                        next_at=NOON),
        waiting="pause",
    ),
    ScheduleRow(
        facts=scheduled(3, "/probe everyday-life.yaml", "every last Friday at 17:00",
                        paused="failing", why="It failed 3 times in a row."),
    ),
    ScheduleRow(facts=scheduled(4, "/models", "every 2 hours", paused="person")),
)  # fmt: skip
Scene = Callable[[PaperDesk, Bridge, Style], Awaitable[QWidget]]


class Box:
    """A safe that is open, and empty but for what is put into it."""

    def __init__(self, *, is_locked: bool = False) -> None:
        self.kept: dict[str, str] = {}
        self.is_locked = is_locked

    def _look(self) -> None:
        if self.is_locked:
            raise KeyringLocked

    def set_password(self, service: str, username: str, password: str) -> None:
        self._look()
        self.kept[username] = password

    def get_password(self, service: str, username: str) -> str | None:
        self._look()
        return self.kept.get(username)

    def delete_password(self, service: str, username: str) -> None:
        self._look()
        del self.kept[username]


class KeyringLocked(Exception):
    pass


def with_safe(desk: PaperDesk, box: Box) -> None:
    """Give a desk a safe of its own: no test asks the safe of whoever runs it."""
    desk.safe = Safe(lambda: box)
    desk.keys = Keys(desk.paths, desk.safe)


async def opened(desk: PaperDesk, bridge: Bridge, style: Style, section: str) -> SettingsWindow:
    """Open a section and let it come to rest."""
    window = make(bridge, style)
    window.show_item(section)
    window.show()
    await settled()
    return window


async def settled() -> None:
    for _ in range(12):
        await asyncio.sleep(0.01)


def still(page: Section) -> None:
    page.refresh = lambda: None  # type: ignore[method-assign]


async def folders(desk: PaperDesk, bridge: Bridge, style: Style) -> QWidget:
    there = desk.paths.data / "Documents"
    there.mkdir()
    long = "/media/anna/" + "a disk with a long name/" * 6 + "tables"
    await desk.change_policy(Policy(folders=(str(there), "~/Unplugged/disk", long)))
    return await opened(desk, bridge, style, "folders")


async def folders_empty(desk: PaperDesk, bridge: Bridge, style: Style) -> QWidget:
    return await opened(desk, bridge, style, "folders")


async def folders_undo(desk: PaperDesk, bridge: Bridge, style: Style) -> QWidget:
    there = desk.paths.data / "Documents"
    there.mkdir()
    await desk.change_policy(Policy(folders=(str(there), "~/Old")))
    window = await opened(desk, bridge, style, "folders")
    window.page.remove("~/Old")  # type: ignore[attr-defined]
    await settled()
    return window


async def kinds(desk: PaperDesk, bridge: Bridge, style: Style) -> QWidget:
    rules = {**Policy().kinds}
    rules[next(o for o in rules if o.value == "group")] = ("ml.predict", "code.*")
    await desk.change_policy(Policy(folders=("~/Documents",), kinds=rules))
    return await opened(desk, bridge, style, "kinds")


async def kinds_broken(desk: PaperDesk, bridge: Bridge, style: Style) -> QWidget:
    desk.paths.policy.write_text('folders = ["~/Documents"]\nslots = "many"\n')
    await desk.read_policy()
    return await opened(desk, bridge, style, "kinds")


async def when(desk: PaperDesk, bridge: Bridge, style: Style) -> QWidget:
    rules = RunRules(
        on_battery=False,
        while_active=False,
        hours="18:00-08:00",
        days=(Day.MON, Day.TUE, Day.WED, Day.THU, Day.FRI),
        cpu_share_max=0.5,
    )
    await desk.change_policy(Policy(run=rules))
    return await opened(desk, bridge, style, "when")


async def when_held(desk: PaperDesk, bridge: Bridge, style: Style) -> QWidget:
    readings = Readings(is_on_battery=True, battery_share=0.63)
    desk.holding._read = lambda _wanted: readings
    await desk.change_policy(Policy(run=RunRules(on_battery=False)))
    await desk.holding.look()
    return await opened(desk, bridge, style, "when")


async def keys(desk: PaperDesk, bridge: Bridge, style: Style) -> QWidget:
    box = Box()
    with_safe(desk, box)
    for provider in PROVIDERS[:3]:
        box.kept[provider.key_name] = "sk-canary-0123456789abcdef"
    window = await opened(desk, bridge, style, "keys")
    page = window.page
    assert isinstance(page, KeysSection)
    said = "OpenAI accepts this key; it opens 84 models."
    page.rows["OPENAI_API_KEY"].show_verdict(KeyVerdict(is_good=True, sentence=said))
    said = "Anthropic does not accept this key (HTTP 401)."
    page.rows["ANTHROPIC_API_KEY"].show_verdict(KeyVerdict(is_good=False, sentence=said))
    page.rows["XAI_API_KEY"].set_button.click()
    return window


async def keys_locked(desk: PaperDesk, bridge: Bridge, style: Style) -> QWidget:
    with_safe(desk, Box(is_locked=True))
    await desk.keys.keep(PROVIDERS[0], "sk-canary-0123456789abcdef")
    return await opened(desk, bridge, style, "keys")


async def hub(desk: PaperDesk, bridge: Bridge, style: Style) -> QWidget:
    return await opened(desk, bridge, style, "hub")


async def hub_offline(desk: PaperDesk, bridge: Bridge, style: Style) -> QWidget:
    error = unreachable("hub.example.org", "nothing answers at that port")
    desk.link = LinkStatus(state=LinkState.OFFLINE, error=error, next_try_seconds=12)
    desk.next_try_at = desk.environment.now() + timedelta(seconds=12)
    return await opened(desk, bridge, style, "hub")


async def hub_refused(desk: PaperDesk, bridge: Bridge, style: Style) -> QWidget:
    desk.link = LinkStatus(state=LinkState.REFUSED, error=refused_status(401))
    window = await opened(desk, bridge, style, "hub")
    window.page.leave_button.click()  # type: ignore[attr-defined]
    return window


async def hub_none(desk: PaperDesk, bridge: Bridge, style: Style) -> QWidget:
    desk.pairing = desk.link = None
    return await opened(desk, bridge, style, "hub")


async def devices(desk: PaperDesk, bridge: Bridge, style: Style) -> QWidget:
    window = await opened(desk, bridge, style, "devices")
    page = window.page
    assert isinstance(page, Devices)
    still(page)
    third = WorkerId("01900000-0000-7000-8000-00000000cccc")
    page.show_workers(
        (
            Worker(worker_id=HERE, name="anna-pc", state="known", since=NOON),
            Worker(worker_id=ELSEWHERE, name="studio-mac", state="lost", since=NOON),
            Worker(worker_id=third, name="old-laptop", state="revoked", since=NOON),
        )
    )
    return window


async def schedules(desk: PaperDesk, bridge: Bridge, style: Style) -> QWidget:
    told = (ScheduleChanged(schedule=row.facts, change="created") for row in SCHEDULES)
    await desk.happens(*told)
    window = await opened(desk, bridge, style, "schedules")
    page = window.page
    assert isinstance(page, Schedules)
    await until(lambda: page.rows.count() == len(SCHEDULES))
    # What is under way has no hub to answer it.
    still(page)
    page.show_schedules(SCHEDULES)
    return window


async def schedules_none(desk: PaperDesk, bridge: Bridge, style: Style) -> QWidget:
    return await opened(desk, bridge, style, "schedules")


async def autostart(desk: PaperDesk, bridge: Bridge, style: Style) -> QWidget:
    return await told_of_login(
        bridge, style, State(is_on=True, place="~/.config/autostart/deskhand.desktop")
    )


async def autostart_switched_off(desk: PaperDesk, bridge: Bridge, style: Style) -> QWidget:
    note = "It was switched off in the desktop's settings."
    state = State(is_on=False, place="~/.config/autostart/deskhand.desktop", notes=(note,))
    return await told_of_login(bridge, style, state)


async def told_of_login(bridge: Bridge, style: Style, state: State) -> QWidget:
    window = make(bridge, style)
    window.show_item("autostart")
    page = window.page
    assert isinstance(page, Login)
    still(page)
    page.show_state(state)
    return window


async def notices(desk: PaperDesk, bridge: Bridge, style: Style) -> QWidget:
    ends_at = desk.environment.now() + timedelta(minutes=30)
    await desk.settings.put("notices_until", ends_at.isoformat())
    return await opened(desk, bridge, style, "notices")


async def appearance(desk: PaperDesk, bridge: Bridge, style: Style) -> QWidget:
    return await opened(desk, bridge, style, "appearance")


UPDATE = UpdateFound(
    version="0.2.0",
    page="https://deskhand.example.org/download",
    notes=("Training is twice as fast.", "Questions can be answered from the notification."),
    released_at=NOON,
)


def looked(**given: object) -> UpdateState:
    usual = {"is_on": True, "source": "x", "checked_at": NOON, "found": None, "error": None}
    return UpdateState(**{**usual, **given})  # type: ignore[arg-type]


def updates_as(state: UpdateState) -> Scene:
    async def scene(desk: PaperDesk, bridge: Bridge, style: Style) -> QWidget:
        window = make(bridge, style)
        window.show_item("updates")
        page = window.page
        assert isinstance(page, UpdatesSection)
        still(page)
        page.show_state(state)
        return window

    return scene


NO_ANSWER = Unavailable(
    "update_source_silent",
    "The source of updates at example.org cannot be asked now (no answer).",
    "It is asked again tomorrow by itself.",
)


async def diagnostics(desk: PaperDesk, bridge: Bridge, style: Style) -> QWidget:
    window = make(bridge, style)
    window.show_item("diagnostics")
    page = window.page
    assert isinstance(page, Diagnostics)
    still(page)
    page.show_findings(
        (
            well("store", "Store is sound (worker.sqlite3)"),
            well("key", "Key is there"),
            well("dns", "The name hub.example.org is known (2 addresses)"),
            wrong(
                "clock",
                "This machine's clock is 12 minutes ahead of the hub's",
                "Let the system set its clock by itself.",
            ),
            well("tools", "Can do: data.describe, files.list, ml.predict, ml.train"),
            wrong(
                "tray",
                "This desktop shows no tray icons",
                "On GNOME the extension AppIndicator Support brings them back.",
            ),
            well("disk", "182 GB free on the disk"),
        )
    )
    page._saved(Path("deskhand-diagnostics-20261120-120000.zip"))
    return window


SCENES: dict[str, Scene] = {
    "folders": folders,
    "folders_empty": folders_empty,
    "folders_undo": folders_undo,
    "kinds": kinds,
    "kinds_broken": kinds_broken,
    "when": when,
    "when_held": when_held,
    "keys": keys,
    "keys_locked": keys_locked,
    "hub": hub,
    "hub_offline": hub_offline,
    "hub_refused": hub_refused,
    "hub_none": hub_none,
    "devices": devices,
    "schedules": schedules,
    "schedules_none": schedules_none,
    "autostart": autostart,
    "autostart_switched_off": autostart_switched_off,
    "notices": notices,
    "appearance": appearance,
    "updates": updates_as(looked()),
    "updates_found": updates_as(looked(found=UPDATE)),
    "updates_error": updates_as(looked(error=NO_ANSWER.body)),
    "updates_none": updates_as(looked(source="", checked_at=None)),
    "diagnostics": diagnostics,
}
