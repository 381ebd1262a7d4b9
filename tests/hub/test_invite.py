"""`deskhand-hub invite` and `approve`: what a person at the hub's own terminal sees and says."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from hub.core.view import Sender
from hub.invite import (
    chat_links,
    decide_named,
    invite,
    invite_to_web,
    list_waiting,
    print_qr,
    wait_and_ask,
)
from shared.api.client import Client
from shared.capabilities import Capability
from shared.errors import AppError
from shared.ids import ConversationId
from shared.pairing import Purpose
from tests.hub.frontends.test_outbox import Stage
from tests.hub.frontends.world import World, open_world
from tests.pairing import Computer

PC = Capability(kind="ml.train")


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with open_world(tmp_path) as opened:
        yield opened


@pytest.fixture
async def owner_id(world: World) -> str:
    return str((await world.hub.services.registry.people())[0].person_id)


async def come(world: World, computer: Computer) -> str:
    """Let a computer ask with a code; the id of its pairing."""
    owner = (await world.hub.services.registry.people())[0]
    invitation = await world.hub.services.pairing.invite(owner.person_id)
    return (await computer.ask(world.hub.services, invitation.code)).join_id


def client(world: World) -> Client:
    return Client(world.url, world.admin_key)


async def state_of(world: World, join_id: str) -> str:
    return str((await world.hub.services.admissions.find(None, join_id)).state)


async def test_a_link_to_the_dashboard_is_printed_for_oneself_or_by_name(
    world: World, owner_id: str, capsys: pytest.CaptureFixture[str]
) -> None:
    sign_ins = world.hub.services.sign_ins
    for person, name in ((None, "me"), ("Ben", "Ben"), ("ben", "Ben")):
        await asyncio.to_thread(invite_to_web, client(world), person=person)
        [line] = [line for line in capsys.readouterr().out.splitlines() if "/in/" in line]
        assert line.strip().startswith(world.url)
        assert (await sign_ins.look(line.rpartition("/")[2], "")).name == name
    assert len(await world.hub.services.registry.people()) == 2


@pytest.mark.parametrize(
    ("typed", "state"),
    [("y", "approved"), ("Yes ", "approved"), ("", "rejected"), ("n", "rejected")],
)
async def test_whoever_sits_at_the_hub_is_asked(
    world: World, owner_id: str, typed: str, state: str, capsys: pytest.CaptureFixture[str]
) -> None:
    questions: list[str] = []

    def answer(question: str) -> str:
        questions.append(question)
        return typed

    join_id = await come(world, Computer("anna-pc", platform="Windows 11", capabilities=(PC,)))
    until = datetime.now(UTC) + timedelta(minutes=1)
    is_in = await asyncio.to_thread(wait_and_ask, client(world), owner_id, until, answer=answer)
    request = await world.hub.services.admissions.find(None, join_id)
    assert (is_in, request.state) == (state == "approved", state)
    assert questions == [
        f"anna-pc (Windows 11; can train) wants to join. Check words: {request.words}. "
        "Approve? [y/N] "
    ]
    assert "anna-pc was " in capsys.readouterr().out


async def test_a_computer_that_comes_later_is_waited_for(world: World, owner_id: str) -> None:
    code = (await world.rest.post("/invitations", json={})).json()["code"]
    loop = asyncio.get_running_loop()
    computer = Computer()

    def sleep(_seconds: float) -> None:
        asking = computer.ask(world.hub.services, code)
        asyncio.run_coroutine_threadsafe(asking, loop).result(10)

    until = datetime.now(UTC) + timedelta(minutes=1)
    assert await asyncio.to_thread(
        wait_and_ask, client(world), owner_id, until, answer=lambda _: "y", sleep=sleep
    )


async def test_a_decision_made_in_the_chat_meanwhile_is_told(
    world: World, owner_id: str, capsys: pytest.CaptureFixture[str]
) -> None:
    join_id = await come(world, Computer())
    loop = asyncio.get_running_loop()

    def answer(_question: str) -> str:
        deciding = world.hub.services.admissions.decide(
            owner_id,  # type: ignore[arg-type]
            join_id,
            is_approved=True,
            by="me on Telegram",
        )
        asyncio.run_coroutine_threadsafe(deciding, loop).result(10)
        return "n"

    until = datetime.now(UTC) + timedelta(minutes=1)
    await asyncio.to_thread(wait_and_ask, client(world), owner_id, until, answer=answer)
    assert capsys.readouterr().out == "anna-pc was let in before, by me on Telegram.\n"
    assert await state_of(world, join_id) == "approved"


async def test_a_code_nobody_came_with_ends_the_wait(
    world: World, owner_id: str, capsys: pytest.CaptureFixture[str]
) -> None:
    past = datetime.now(UTC) - timedelta(minutes=1)
    assert not await asyncio.to_thread(wait_and_ask, client(world), owner_id, past)
    assert capsys.readouterr().out == "The code has expired; nobody came with it.\n"


async def test_who_waits_is_listed_and_let_in_by_four_characters(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    hub = client(world)
    await asyncio.to_thread(list_waiting, hub)
    assert capsys.readouterr().out == "Nobody waits to be let in.\n"
    join_id = await come(world, Computer("\x1b[2Jevil"))
    stranger = Sender(frontend="telegram", external_id="4711", name="Boris")
    await world.hub.services.admissions.knock(stranger, ConversationId("telegram:4711"))
    await asyncio.to_thread(list_waiting, hub)
    first, second = capsys.readouterr().out.splitlines()
    assert "[2Jevil (Linux) wants to join. Check words: " in first
    assert "\x1b" not in first
    assert second.endswith("Boris (4711 on Telegram) wants to use this hub.")
    await asyncio.to_thread(decide_named, hub, first.split()[0].lower(), is_approved=True)
    assert await state_of(world, join_id) == "approved"
    await asyncio.to_thread(decide_named, hub, second.split()[0], is_approved=False)
    assert capsys.readouterr().out.splitlines()[-1] == "Boris was turned away."


async def test_deciding_about_nobody_says_where_to_look(world: World) -> None:
    with pytest.raises(AppError) as caught:
        await asyncio.to_thread(decide_named, client(world), "#K7Q2", is_approved=True)
    assert (caught.value.code, caught.value.message) == (
        "join_unknown",
        "Nobody called #K7Q2 waits to join.",
    )


async def test_a_hub_without_a_chat_that_can_be_opened_has_no_links(world: World) -> None:
    assert await asyncio.to_thread(chat_links, client(world)) == {}


async def test_a_chat_that_can_be_opened_by_a_link_is_offered_with_a_code(
    world: World, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Linked(Stage):
        chat_link = "https://t.me/some_bot?start={code}"

    world.hub.host.adopt(Linked(name="telegram"))
    await world.hub.host.tend_once()
    monkeypatch.setattr("sys.stdin", io.StringIO())
    await asyncio.to_thread(invite, client(world), person="Ben", is_approved=False)
    printed = capsys.readouterr().out
    assert "Ben may use this hub now. Their key, shown once:" in printed
    assert "To chat on Telegram (works once, for 10 minutes):" in printed
    code = printed.partition("https://t.me/some_bot?start=")[2].split()[0]
    sender = Sender(frontend="telegram", external_id="4711", name="Ben")
    home = ConversationId("telegram:4711")
    assert (await world.hub.services.pairing.link(code, sender, home)).name == "Ben"


async def test_a_code_for_a_chat_is_good_for_one_account(world: World, owner_id: str) -> None:
    made = await world.rest.post("/invitations", json={"purpose": Purpose.ACCOUNT})
    code = made.json()["code"]
    # It lets no computer in.
    with pytest.raises(AppError) as caught:
        await Computer().ask(world.hub.services, code)
    assert caught.value.code == "pairing_code_wrong"
    sender = Sender(frontend="telegram", external_id="4711", name="Anna")
    home = ConversationId("telegram:4711")
    person = await world.hub.services.pairing.link(code, sender, home)
    assert person.person_id == owner_id


def test_the_code_for_a_phone_fits_a_terminal() -> None:
    drawn = io.StringIO()
    print_qr("https://t.me/some_deskhand_bot?start=BCDF-GHJK", drawn)
    lines = drawn.getvalue().splitlines()
    assert 10 < len(lines) < 30
