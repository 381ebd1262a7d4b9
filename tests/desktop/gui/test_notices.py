"""What is told outside of windows, and when nothing is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pytestqt.qtbot import QtBot

from desktop.core.link import LinkState, LinkStatus
from desktop.core.news import News
from desktop.core.update import UpdateFound
from desktop.gui.bridge import Bridge
from desktop.gui.notices import Notices
from shared.errors import ErrorBody
from shared.questions import Asking, Choice, QuestionKind
from tests.desktop.gui.loop import on_qt_loop, until
from tests.desktop.gui.scenes_jobs import asked, job_id, queued, started, succeeded
from tests.desktop.gui.world import HERE, PaperDesk, open_desk

ZONE = "The test expects UTC but the config says local time. Which one is right?"


@pytest.fixture(autouse=True)
def _no_server(monkeypatch: pytest.MonkeyPatch) -> None:
    """No notification server answers at this address, so that everything comes to the panel."""
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent/bus")


class Told:
    """Where a notification comes to when the system shows none."""

    def __init__(self, bridge: Bridge) -> None:
        self.titles: list[str] = []
        self.texts: list[str] = []
        self.opened: list[tuple[str, str]] = []
        self.notices = Notices(bridge, lambda w, i: self.opened.append((w, i)), self._tell)

    def _tell(self, title: str, text: str) -> None:
        self.titles.append(title)
        self.texts.append(text)


async def look(desk: PaperDesk, bridge: Bridge) -> Told:
    """Begin to listen, past the first look."""
    told = Told(bridge)
    await until(lambda: told.notices._seen is not None)
    return told


async def heard(bridge: Bridge) -> None:
    """Wait until everything that was rung has been looked at."""
    got: list[Any] = []
    bridge.news.connect(got.append)
    bridge.desk.ring(News.STATUS)
    await until(lambda: bool(got))
    await bridge.desk.look(lambda _: None)


@on_qt_loop
async def test_a_question_is_told_as_the_job_worded_it(qtbot: QtBot, tmp_path: Path) -> None:
    async with open_desk(tmp_path) as (desk, bridge):
        told = await look(desk, bridge)
        await desk.happens(*queued(1, "Fix"), started(1), asked(1))
        await until(lambda: told.texts == [ZONE])


@on_qt_loop
async def test_what_waited_before_the_start_is_told_and_what_had_ended_is_not(
    qtbot: QtBot, tmp_path: Path
) -> None:
    async with open_desk(tmp_path) as (desk, bridge):
        await desk.happens(*queued(1, "Old"), started(1), succeeded(1, "Done."), device=HERE)
        await desk.happens(*queued(2, "Fix"), started(2), asked(2), device=HERE)
        told = await look(desk, bridge)
        await until(lambda: told.texts == [ZONE])


@on_qt_loop
async def test_an_end_is_told_once(qtbot: QtBot, tmp_path: Path) -> None:
    async with open_desk(tmp_path) as (desk, bridge):
        told = await look(desk, bridge)
        await desk.happens(*queued(1, "Train"), started(1), succeeded(1, "AUC 0.85."), device=HERE)
        await until(lambda: told.texts == ["AUC 0.85."])
        desk.ring(News.JOBS)
        await heard(bridge)
        assert told.texts == ["AUC 0.85."]


@pytest.mark.parametrize(
    ("name", "value"),
    [("notices", "off"), ("notices_until", (datetime.now(UTC) + timedelta(hours=1)).isoformat())],
    ids=["off", "for an hour"],
)
@on_qt_loop
async def test_who_wants_quiet_gets_it(qtbot: QtBot, tmp_path: Path, name: str, value: str) -> None:
    async with open_desk(tmp_path) as (desk, bridge):
        await desk.settings.put(name, value)
        told = await look(desk, bridge)
        await desk.happens(*queued(1, "Fix"), started(1), asked(1))
        await until(lambda: bool(told.notices._seen))
        await heard(bridge)
        assert told.titles == []


@on_qt_loop
async def test_a_quiet_that_is_over_is_over(qtbot: QtBot, tmp_path: Path) -> None:
    async with open_desk(tmp_path) as (desk, bridge):
        # Another zone than the clock's: by their texts alone this one would be later.
        past = datetime.now(UTC) - timedelta(minutes=1)
        await desk.settings.put("notices_until", past.isoformat().replace("+00:00", "Z"))
        told = await look(desk, bridge)
        await desk.happens(*queued(1, "Fix"), started(1), asked(1))
        await until(lambda: told.texts == [ZONE])


@on_qt_loop
async def test_a_new_version_is_told_once_for_all_starts(qtbot: QtBot, tmp_path: Path) -> None:
    async with open_desk(tmp_path) as (desk, bridge):
        desk.updates.found = UpdateFound(
            version="9.9", released_at=datetime.now(UTC), page="https://example.org", notes=()
        )
        told = await look(desk, bridge)
        desk.ring(News.STATUS)
        await until(lambda: told.titles == ["Deskhand 9.9 is there"])
        again = await look(desk, bridge)
        desk.ring(News.STATUS)
        await heard(bridge)
        await heard(bridge)
        assert (told.titles, again.titles) == (["Deskhand 9.9 is there"], [])


@on_qt_loop
async def test_a_refusal_by_the_hub_is_told_even_to_who_wants_quiet_and_once(
    qtbot: QtBot, tmp_path: Path
) -> None:
    async with open_desk(tmp_path) as (desk, bridge):
        await desk.settings.put("notices", "off")
        told = await look(desk, bridge)
        why = ErrorBody(code="worker_revoked", message="It was shown out.", hint="Pair it again.")
        desk.link = LinkStatus(state=LinkState.REFUSED, error=why)
        desk.ring(News.STATUS)
        await until(lambda: told.titles == ["It was shown out."])
        desk.ring(News.STATUS)
        await heard(bridge)
        assert told.texts == ["Pair it again."]


@on_qt_loop
async def test_markup_and_signs_that_act_are_harmless(qtbot: QtBot, tmp_path: Path) -> None:
    async with open_desk(tmp_path) as (desk, bridge):
        told = await look(desk, bridge)
        asking = Asking(
            key="k",
            kind=QuestionKind.CHOICE,
            text="<a href='x'>big</a> \u202e\n" + "long " * 200,
            choices=(Choice(value="a", label="A"),),
        )
        body = asked(1).model_copy(update={"asking": asking})
        await desk.happens(*queued(1, "<b>x"), started(1), body)
        await until(lambda: bool(told.texts))
        assert told.texts[0].startswith("&lt;a href='x'&gt;big&lt;/a&gt;")
        assert "\u202e" not in told.texts[0]
        assert len(told.texts[0]) < 300
        assert job_id(1)
