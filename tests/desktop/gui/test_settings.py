"""The settings: what is ticked is written down, and what changes elsewhere is seen."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TypeVar

import pytest
from PySide6.QtCore import QMimeData, QPointF, Qt, QTime, QUrl
from PySide6.QtGui import QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLineEdit, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from desktop.core.families import Family
from desktop.core.link import LinkState, LinkStatus, unreachable
from desktop.core.policy import Policy, parse_policy
from desktop.core.providers import PROVIDERS
from desktop.core.run_policy import Day, RunRules
from desktop.core.update import UpdateFound
from desktop.desk.keys import Keys as KeysOfDesk
from desktop.gui import language
from desktop.gui.bridge import Bridge
from desktop.gui.style import Style
from desktop.gui.windows.settings import make
from desktop.gui.windows.settings.diagnostics import Diagnostics
from desktop.gui.windows.settings.folders import Folders
from desktop.gui.windows.settings.hub import Hub
from desktop.gui.windows.settings.keys import Keys
from desktop.gui.windows.settings.kinds import Kinds
from desktop.gui.windows.settings.login import Login
from desktop.gui.windows.settings.looks import Looks
from desktop.gui.windows.settings.notices import NoticesSection
from desktop.gui.windows.settings.schedules import Schedules
from desktop.gui.windows.settings.section import Section
from desktop.gui.windows.settings.updates import UpdatesSection
from desktop.gui.windows.settings.when import When
from desktop.gui.windows.settings.window import SettingsWindow, sections
from desktop.link.key_check import check_key
from shared.events import ScheduleAsked, ScheduleChanged
from shared.jobs import Origin
from tests.desktop.gui.loop import on_qt_loop, until
from tests.desktop.gui.scenes_settings import UPDATE, WEEKDAYS, Box, looked, still, with_safe
from tests.desktop.gui.world import PaperDesk, open_desk
from tests.fakes.one_page import a_page

S = TypeVar("S", bound=Section)
KEY = "sk-canary-0123456789abcdef"


class Room:
    """An open settings window."""

    def __init__(self, desk: PaperDesk, bridge: Bridge, window: SettingsWindow) -> None:
        self.desk, self.bridge, self.window = desk, bridge, window

    def page(self, section: str, kind: type[S]) -> S:
        self.window.show_item(section)
        page = self.window.page
        assert isinstance(page, kind)
        return page

    @property
    def file(self) -> Policy:
        return parse_policy(self.desk.paths.policy.read_text())


@contextlib.asynccontextmanager
async def settings(home: Path, policy: Policy | None = None) -> AsyncIterator[Room]:
    app = QApplication.instance()
    assert isinstance(app, QApplication)
    async with open_desk(home) as (desk, bridge):
        with_safe(desk, Box())
        if policy is not None:
            await desk.change_policy(policy)
        window = make(bridge, Style(app, "light"))
        window.show()
        try:
            yield Room(desk, bridge, window)
        finally:
            window.close()
            window.deleteLater()


@on_qt_loop
async def test_every_section_opens_by_its_name(qtbot: QtBot, tmp_path: Path) -> None:
    async with settings(tmp_path) as room:
        for name, (title, _) in sections().items():
            room.window.show_item(name)
            assert room.window.page.accessibleName() == title
        shown = room.window.page
        room.window.show_item("no such section")
        assert room.window.page is shown


@on_qt_loop
async def test_a_folder_that_is_dropped_may_be_used_and_removing_it_can_be_undone(
    qtbot: QtBot, tmp_path: Path
) -> None:
    folder = tmp_path / "tables"
    folder.mkdir()
    (tmp_path / "a file").touch()
    async with settings(tmp_path / "home") as room:
        page = room.page("folders", Folders)
        drop(page, folder, tmp_path / "a file")
        await until(lambda: room.desk.policy.folders == (str(folder),))
        assert room.file.folders == (str(folder),)
        drop(page, folder / "below", folder)
        await until(lambda: page.rows.count() == 1)
        assert room.desk.policy.folders == (str(folder),), "it is not named twice"
        page.remove(str(folder))
        await until(lambda: room.desk.policy.folders == ())
        await until(page.undo.isVisible)
        page.undo.button.click()
        await until(lambda: room.file.folders == (str(folder),))


def drop(page: Folders, *paths: Path) -> None:
    told = QMimeData()
    told.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    page.dropEvent(
        QDropEvent(
            QPointF(5, 5),
            Qt.DropAction.CopyAction,
            told,
            Qt.MouseButton.LeftButton,
            Qt.KeyboardModifier.NoModifier,
        )
    )


@on_qt_loop
async def test_a_tick_is_a_rule_in_the_file_and_can_be_taken_back(
    qtbot: QtBot, tmp_path: Path
) -> None:
    async with settings(tmp_path, Policy()) as room:
        page = room.page("kinds", Kinds)
        box = page.boxes[Family.ML, Origin.GROUP]
        assert not box.isChecked()
        QTest.keyClick(box, Qt.Key.Key_Space)
        await until(lambda: room.file.allows("ml.train", Origin.GROUP))
        assert not room.file.allows("data.describe", Origin.GROUP)
        await until(page.undo.isVisible)
        page.undo.button.click()
        await until(lambda: not room.file.allows("ml.train", Origin.GROUP))
        await until(lambda: not box.isChecked())
        page.boxes[None, Origin.CHAT].click()
        await until(lambda: room.file.send_files == (Origin.LOCAL,))


@on_qt_loop
async def test_what_is_allowed_by_everything_can_be_narrowed(qtbot: QtBot, tmp_path: Path) -> None:
    async with settings(tmp_path, Policy()) as room:
        page = room.page("kinds", Kinds)
        page.boxes[Family.ML, Origin.LOCAL].click()
        await until(lambda: not room.desk.policy.allows("ml.train", Origin.LOCAL))
        assert room.desk.policy.allows("data.describe", Origin.LOCAL)


@on_qt_loop
async def test_single_kinds_are_half_ticked_and_a_click_allows_them_all(
    qtbot: QtBot, tmp_path: Path
) -> None:
    kinds = {**Policy().kinds, Origin.GROUP: ("ml.predict",)}
    async with settings(tmp_path, Policy(kinds=kinds)) as room:
        page = room.page("kinds", Kinds)
        box = page.boxes[Family.ML, Origin.GROUP]
        assert box.checkState() is Qt.CheckState.PartiallyChecked
        box.click()
        await until(lambda: room.desk.policy.kinds[Origin.GROUP] == ("ml.*",))
        await until(lambda: box.checkState() is Qt.CheckState.Checked)


@on_qt_loop
async def test_a_file_that_is_edited_elsewhere_is_shown_and_a_broken_one_says_its_line(
    qtbot: QtBot, tmp_path: Path
) -> None:
    async with settings(tmp_path, Policy(slots=2)) as room:
        page = room.page("kinds", Kinds)
        room.desk.paths.policy.write_text("# by hand\nslots = 5\n")
        await until(lambda: page.slots.value() == 5)
        await until(lambda: "# by hand" in page.file.toPlainText())
        aside = tmp_path / "aside"
        aside.write_text("slots = 5\nslots = = 6\n")
        aside.replace(room.desk.paths.policy)  # as editors do
        await until(lambda: not page.slots.isEnabled())
        assert "line 2" in page._broken.told.text()
        assert page._broken.isVisible()
        assert not page.boxes[Family.ML, Origin.CHAT].isEnabled()
        await until(lambda: "= = 6" in page.file.toPlainText())
        room.desk.paths.policy.write_text("slots = 7\n")
        await until(page.slots.isEnabled)
        assert not page._broken.isVisible()
        assert page.slots.value() == 7


@on_qt_loop
async def test_run_rules_are_saved_together_and_shown_as_they_are(
    qtbot: QtBot, tmp_path: Path
) -> None:
    async with settings(tmp_path, Policy()) as room:
        page = room.page("when", When)
        assert not page.save_button.isEnabled()
        page.on_battery.box.click()
        page.has_hours.box.click()
        page.begins.setTime(QTime(22, 30))
        page.ends.setTime(QTime(6, 0))
        for day in (Day.SAT, Day.SUN):
            page.days[day].click()
        page.share.setCurrentIndex(2)
        assert page.save_button.isEnabled()
        assert room.desk.policy.run == RunRules(), "nothing counts before it is saved"
        page.save_button.click()
        wanted = RunRules(
            on_battery=False,
            hours="22:30-06:00",
            days=(Day.MON, Day.TUE, Day.WED, Day.THU, Day.FRI),
            cpu_share_max=0.5,
        )
        await until(lambda: room.desk.policy.run == wanted)
        assert room.file.run == wanted
        await until(lambda: not page.save_button.isEnabled())
        page.while_active.box.click()
        page.revert_button.click()
        assert page.rules() == wanted
        await until(page.undo.isVisible)
        page.undo.button.click()
        await until(lambda: room.file.run == RunRules())


@on_qt_loop
async def test_a_week_without_days_is_not_saved(qtbot: QtBot, tmp_path: Path) -> None:
    async with settings(tmp_path, Policy()) as room:
        page = room.page("when", When)
        for box in page.days.values():
            box.click()
        page.save_button.click()
        assert page.banner.isVisible()
        assert room.file.run == RunRules()


@on_qt_loop
async def test_a_share_that_the_file_names_finely_is_kept(qtbot: QtBot, tmp_path: Path) -> None:
    async with settings(tmp_path, Policy(run=RunRules(cpu_share_max=0.6))) as room:
        page = room.page("when", When)
        assert page.rules().cpu_share_max == 0.6
        assert not page.save_button.isEnabled()


@on_qt_loop
async def test_why_nothing_starts_is_told_with_when_it_is_looked_at_again(
    qtbot: QtBot, tmp_path: Path
) -> None:
    async with settings(tmp_path) as room:
        page = room.page("when", When)
        assert "may start now" in page.now.text.text()
        await room.desk.pause(room.desk.environment.now() + timedelta(minutes=30))
        await until(lambda: "paused until" in page.now.text.text())
        assert "again at" in page.now.detail.text()


@on_qt_loop
async def test_a_key_is_kept_tried_replaced_and_removed_and_never_shown(
    qtbot: QtBot, tmp_path: Path
) -> None:
    async with settings(tmp_path) as room:
        box = Box()
        with a_page(200, b'{"data": [1]}') as provider_page:
            with_safe(room.desk, box)
            room.desk.keys = KeysOfDesk(
                room.desk.paths,
                room.desk.safe,
                lambda provider, key: check_key(
                    replace(provider, models_url=provider_page.base), key
                ),
            )
            page = room.page("keys", Keys)
            row = page.rows["OPENAI_API_KEY"]
            assert "Not set" in row.line.detail.text()
            row.set_button.click()
            assert row.field.echoMode() is QLineEdit.EchoMode.Password
            row.field.setText(f" {KEY}\n")
            QTest.keyClick(row.field, Qt.Key.Key_Return)
            assert row.field.text() == ""
            await until(lambda: box.kept == {"OPENAI_API_KEY": KEY})
            await until(row.test_button.isVisible)
            row.test_button.click()
            await until(lambda: "accepts this key" in row.line.detail.text())
            (asked,) = provider_page.asked
            assert asked.headers["authorization"] == f"Bearer {KEY}"
            row.remove_button.click()
            await until(lambda: box.kept == {})
            await until(page.undo.isVisible)
            page.undo.button.click()
            await until(lambda: box.kept == {"OPENAI_API_KEY": KEY})
            shown = " ".join(w.text() for w in page.findChildren(QLineEdit))
            assert KEY not in shown


@on_qt_loop
async def test_what_is_no_key_is_refused_in_words(qtbot: QtBot, tmp_path: Path) -> None:
    async with settings(tmp_path) as room:
        page = room.page("keys", Keys)
        row = page.rows["XAI_API_KEY"]
        row.set_button.click()
        row.field.setText("two words")
        row.keep_button.click()
        await until(page.banner.isVisible)
        assert "two words" not in page.banner.accessibleName()


@on_qt_loop
async def test_a_locked_safe_is_told_and_its_keys_move_home_when_it_opens(
    qtbot: QtBot, tmp_path: Path
) -> None:
    async with settings(tmp_path) as room:
        box = Box(is_locked=True)
        with_safe(room.desk, box)
        page = room.page("keys", Keys)
        await until(page._safe.isVisible)
        assert "locked" in page._trouble.text.text()
        await room.desk.keys.keep(PROVIDERS[0], KEY)
        assert room.desk.paths.key_file("OPENAI_API_KEY").stat().st_mode & 0o777 == 0o600
        box.is_locked = False
        page._again()
        await until(lambda: box.kept == {"OPENAI_API_KEY": KEY})
        await until(lambda: not page._safe.isVisible())
        assert not room.desk.paths.key_file("OPENAI_API_KEY").exists()


@on_qt_loop
async def test_the_hub_page_says_why_and_when_and_asks_before_it_leaves(
    qtbot: QtBot, tmp_path: Path
) -> None:
    async with settings(tmp_path) as room:
        page = room.page("hub", Hub)
        assert page.line.text.text() == "Connected."
        assert not page._clock.isActive()
        room.desk._note_status(
            LinkStatus(
                state=LinkState.OFFLINE,
                error=unreachable("hub.example.org", "no answer in time"),
                next_try_seconds=20,
            )
        )
        await until(lambda: "next try is in" in page.line.text.text())
        assert "no answer in time" in page.line.detail.text()
        assert page._clock.isActive()
        room.window.show_item("folders")
        assert not page._clock.isActive(), "nothing ticks where nobody looks"
        room.window.show_item("hub")
        page.leave_button.click()
        assert page._sure.isVisible()
        assert room.desk.pairing is not None
        asked: list[tuple[str, str]] = []
        room.bridge.opened.connect(lambda name, item: asked.append((name, item)))
        page.pair_button.click()
        assert asked == [("pairing", "")]


@on_qt_loop
async def test_start_at_login_is_what_the_system_says(
    qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_CURRENT_DESKTOP", "test")
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nowhere")
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    async with settings(tmp_path / "home") as room:
        page = room.page("autostart", Login)
        await until(lambda: page.state_line.text.text() == "Off.")
        page.switch.box.click()
        await until(lambda: page.state_line.text.text().startswith("On."))
        (entry,) = (tmp_path / "config" / "autostart").iterdir()
        entry.write_text(entry.read_text() + "Hidden=true\n")
        page.refresh()
        await until(lambda: "switched off in the desktop" in page.state_line.detail.text())
        assert not page.switch.box.isChecked()
        assert "Hidden=true" in entry.read_text(), "it is left as the person wants it"


@on_qt_loop
async def test_notifications_can_be_off_or_quiet_for_a_while(qtbot: QtBot, tmp_path: Path) -> None:
    async with settings(tmp_path) as room:
        page = room.page("notices", NoticesSection)
        await until(page.switch.box.isChecked)
        page.buttons[0].click()
        await until(lambda: "Quiet until" in page.line.text.text())
        assert (
            await room.desk.settings.value("notices_until")
            > room.desk.environment.now().isoformat()
        )
        page.end_button.click()
        await until(lambda: page.line.text.text() == "Not now.")
        page.switch.box.click()
        await until(lambda: "off" in page.line.text.text())
        assert await room.desk.settings.value("notices") == "off"


@on_qt_loop
async def test_dark_and_another_language_count_at_once_and_are_kept(
    qtbot: QtBot, tmp_path: Path
) -> None:
    async with settings(tmp_path) as room:
        page = room.page("appearance", Looks)
        choose(page, "dark")
        assert page.look.is_dark
        await until_async_setting(room, "scheme", "dark")
        page.language.setCurrentIndex(page.language.findData("ru"))
        try:
            page.language.activated.emit(page.language.currentIndex())
            await until_async_setting(room, "language", "ru")
            await until(lambda: room.window.page is not page)
            again = room.page("appearance", Looks)
            await until(lambda: again.language.currentData() == "ru")
        finally:
            language.choose("en")


def choose(page: Looks, scheme: str) -> None:
    page.scheme.setCurrentIndex(page.scheme.findData(scheme))
    page.scheme.activated.emit(page.scheme.currentIndex())


SETTING_SECONDS = 10.0


@on_qt_loop
async def test_a_schedule_is_held_and_run_from_here(qtbot: QtBot, tmp_path: Path) -> None:
    async with settings(tmp_path) as room:
        page = room.page("schedules", Schedules)
        await room.desk.happens(ScheduleChanged(schedule=WEEKDAYS, change="created", by="anna"))
        await until(lambda: bool(buttons_of(page)))
        assert list(buttons_of(page)) == [
            "Pause: /predict churn new.csv", "Run now: /predict churn new.csv",
        ]  # fmt: skip
        buttons_of(page)["Pause: /predict churn new.csv"].click()
        await until(lambda: "Resume: /predict churn new.csv" in buttons_of(page))
        [asked] = room.desk.said
        assert asked == ScheduleAsked(schedule_id=WEEKDAYS.schedule_id, action="pause")


def buttons_of(page: QWidget) -> dict[str, QPushButton]:
    """The buttons of the rows that are shown, by what they are called."""
    found = page.findChildren(QPushButton)
    return {one.accessibleName(): one for one in found if ": /" in one.accessibleName()}


async def until_async_setting(room: Room, name: str, value: str) -> None:
    async with asyncio.timeout(SETTING_SECONDS):
        while await room.desk.settings.value(name) != value:  # noqa: ASYNC110 - another task writes it
            await asyncio.sleep(0.01)


@on_qt_loop
async def test_a_build_without_a_source_of_updates_says_so(qtbot: QtBot, tmp_path: Path) -> None:
    async with settings(tmp_path) as room:
        page = room.page("updates", UpdatesSection)
        await until(lambda: "names no source" in page.line.detail.text())
        assert not page.look_button.isEnabled()
        assert not page._found.isVisible()


@on_qt_loop
async def test_markup_in_what_is_new_stays_text(qtbot: QtBot, tmp_path: Path) -> None:
    async with settings(tmp_path) as room:
        page = room.page("updates", UpdatesSection)
        still(page)
        found = UpdateFound(**{**UPDATE.model_dump(), "notes": ("<b>bold</b>\x1b[31m",)})
        page.show_state(looked(found=found))
        assert page._notes.textFormat() is Qt.TextFormat.PlainText
        assert "\x1b" not in page._notes.text()
        assert page._found.isVisible()


@on_qt_loop
async def test_the_doctor_looks_and_the_file_is_saved_where_it_was_asked_for(
    qtbot: QtBot, tmp_path: Path
) -> None:
    async with settings(tmp_path / "home") as room:
        page = room.page("diagnostics", Diagnostics)
        await until(page.again_button.isEnabled, seconds=20)
        assert page.rows.count() > 5
        page.save(tmp_path / "report.zip")
        await until((tmp_path / "report.zip").exists, seconds=20)
        await until(page.saved.isVisible)
        page.save(tmp_path / "nowhere" / "report.zip")
        await until(page.banner.isVisible, seconds=20)
