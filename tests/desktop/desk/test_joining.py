"""A desk joins a hub, leaves it, moves to another, runs a hub of its own: against real hubs."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
import urllib.request
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from desktop.core.link import LinkState
from desktop.core.news import News
from desktop.desk.desk import Desk
from desktop.desk.join_steps import Wish, read_wish
from desktop.desk.joining import Step
from desktop.link.hub_post import ask_for
from desktop.store import facts
from desktop.store.database import open_store
from desktop.system.local_hub import HubState
from desktop.system.paths import find_paths
from hub.app import Hub, running
from hub.settings import Settings
from shared.errors import AppError
from shared.pairing import JoinState, Purpose
from tests.desktop.link.pairing_desk import NOTED, WAITING, Answer, a_desk, problem
from tests.desktop.link.pairing_desk import Desk as HubDouble

ROOT = Path(__file__).parents[3]
PATIENCE_SECONDS = 30.0


@pytest.fixture(autouse=True)
def _no_safe(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))


@pytest.fixture
def double() -> Iterator[HubDouble]:
    with a_desk() as made:
        yield made


@contextlib.asynccontextmanager
async def a_running_desk(home: Path) -> AsyncIterator[tuple[Desk, asyncio.TaskGroup]]:
    paths = find_paths(home)
    paths.make()
    with open_store(paths.store) as database:
        desk = Desk(paths, database)
        try:
            async with asyncio.TaskGroup() as tasks:
                living = tasks.create_task(desk.run())
                try:
                    yield desk, tasks
                finally:
                    desk.joining.cancel()
                    living.cancel()
        finally:
            desk.close()


def fetched(address: str) -> str:
    with urllib.request.urlopen(address, timeout=PATIENCE_SECONDS) as answer:
        told: str = answer.read().decode()
        return told


async def until(desk: Desk, is_so: Callable[[], bool]) -> None:
    rung = asyncio.Event()

    def hear(_news: frozenset[News]) -> None:
        rung.set()

    desk.listeners.append(hear)
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not is_so():
            rung.clear()
            await rung.wait()
    desk.listeners.remove(hear)


@contextlib.asynccontextmanager
async def a_hub(folder: Path) -> AsyncIterator[Hub]:
    async with running(Settings(data=folder, port=0, host="127.0.0.1")) as hub:
        yield hub


async def code_of(hub: Hub, *, is_approved: bool = True) -> str:
    [owner] = await hub.services.registry.people()
    invited = await hub.services.pairing.invite(
        owner.person_id, Purpose.WORKER, is_approved=is_approved
    )
    return invited.code


async def decide(hub: Hub, *, is_approved: bool) -> None:
    [owner] = await hub.services.registry.people()
    requests = await hub.services.admissions.requests(owner.person_id)
    [waiting] = [r for r in requests if r.state is JoinState.WAITING]
    await hub.services.admissions.decide(
        owner.person_id, waiting.join_id, is_approved=is_approved, by="anna in this test"
    )


def is_online(desk: Desk) -> bool:
    return desk.link is not None and desk.link.state is LinkState.ONLINE


async def test_the_words_are_shown_and_a_yes_brings_the_desk_online(tmp_path: Path) -> None:
    async with a_hub(tmp_path / "hub") as hub, a_running_desk(tmp_path / "pc") as (desk, tasks):
        base = hub.settings.local_url
        wish = read_wish((await code_of(hub, is_approved=False)).lower(), base)
        tasks.create_task(desk.joining.join(wish))
        await until(desk, lambda: desk.joining.stand.step is Step.WAITING)
        [owner] = await hub.services.registry.people()
        [request] = await hub.services.admissions.requests(owner.person_id)
        assert desk.joining.stand.asked is not None
        assert desk.joining.stand.asked.words == request.words
        await decide(hub, is_approved=True)
        await until(desk, lambda: desk.joining.stand.step is Step.RULES and is_online(desk))
        assert desk.paths.policy.exists()
        assert desk.pairing is not None
        assert desk.pairing.hub_url == base


async def test_a_no_is_told_and_leaves_nothing(tmp_path: Path) -> None:
    async with a_hub(tmp_path / "hub") as hub, a_running_desk(tmp_path / "pc") as (desk, tasks):
        code = await code_of(hub, is_approved=False)
        tasks.create_task(desk.joining.join(Wish(base=hub.settings.local_url, code=code)))
        await until(desk, lambda: desk.joining.stand.step is Step.WAITING)
        await decide(hub, is_approved=False)
        await until(desk, lambda: desk.joining.stand.error is not None)
        error = desk.joining.stand.error
        assert error is not None
        assert error.code == "pairing_rejected"
        assert desk.pairing is None
        assert await desk.database.read(facts.asked) is None


async def test_it_goes_on_after_a_restart_with_a_code_that_is_spent(tmp_path: Path) -> None:
    async with a_hub(tmp_path / "hub") as hub:
        code = await code_of(hub, is_approved=False)
        async with a_running_desk(tmp_path / "pc") as (desk, tasks):
            tasks.create_task(desk.joining.join(Wish(base=hub.settings.local_url, code=code)))
            await until(desk, lambda: desk.joining.stand.step is Step.WAITING)
            asked = desk.joining.stand.asked
        async with a_running_desk(tmp_path / "pc") as (desk, tasks):
            tasks.create_task(desk.joining.resume())
            await until(desk, lambda: desk.joining.stand.step is Step.WAITING)
            assert desk.joining.stand.asked == asked
            await decide(hub, is_approved=True)
            await until(desk, lambda: desk.joining.stand.step is Step.RULES)


async def test_a_try_that_was_stopped_goes_on_with_the_same_code(
    tmp_path: Path, double: HubDouble
) -> None:
    double.to_token[0] = Answer(409, WAITING.body)
    wish = Wish(base=double.base, code="BCDF-GHJK")
    async with a_running_desk(tmp_path) as (desk, tasks):
        for _ in range(2):
            tasks.create_task(desk.joining.join(wish))
            await until(desk, lambda: desk.joining.stand.step is Step.WAITING)
            desk.joining.cancel()
            assert desk.joining.stand.step is Step.HOW
            assert desk.joining.stand.wish == wish
    assert len(double.introductions) == 1


async def test_a_code_is_spent_once_though_its_hub_was_slow_and_the_person_was_not(
    tmp_path: Path, double: HubDouble
) -> None:
    come, go = threading.Event(), threading.Event()
    take = double.take

    def slow(path: str, body: Mapping[str, Any]) -> Answer:
        come.set()
        go.wait(PATIENCE_SECONDS)
        return take(path, body)

    double.take = slow  # type: ignore[method-assign]
    double.to_token[0] = WAITING
    wish = Wish(base=double.base, code="BCDF-GHJK")
    async with a_running_desk(tmp_path) as (desk, tasks):
        tasks.create_task(desk.joining.join(wish))
        assert await asyncio.to_thread(come.wait, PATIENCE_SECONDS)
        desk.joining.cancel()
        tasks.create_task(desk.joining.join(wish))
        await until(desk, lambda: desk.joining.stand.step is Step.ASKING)
        go.set()
        await until(desk, lambda: desk.joining.stand.step is Step.WAITING)
    assert len(double.introductions) == 1


async def test_a_hub_that_goes_away_meanwhile_is_trouble_until_it_answers(
    tmp_path: Path, double: HubDouble
) -> None:
    cut = Answer(200, is_cut=True)
    double.to_token.clear()
    double.to_token.extend([cut, WAITING])
    troubles: list[str] = []
    async with a_running_desk(tmp_path) as (desk, tasks):
        desk.listeners.append(
            lambda _: troubles.append(t.code) if (t := desk.joining.stand.trouble) else None
        )
        tasks.create_task(desk.joining.join(Wish(base=double.base, code="BCDF-GHJK")))
        await until(desk, lambda: bool(troubles))
        await until(desk, lambda: desk.joining.stand.trouble is None)
        assert desk.joining.stand.step is Step.WAITING
    assert set(troubles) == {"hub_unreachable"}


@pytest.mark.parametrize(
    "refused",
    [problem(400, "pairing_code_wrong"), problem(429, "pairing_paused"), Answer(200, b"<html>")],
    ids=["wrong", "paused", "portal"],
)
async def test_what_a_hub_refuses_is_told_with_the_wish_for_another_try(
    tmp_path: Path, double: HubDouble, refused: Answer
) -> None:
    double.to_ask[0] = refused
    wish = Wish(base=double.base, code="BCDF-GHJK")
    async with a_running_desk(tmp_path) as (desk, _):
        await desk.joining.join(wish)
        assert desk.joining.stand.error is not None
        assert desk.joining.stand.wish == wish
        assert not desk.joining.is_under_way
        double.to_ask[0] = Answer(202, NOTED)
        await desk.joining.join(wish)
        assert desk.joining.stand.step is Step.RULES


async def test_leaving_forgets_the_hub_and_keeps_models_and_rules(tmp_path: Path) -> None:
    async with a_hub(tmp_path / "hub") as hub, a_running_desk(tmp_path / "pc") as (desk, _):
        wish = Wish(base=hub.settings.local_url, code=await code_of(hub))
        await desk.joining.join(wish)
        await until(desk, lambda: is_online(desk))
        model = desk.paths.models / "churn"
        model.mkdir()
        assert desk.paths.token.exists()
        await desk.leave()
        await until(desk, lambda: desk.pairing is None and desk.link is None)
        assert not desk.paths.token.exists()
        assert model.exists()
        assert desk.paths.policy.exists()
        with pytest.raises(AppError):
            await desk.requests.make("ml.models", {})
        await desk.joining.join(Wish(base=wish.base, code=await code_of(hub)))
        await until(desk, lambda: is_online(desk))
        [card] = await hub.services.views.workers(
            (await hub.services.registry.people())[0].person_id
        )
        assert card.is_online
        assert desk.pairing is not None
        # Another hub's page says itself how one comes in: no key of its is here.
        address = await desk.joining.dashboard(desk.pairing.hub_url)
        assert address == f"{hub.settings.hub_url}/"


async def test_just_this_computer_comes_online_without_anybody_asked_and_comes_back(
    tmp_path: Path,
) -> None:
    async with a_running_desk(tmp_path) as (desk, _):
        await desk.joining.join_own("Anna")
        assert desk.joining.stand.error is None, desk.joining.stand.error
        await until(desk, lambda: is_online(desk))
        assert desk.pairing is not None
        assert (desk.pairing.person_name, desk.pairing.hub_name) == ("Anna", "this computer")
        await desk.requests.make("ml.models", {})
        link = await desk.joining.dashboard(desk.pairing.hub_url)
        # Whoever sits here is signed in by one button, as the person that this computer works for.
        page = await asyncio.to_thread(fetched, link)
        assert "Anna" in page
        assert "<button" in page
        key = desk.local_hub.admin_key_file.read_text().strip()
        told = await asyncio.to_thread(ask_for, desk.pairing.hub_url, "/people", token=key)
        assert "'name': 'Anna', 'is_owner': True" in str(told)
    async with a_running_desk(tmp_path) as (desk, _):
        await until(desk, lambda: is_online(desk) and desk.local_hub.state is HubState.RUNNING)


async def test_a_real_hub_takes_the_place_of_this_computers_own(tmp_path: Path) -> None:
    async with a_hub(tmp_path / "hub") as hub, a_running_desk(tmp_path / "pc") as (desk, _):
        await desk.joining.join_own("Anna")
        await until(desk, lambda: is_online(desk))
        wish = Wish(base=hub.settings.local_url, code=await code_of(hub))
        await desk.joining.join(wish)
        await until(desk, lambda: desk.pairing is not None and desk.pairing.hub_url == wish.base)
        await until(desk, lambda: is_online(desk) and desk.local_hub.state is HubState.OFF)
        # And back again: the own hub still knows its person.
        await desk.leave()
        await desk.joining.join_own("Anna")
        await until(desk, lambda: is_online(desk))
        assert desk.pairing is not None
        assert desk.pairing.person_name == "Anna"


async def test_an_own_hub_that_finds_a_stranger_on_its_port_is_found_at_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("desktop.system.local_hub.PORT_SECONDS", 0.3)
    async with a_running_desk(tmp_path) as (desk, _):
        await desk.joining.join_own("Anna")
        port = desk.local_hub.port
    with socket.socket() as stranger:
        stranger.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        stranger.bind(("127.0.0.1", port))
        stranger.listen()
        async with a_running_desk(tmp_path) as (desk, _):
            await until(desk, lambda: is_online(desk))
            assert desk.local_hub.port != port


async def test_who_gives_up_and_begins_again_at_once_gets_there(tmp_path: Path) -> None:
    async with a_running_desk(tmp_path) as (desk, tasks):
        tasks.create_task(desk.joining.join_own("Anna"))
        await until(desk, lambda: desk.local_hub.state is HubState.STARTING)
        desk.joining.cancel()
        await desk.joining.join_own("Anna")
        assert desk.joining.stand.error is None, desk.joining.stand.error
        await until(desk, lambda: is_online(desk))


async def test_a_hub_program_that_is_missing_is_told_and_none_is_wanted_any_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sys

    monkeypatch.setattr(sys, "frozen", True, raising=False)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "deskhand"))
    monkeypatch.setenv("PATH", str(tmp_path))
    async with a_running_desk(tmp_path / "pc") as (desk, _):
        await desk.joining.join_own()
        assert desk.joining.stand.error is not None
        assert desk.joining.stand.error.code == "hub_program_missing"
        assert await desk.database.read(facts.local_hub_port) == 0


@pytest.mark.parametrize(
    ("given", "hub", "code"),
    [
        ("", "", "hub_missing"),
        ("BCDF-GHJK", "", "hub_missing"),
        ("BCDF-GHJ", "hub.example.org", "pairing_code_invalid"),
        ("deskhand://pair?hub=https://a.example", "", "pair_link_invalid"),
        ("BCDFGHJK", "http://hub.example.org", "hub_url_insecure"),
        ("BCDFGHJK", "ftp://hub.example.org", "hub_url_invalid"),
    ],
)
def test_what_cannot_be_asked_is_said_before_anything_is_sent(
    given: str, hub: str, code: str
) -> None:
    with pytest.raises(AppError) as refused:
        read_wish(given, hub)
    assert refused.value.code == code


def test_a_link_brings_its_own_hub() -> None:
    wish = read_wish(" deskhand://pair?hub=https://a.example&code=bcdf-ghjk ", "https://b.example")
    assert wish == Wish(base="https://a.example", code="BCDF-GHJK")
