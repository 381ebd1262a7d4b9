"""How the line ends, what the person is told of it, and when it is tried again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from http import HTTPStatus
from pathlib import Path

import pytest

from desktop.core.attempt import AttemptState
from desktop.core.link import LinkState, LinkStatus
from desktop.store import journal
from desktop.system.waking import AddressNews
from shared.environment import Environment
from shared.errors import ErrorBody
from shared.events import TaskRequested, WorkerPaired
from shared.messages import (
    Accept,
    Bye,
    Offer,
)
from tests.desktop.link.hub_double import HubDouble
from tests.desktop.link.workers import WORKER, granted, offered, spec, working
from tests.desktop.runner import hard_executors

ROOT = Path(__file__).parents[3]
HOST = "127.0.0.1"


@pytest.fixture(autouse=True)
def _importable(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let children import the executors of these tests."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))


def names_in(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


@pytest.fixture
async def hub() -> AsyncIterator[HubDouble]:
    async with HubDouble().serving() as double:
        yield double


async def test_a_worker_that_was_shown_out_stops_trying(hub: HubDouble, tmp_path: Path) -> None:
    hub.refuses_with = HTTPStatus.UNAUTHORIZED
    async with working(tmp_path, hub.base) as worker:
        refused = await worker.until_state(LinkState.REFUSED)
    assert refused.error is not None
    assert "pair" in refused.error.hint.lower()
    assert not hub.hellos


@pytest.mark.parametrize("code", ["worker_revoked", "worker_unknown", "key_invalid"])
async def test_a_goodbye_for_good_ends_the_tries(hub: HubDouble, tmp_path: Path, code: str) -> None:
    async with working(tmp_path, hub.base) as worker:
        await worker.until_state(LinkState.ONLINE)
        await hub.say(Bye(error=ErrorBody(code=code, message="Out.", hint="Pair it again.")))
        await worker.until_state(LinkState.REFUSED)
    assert len(hub.hellos) == 1


async def test_the_earlier_of_two_programs_with_one_token_stops_and_says_so(
    hub: HubDouble, tmp_path: Path
) -> None:
    async with working(tmp_path, hub.base) as worker:
        await worker.until_state(LinkState.ONLINE)
        await hub.say(Bye(error=ErrorBody(code="connection_replaced", message="Again.")))
        refused = await worker.until_state(LinkState.REFUSED, "connection_replaced")
    assert refused.error is not None
    assert "Another program" in refused.error.message
    assert "revoke" in refused.error.hint
    assert len(hub.hellos) == 1


async def test_the_reason_of_an_end_is_read_even_when_nothing_can_be_said_any_more(
    hub: HubDouble, tmp_path: Path
) -> None:
    """The goodbye lies behind events: what the worker says to them meets a closed line."""
    async with working(tmp_path, hub.base) as worker:
        await worker.until_state(LinkState.ONLINE)
        for _ in range(20):
            await hub.publish(WorkerPaired(worker_id=WORKER, name="anna-pc"))
        await hub.say(Bye(error=ErrorBody(code="connection_replaced", message="Again.")))
        await hub.close()
        await worker.until_state(LinkState.REFUSED, "connection_replaced")
    assert len(hub.hellos) == 1


async def test_new_tools_are_told_to_the_hub_once_they_stay(
    hub: HubDouble, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(hard_executors.EXECUTORS, "hard.hang_once")
    async with working(tmp_path, hub.base) as worker:
        await worker.until_state(LinkState.ONLINE)
        worker.agent.station.beat()
        monkeypatch.undo()
        monkeypatch.setenv("PYTHONPATH", str(ROOT))
        worker.agent.station.beat()
        assert len(hub.hellos) == 1, "seen once, it may be half installed"
        worker.agent.station.beat()
        await hub.until(lambda: len(hub.hellos) == 2)
        await hub.until(lambda: worker.statuses.count(LinkStatus(state=LinkState.ONLINE)) == 2)
        before, after = ({c.kind for c in hello.capabilities} for hello in hub.hellos)
        assert after - before == {"hard.hang_once"}
        assert LinkState.OFFLINE not in [status.state for status in worker.statuses]


async def test_a_full_hub_is_named_and_tried_again(hub: HubDouble, tmp_path: Path) -> None:
    hub.refuses_with = HTTPStatus.SERVICE_UNAVAILABLE
    async with working(tmp_path, hub.base) as worker:
        full = await worker.until_state(LinkState.OFFLINE, "hub_full")
        assert full.next_try_seconds is not None
        hub.refuses_with = None
        await worker.until_state(LinkState.ONLINE)


async def test_a_hub_that_closes_for_want_of_room_is_named_full(
    hub: HubDouble, tmp_path: Path
) -> None:
    hub.closes_with = 1013
    async with working(tmp_path, hub.base) as worker:
        await worker.until_state(LinkState.OFFLINE, "hub_full")


async def test_a_hub_of_another_protocol_is_named(hub: HubDouble, tmp_path: Path) -> None:
    hub.is_welcoming = False
    async with working(tmp_path, hub.base) as worker:
        await hub.until(lambda: hub.hellos)
        told = ErrorBody(code="protocol_version", message="Other.", hint="Update the worker.")
        await hub.say(Bye(error=told))
        offline = await worker.until_state(LinkState.OFFLINE, "protocol_version")
    assert offline.error == told


async def test_a_hub_that_is_down_is_named_with_the_next_try(tmp_path: Path) -> None:
    async with HubDouble().serving() as gone:
        base = gone.base
    async with working(tmp_path, base) as worker:
        down = await worker.until_state(LinkState.OFFLINE, "hub_unreachable")
    assert down.next_try_seconds is not None
    assert 0 < down.next_try_seconds < 60


async def test_an_acknowledgement_is_kept_across_a_restart(hub: HubDouble, tmp_path: Path) -> None:
    async with working(tmp_path, hub.base) as worker:
        await worker.until_state(LinkState.ONLINE)
        await granted(hub, spec("hard.brief"))
        await hub.until_event("job_succeeded")
        await hub.until(lambda: not worker.agent.attempts)
    async with working(tmp_path, hub.base):
        await hub.until(lambda: len(hub.hellos) == 2)
    assert hub.hellos[1].outbox_seq == 2
    assert len(hub.events) == 2, "nothing is told twice"


async def test_a_full_disk_ends_the_line_with_its_reason_and_passes(
    hub: HubDouble, tmp_path: Path
) -> None:
    async with working(tmp_path, hub.base, slots=60) as worker:
        await worker.until_state(LinkState.ONLINE)
        store = worker.agent._hands._database
        # SQLite itself says that it is full, as it does on a full disk.
        await store.write(lambda connection: connection.execute("pragma max_page_count = 1"))
        jobs = [spec("hard.brief") for _ in range(50)]
        for job in jobs:
            await hub.say(Offer(job=job, attempt=1, expires_in_seconds=30))
        await worker.until_state(LinkState.OFFLINE, "disk_full")
        await store.write(lambda connection: connection.execute("pragma max_page_count = 100000"))
        await hub.until(lambda: len(hub.hellos) >= 2 and hub.hellos[-1].held)
        said_yes = {m.job_id for m in hub.heard if isinstance(m, Accept)}
        in_store = {attempt.spec.job_id for attempt in await store.read(journal.attempts)}
        assert len(in_store) < len(jobs)
        assert said_yes <= in_store, "nothing was promised that is not in the store"
        assert {held.job_id for held in hub.hellos[1].held} <= in_store


async def test_a_worker_that_is_stopped_says_goodbye(hub: HubDouble, tmp_path: Path) -> None:
    async with working(tmp_path, hub.base) as worker:
        await worker.until_state(LinkState.ONLINE)
    await hub.until(lambda: any(isinstance(message, Bye) for message in hub.heard))
    assert hub.heard[-1] == Bye()


async def test_who_cannot_wait_ends_the_wait(hub: HubDouble, tmp_path: Path) -> None:
    hub.refuses_with = HTTPStatus.SERVICE_UNAVAILABLE
    longest = Environment(entropy=lambda count: b"\xff" * count)
    async with working(tmp_path, hub.base, environment=longest) as worker:
        await worker.until(lambda: (worker.statuses[-1].next_try_seconds or 0) > 3)
        hub.refuses_with = None
        async with asyncio.timeout(1.5):
            worker.agent.hurry()
            await worker.until_state(LinkState.ONLINE)


async def test_hurrying_leaves_a_line_alone_that_is_up(hub: HubDouble, tmp_path: Path) -> None:
    async with working(tmp_path, hub.base) as worker:
        await worker.until_state(LinkState.ONLINE)
        worker.agent.hurry()
        await granted(hub, spec("hard.brief"))
        assert len(hub.hellos) == 1


async def test_after_a_sleep_the_old_line_is_not_believed(hub: HubDouble, tmp_path: Path) -> None:
    async with working(tmp_path, hub.base) as worker:
        await worker.until_state(LinkState.ONLINE)
        async with asyncio.timeout(2):
            worker.agent.woke()
            await hub.until(lambda: len(hub.hellos) == 2)
        assert LinkState.OFFLINE not in [status.state for status in worker.statuses]


async def test_a_try_that_a_sleep_has_cut_is_begun_anew(tmp_path: Path) -> None:
    """Who answers takes the call and says nothing: that try alone would last ten seconds."""
    calls: asyncio.Queue[asyncio.StreamWriter] = asyncio.Queue()
    server = await asyncio.start_server(lambda _reader, writer: calls.put_nowait(writer), HOST, 0)
    async with server:
        base = f"http://{HOST}:{server.sockets[0].getsockname()[1]}"
        async with working(tmp_path, base) as worker, asyncio.timeout(3):
            first = await calls.get()
            worker.agent.woke()
            (await calls.get()).close()
            first.close()


async def test_a_line_from_an_address_that_went_is_dead(hub: HubDouble, tmp_path: Path) -> None:
    async with working(tmp_path, hub.base) as worker:
        await worker.until_state(LinkState.ONLINE)
        worker.agent.address_changed(AddressNews("192.0.2.1", is_new=False))
        worker.agent.address_changed(AddressNews(HOST, is_new=False))
        await hub.until(lambda: len(hub.hellos) == 2)
        await worker.until(lambda: worker.statuses[-1].state is LinkState.ONLINE)
        assert len(hub.hellos) == 2, "the other address was not this line's"


async def test_an_offer_of_a_hub_that_is_gone_keeps_no_slot_from_what_was_asked_for_here(
    hub: HubDouble, tmp_path: Path
) -> None:
    async with working(tmp_path, hub.base, slots=1) as worker:
        await worker.until_state(LinkState.ONLINE)
        assert isinstance(await offered(hub, spec("hard.hang")), Accept)
        hub.refuses_with = HTTPStatus.SERVICE_UNAVAILABLE
        await hub.cut()
        await worker.until_state(LinkState.OFFLINE)
        own = spec("hard.hang")
        body = TaskRequested(task_id=own.task_id, job_id=own.job_id, kind=own.kind)

        await worker.agent.say(body)

        states = {a.spec.job_id: a.state for a in worker.agent.attempts}
        assert states[own.job_id] is AttemptState.RUNNING
