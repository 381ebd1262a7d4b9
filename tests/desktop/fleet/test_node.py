"""A node works on tickets by its hub's word alone, and loses nothing that came of them."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import psutil
import pytest

from desktop.fleet.node import Node
from desktop.fleet.serving import serving
from desktop.fleet.setup import NodeSetup
from desktop.fleet.work import Took
from desktop.system.paths import Paths
from shared.environment import Environment
from shared.errors import AppError
from shared.events import JobFailed, JobInterrupted, JobLogged, JobSucceeded, QuestionAsked
from tests.brokers.server import free_port
from tests.desktop.fleet.fake_hub import KEY, FakeHub, a_fake_hub

PATIENCE_SECONDS = 30.0


@pytest.fixture
def hub() -> Iterator[FakeHub]:
    with a_fake_hub() as fake:
        yield fake


def a_setup(hub: FakeHub, **more: object) -> NodeSetup:
    setup = NodeSetup(
        hub_url=hub.url,
        key=KEY,
        broker="redis://127.0.0.1:1/0",
        kinds=("play.count",),
        node="node-1",
        kinds_at="tests.flows.play:KINDS",
        executors_at="tests.flows.play:EXECUTORS",
        provider_keys={},
    )
    return replace(setup, **more)  # type: ignore[arg-type]


@contextlib.asynccontextmanager
async def a_node(hub: FakeHub, folder: Path, **more: object) -> AsyncIterator[Node]:
    paths = Paths(data=folder, config=folder, home=folder)
    paths.make()
    async with serving(a_setup(hub, **more), paths, Environment()) as node:
        yield node


async def until(is_so: Callable[[], object]) -> None:
    """Wait for something that the hub's thread or a file tells; neither rings a bell here."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not is_so():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


def lives(pid: int) -> bool:
    """Whether a process still does something; where nobody collects orphans, they stay dead."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def pids_in(folder: Path) -> list[int]:
    return [int(one.read_text() or 0) for one in folder.glob("pid*")]


async def test_a_job_is_begun_told_of_and_ended(hub: FakeHub, tmp_path: Path) -> None:
    ticket = hub.grant("play.count", number=3)
    async with a_node(hub, tmp_path) as node:
        took = await node.take(ticket)

        assert took is Took.SUCCEEDED
        assert hub.types(ticket) == ["job_logged", "job_succeeded"]
        ended = hub.last(ticket)
        assert isinstance(ended, JobSucceeded)
        assert ended.result["headline"] == "Counted to 3."
        await until(lambda: node.held == 0)


async def test_what_another_delivery_runs_is_dropped(hub: FakeHub, tmp_path: Path) -> None:
    ticket = hub.grant("play.count", number=3)
    hub.deliveries[ticket.job_id] = "somebody-else"
    async with a_node(hub, tmp_path) as node:
        assert await node.take(ticket) is Took.STALE
        assert await node.take(ticket.model_copy(update={"fence": 7})) is Took.STALE

    assert hub.types(ticket) == []


async def test_the_same_ticket_twice_is_run_once(hub: FakeHub, tmp_path: Path) -> None:
    marks = tmp_path / "marks"
    ticket = hub.grant("play.effect", text=str(marks), number=200)
    async with a_node(hub, tmp_path) as node:
        both = await asyncio.gather(node.take(ticket), node.take(ticket))
        assert sorted(both) == [Took.STALE, Took.SUCCEEDED]
        assert await node.take(ticket) is Took.STALE

    assert len(marks.read_text().splitlines()) == 1
    assert hub.types(ticket).count("job_succeeded") == 1


async def test_lost_replies_double_nothing(hub: FakeHub, tmp_path: Path) -> None:
    marks = tmp_path / "marks"
    ticket = hub.grant("play.effect", text=str(marks))
    async with a_node(hub, tmp_path) as node:
        hub.lose_replies = 3
        assert await node.take(ticket) is Took.SUCCEEDED

    assert len(marks.read_text().splitlines()) == 1
    assert hub.types(ticket) == ["job_succeeded"]
    assert hub.lose_replies == 0


async def test_a_hub_that_was_away_hears_everything_in_order(hub: FakeHub, tmp_path: Path) -> None:
    ticket = hub.grant("play.steps", text=str(tmp_path))
    async with a_node(hub, tmp_path / "node") as node:
        taking = asyncio.create_task(node.take(ticket))  # noqa: TID251
        await until(lambda: hub.progress)
        hub.is_away = True
        (tmp_path / "ask").touch()
        assert hub.types(ticket) == []
        hub.is_away = False
        await until(lambda: hub.types(ticket) == ["question_asked"])
        asked = hub.last(ticket)
        assert isinstance(asked, QuestionAsked)
        assert await taking is Took.ASKING

        hub.answers[asked.question_id] = "red"
        (tmp_path / "end").touch()
        await until(lambda: "job_succeeded" in hub.types(ticket))

    assert hub.types(ticket) == ["question_asked", "job_resumed", "job_succeeded"]


async def test_a_job_that_asks_gives_its_slot_up(hub: FakeHub, tmp_path: Path) -> None:
    ticket = hub.grant("play.ask")
    async with a_node(hub, tmp_path) as node:
        assert await node.take(ticket) is Took.ASKING
        assert node.held == 1

        await until(lambda: hub.types(ticket) == ["question_asked"])
        asked = hub.last(ticket)
        assert isinstance(asked, QuestionAsked)
        hub.answers[asked.question_id] = "blue"

        await until(lambda: node.held == 0)
    ended = hub.last(ticket)
    assert isinstance(ended, JobSucceeded)
    assert ended.result["text"] == "blue"


async def test_an_answer_that_was_not_offered_fails_the_job(hub: FakeHub, tmp_path: Path) -> None:
    ticket = hub.grant("play.ask")
    async with a_node(hub, tmp_path) as node:
        await node.take(ticket)
        await until(lambda: hub.types(ticket) == ["question_asked"])
        asked = hub.last(ticket)
        assert isinstance(asked, QuestionAsked)
        hub.answers[asked.question_id] = "green"
        await until(lambda: node.held == 0)

    ended = hub.last(ticket)
    assert isinstance(ended, JobFailed)
    assert ended.error.code == "answer_invalid"


async def test_a_question_that_is_parked_ends_the_child(hub: FakeHub, tmp_path: Path) -> None:
    ticket = hub.grant("play.ask")
    async with a_node(hub, tmp_path) as node:
        await node.take(ticket)
        await until(lambda: hub.types(ticket) == ["question_asked"])
        asked = hub.last(ticket)
        assert isinstance(asked, QuestionAsked)
        hub.parked.add(asked.question_id)
        await until(lambda: node.held == 0)

    assert hub.types(ticket) == ["question_asked", "job_parked"]


async def test_a_stop_ends_the_whole_tree(hub: FakeHub, tmp_path: Path) -> None:
    ticket = hub.grant("play.tree", text=str(tmp_path / "pid"))
    async with a_node(hub, tmp_path / "node") as node:
        taking = asyncio.create_task(node.take(ticket))  # noqa: TID251
        await until(lambda: len(list(tmp_path.glob("pid*"))) == 2)
        await until(lambda: all(pids_in(tmp_path)))
        pids = pids_in(tmp_path)
        hub.stops[ticket.job_id] = "anna cancelled it"

        assert await taking is Took.CANCELLED
    assert hub.types(ticket) == ["job_cancelled"]
    await until(lambda: not any(map(lives, pids)))


async def test_a_newer_grant_ends_what_is_left_of_the_older(hub: FakeHub, tmp_path: Path) -> None:
    ticket = hub.grant("play.hang")
    async with a_node(hub, tmp_path) as node:
        older = asyncio.create_task(node.take(ticket))  # noqa: TID251
        await until(lambda: hub.progress)
        newer = hub.grant("play.count", fence=2, job_id=ticket.job_id)

        assert await node.take(newer) is Took.SUCCEEDED
        assert await older is Took.STALE
    assert hub.types(ticket) == ["job_logged", "job_succeeded"]


async def test_a_forged_newer_ticket_ends_nothing(hub: FakeHub, tmp_path: Path) -> None:
    ticket = hub.grant("play.hang")
    async with a_node(hub, tmp_path) as node:
        taking = asyncio.create_task(node.take(ticket))  # noqa: TID251
        await until(lambda: hub.progress)

        assert await node.take(ticket.model_copy(update={"fence": 9})) is Took.STALE
        assert not taking.done()
        hub.stops[ticket.job_id] = "it is enough"
        assert await taking is Took.CANCELLED


async def test_a_ticket_that_the_hub_cannot_read_is_not_given_back(
    hub: FakeHub, tmp_path: Path
) -> None:
    ticket = hub.grant("play.count", number=3)
    hub.refuse["start"] = (422, "request_invalid")
    async with a_node(hub, tmp_path) as node:
        assert await node.take(ticket) is Took.STALE


async def test_a_job_that_has_begun_goes_on_whatever_its_ticket_called_it(
    hub: FakeHub, tmp_path: Path
) -> None:
    ticket = hub.grant("play.count", number=3).model_copy(update={"kind": "play.hang"})
    async with a_node(hub, tmp_path) as node:
        assert await node.take(ticket) is Took.SUCCEEDED

        other = hub.grant("play.tree").model_copy(update={"kind": "play.hang"})
        assert await node.take(other) is Took.STALE


async def test_a_stop_of_before_the_start_stops_nothing(hub: FakeHub, tmp_path: Path) -> None:
    ticket = hub.grant("play.steps", text=str(tmp_path))
    hub.crossing = ticket.job_id
    async with a_node(hub, tmp_path / "node") as node:
        taking = asyncio.create_task(node.take(ticket))  # noqa: TID251
        await until(lambda: hub.is_crossed)
        count = len(hub.beats)
        await until(lambda: len(hub.beats) > count + 1)  # the answer that crossed has been heard
        assert hub.types(ticket) == []

        hub.stops[ticket.job_id] = "it is enough"
        assert await taking is Took.CANCELLED


async def test_what_was_lost_to_others_is_stopped(hub: FakeHub, tmp_path: Path) -> None:
    ticket = hub.grant("play.flood")
    hub.refuse["events"] = (409, "fence_stale")
    async with a_node(hub, tmp_path) as node:
        assert await node.take(ticket) is Took.STALE
        await until(lambda: node.held == 0)


async def test_a_result_that_the_hub_refuses_fails_the_job(hub: FakeHub, tmp_path: Path) -> None:
    ticket = hub.grant("play.count")
    hub.unwanted = {"job_succeeded"}
    async with a_node(hub, tmp_path) as node:
        await node.take(ticket)
        await until(lambda: node.held == 0)

    ended = hub.last(ticket)
    assert isinstance(ended, JobFailed)
    assert ended.error.code == "result_invalid"


async def test_nothing_is_stuck_when_the_hub_takes_no_outcome(hub: FakeHub, tmp_path: Path) -> None:
    ticket = hub.grant("play.count")
    hub.unwanted = {"job_succeeded", "job_failed"}
    async with a_node(hub, tmp_path) as node:
        await node.take(ticket)
        await until(lambda: node.held == 0)
        await until(lambda: not hub.beats[-1].held)


async def test_a_key_that_is_refused_ends_the_node(hub: FakeHub, tmp_path: Path) -> None:
    with pytest.raises(AppError) as caught:
        async with a_node(hub, tmp_path, key="dhf_" + "x" * 43):
            pass
    assert caught.value.code == "key_invalid"

    async with a_node(hub, tmp_path / "later") as node:
        hub.refuse["beat"] = (403, "key_scope")
        async with asyncio.timeout(PATIENCE_SECONDS):
            await node.done.wait()
    assert node.error is not None
    assert node.error.code == "key_scope"


async def test_draining_takes_nothing_and_finishes_what_is_there(
    hub: FakeHub, tmp_path: Path
) -> None:
    marks = tmp_path / "marks"
    ticket = hub.grant("play.effect", text=str(marks), number=300)
    asks = hub.grant("play.ask")
    async with a_node(hub, tmp_path / "node") as node:
        taking = asyncio.create_task(node.take(ticket))  # noqa: TID251
        await node.take(asks)
        await until(marks.exists)
        hub.must_drain = True
        await until(lambda: node.is_draining)

        assert await node.take(hub.grant("play.count")) is Took.BACK
        async with asyncio.timeout(PATIENCE_SECONDS):
            await node.done.wait()
        assert await taking is Took.SUCCEEDED
    assert hub.types(asks)[-1] == "job_parked"
    assert hub.beats[-1].is_draining
    assert hub.beats[-1].held == ()


async def test_a_drain_that_takes_too_long_puts_jobs_down(hub: FakeHub, tmp_path: Path) -> None:
    again, once = hub.grant("play.hang"), hub.grant("play.hang_once", text=str(tmp_path / "x"))
    async with a_node(hub, tmp_path / "node", drain_seconds=0.05) as node:
        both = asyncio.gather(node.take(again), node.take(once))
        await until(lambda: len(hub.progress) == 2)
        node.drain("SIGTERM")
        async with asyncio.timeout(PATIENCE_SECONDS):
            await node.done.wait()
        assert set(await both) == {Took.FAILED}

    put_down = hub.last(again)
    assert isinstance(put_down, JobFailed)
    assert (put_down.error.code, put_down.error.retryable) == ("node_ended", True)
    assert isinstance(hub.last(once), JobInterrupted)


async def test_a_ticket_that_no_hub_lets_begin_is_given_back_at_the_drain(
    hub: FakeHub, tmp_path: Path
) -> None:
    ticket = hub.grant("play.count")
    async with a_node(hub, tmp_path) as node:
        hub.is_away = True
        taking = asyncio.create_task(node.take(ticket))  # noqa: TID251
        await until(lambda: node.held == 1)
        node.drain("SIGTERM")

        assert await taking is Took.BACK
        hub.is_away = False
    assert hub.types(ticket) == []


async def test_beats_tell_what_is_in_hand(hub: FakeHub, tmp_path: Path) -> None:
    ticket = hub.grant("play.hang")
    async with a_node(hub, tmp_path, pool="small", instance="box-7", slots=3) as node:
        taking = asyncio.create_task(node.take(ticket))  # noqa: TID251
        await until(lambda: hub.beats[-1].held)

        beat = hub.beats[-1]
        assert (beat.node, beat.pool, beat.instance, beat.slots) == ("node-1", "small", "box-7", 3)
        assert [one.job_id for one in beat.held] == [ticket.job_id]
        assert beat.metrics is not None
        hub.stops[ticket.job_id] = "it is enough"
        await taking


async def test_figures_are_served_where_it_is_asked_for(hub: FakeHub, tmp_path: Path) -> None:
    port = free_port()
    async with a_node(hub, tmp_path, metrics=f"127.0.0.1:{port}") as node:
        await node.take(hub.grant("play.count"))
        await node.take(hub.grant("play.ask"))
        async with httpx.AsyncClient(trust_env=False) as client:
            told = (await client.get(f"http://127.0.0.1:{port}/metrics")).text

    assert 'deskhand_worker_jobs{state="asking"} 1.0' in told, told


async def test_log_lines_come_once_and_in_order(hub: FakeHub, tmp_path: Path) -> None:
    ticket = hub.grant("play.flood")
    async with a_node(hub, tmp_path) as node:
        assert await node.take(ticket) is Took.SUCCEEDED

    lines = [line for one in hub.events if isinstance(one, JobLogged) for line in one.lines]
    assert lines[:10_000] == [f"line {number}" for number in range(10_000)]
    assert len(lines) == 10_001
