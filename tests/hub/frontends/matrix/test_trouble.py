"""What goes wrong on the way: restarts, limits, sessions that end, files that are too large."""

from __future__ import annotations

import asyncio
import stat
from typing import TYPE_CHECKING

import pytest

from hub.core.view import Button, View, ViewFile
from hub.frontends.matrix.conversations import conversation_of
from hub.ports import HealthState
from shared.errors import Unavailable
from tests.hub.frontends.world import until
from tests.matrix_servers.synapse import UPLOAD_MB

if TYPE_CHECKING:
    from tests.hub.frontends.matrix.bench import Bench

pytestmark = pytest.mark.flow

MISSED = 60
"""More than one answer of the homeserver holds."""


async def test_a_restart_misses_nothing_and_doubles_nothing(bench: Bench) -> None:
    await bench.start()
    async with bench.person("anna") as anna:
        room_id = await bench.room(anna, is_encrypted=True)
        await anna.say(room_id, "first")
        await bench.until_said("first")
        await bench.frontend.stop()
        said = [f"word {number}" for number in range(MISSED)]
        for text in said:
            await anna.say(room_id, text)
        bench.remake()
        await bench.start()
        await bench.until_said(said[-1])
        await bench.restart()
        await anna.say(room_id, "last")
        await bench.until_said("last")
    assert bench.said == ["first", *said, "last"]


async def test_what_could_not_be_written_down_is_handed_in_again(bench: Bench) -> None:
    bench.faults = [
        Unavailable("disk_full", "The disk is full.", retryable=True),
        ValueError("a fault of ours"),
    ]
    await bench.start()
    async with bench.person("anna") as anna:
        room_id = await bench.room(anna)
        await anna.say(room_id, "one")
        await anna.say(room_id, "two")
        await bench.until_said("two")
    assert bench.said == ["one", "two"]


async def test_the_homeserver_restarts_and_the_talk_goes_on(bench: Bench) -> None:
    await bench.start()
    async with bench.person("anna") as anna:
        room_id = await bench.room(anna)
        shown = await bench.show(room_id, View(text="Before.", key="event 1"))
        await asyncio.to_thread(bench.server.stop)
        with pytest.raises(Unavailable) as raised:
            await bench.show(room_id, View(text="After.", key="event 2"))
        assert raised.value.code == "matrix_unreachable"
        await bench.until_state(HealthState.TROUBLED)
        assert "HUB_MATRIX_HOMESERVER" in bench.frontend.status().hint
        bench.arrived.clear()
        await asyncio.to_thread(bench.server.start)
        await until(lambda: conversation_of(room_id, is_group=False) in bench.arrived)
        after = await bench.show(room_id, View(text="After.", key="event 2"))
        again = await bench.show(room_id, View(text="Before.", key="event 1"))
        await anna.until(lambda: after in anna.messages)
        await anna.say(room_id, "thanks")
        await bench.until_said("thanks")
    assert again == shown


async def test_a_limit_is_believed_and_signs_come_later(bench: Bench) -> None:
    await bench.start()
    async with bench.person("anna") as anna:
        room_id = await bench.room(anna)
        await bench.show(room_id, View(text="Hello."))
        bench.server.limit(bench.bot, per_second=2, burst=2)
        view = View(text="Well?", buttons=(Button("Yes", "/approve 1"), Button("No", "/reject 1")))
        shown = await bench.show(room_id, view)
        with pytest.raises(Unavailable) as raised:
            await _go_on(bench, room_id)
        assert raised.value.code == "matrix_busy"
        assert 0 < (raised.value.retry_after_seconds or 0) < 2
        await anna.until(lambda: len(anna.messages[shown].signs_of(bench.bot)) == 2)
        bench.server.limit(bench.bot, per_second=0, burst=0)


async def _go_on(bench: Bench, room_id: str) -> None:
    for number in range(5):
        await bench.show(room_id, View(text=f"{number}"))


async def test_a_session_that_ended_is_begun_anew_as_another_device(bench: Bench) -> None:
    await bench.start()
    async with bench.person("anna") as anna:
        room_id = await bench.room(anna, is_encrypted=True)
        await anna.say(room_id, "before")
        await bench.until_said("before")
        bench.server.log_out(bench.bot)
        await bench.until_state(HealthState.TROUBLED)
        await bench.until_state(HealthState.OK)
        await anna.until(lambda: len(anna.client.device_store[bench.bot].keys()) > 0)
        await anna.say(room_id, "after")
        await bench.until_said("after")
    assert bench.said == ["before", "after"]


async def test_one_login_is_enough_and_only_the_hub_can_read_it(bench: Bench) -> None:
    await bench.start()
    await bench.restart()
    devices = bench.server.ask("GET", f"/_synapse/admin/v2/users/{bench.bot}/devices")
    assert [d["display_name"] for d in devices["devices"]].count("Deskhand") == 1
    folder = bench.setup.folder
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert {path.name for path in files} >= {"session.json", "state.json", "keys.db"}
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}
    # What the settings no longer say is not needed any more.
    await bench.frontend.stop()
    bench.remake(password="")
    await bench.start()


async def test_a_wrong_password_is_told_with_what_to_look_at(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    bench.remake(password="not the password")
    await bench.frontend.start(bench.inbox)
    health = bench.frontend.status()
    assert health.state is HealthState.TROUBLED
    assert health.error.startswith("The homeserver does not let the bot in: wrong name or password")
    assert "HUB_MATRIX_PASSWORD" in health.hint
    assert "not the password" not in caplog.text


@pytest.mark.parametrize("is_encrypted", [False, True], ids=["plain", "encrypted"])
async def test_files_arrive_whole_and_too_large_ones_are_told_of(
    bench: Bench, is_encrypted: bool
) -> None:
    (bench.folder / ("a" * 64)).write_bytes(b"id,churn\n1,0.9\n")
    (bench.folder / ("b" * 64)).write_bytes(bytes(UPLOAD_MB * 1024 * 1024 + 1))
    files = (
        ViewFile(name="churn.csv", sha256="a" * 64, size_bytes=15, media_type="text/csv"),
        ViewFile(
            name="huge.bin",
            sha256="b" * 64,
            size_bytes=UPLOAD_MB * 1024 * 1024 + 1,
            media_type="application/octet-stream",
        ),
    )
    await bench.start()
    async with bench.person("anna") as anna:
        room_id = await bench.room(anna, is_encrypted=is_encrypted)
        await bench.show(room_id, View(text="Here it is.", files=files))
        told = await anna.reads(lambda shown: shown.body.startswith("Here it is."))
        sent = await anna.reads(lambda shown: shown.sort == "m.file")
        assert await anna.fetched(sent) == b"id,churn\n1,0.9\n"
    assert told.body.endswith(
        "huge.bin (2.1 MB) is too large for this homeserver, which takes 2.1 MB."
    )
    assert sent.content["body"] == "churn.csv"
    assert ("file" in sent.content, "url" in sent.content) == (is_encrypted, not is_encrypted)
