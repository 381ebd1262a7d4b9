"""The worker socket on a real server: the round trip, and what hostile or broken peers get."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from hub.app import Hub, running
from hub.services.requests import Request
from hub.settings import Settings
from shared.errors import ErrorBody
from shared.events import JobStarted, JobSucceeded, TaskCreated, write_event
from shared.ids import PersonId, TaskId, WorkerId
from shared.jobs import JobState
from shared.messages import (
    Accept,
    Ack,
    Beat,
    Bye,
    Cancel,
    Decline,
    Events,
    Fault,
    Grant,
    Held,
    HeldState,
    Offer,
    Progress,
    Push,
    Seen,
    Welcome,
)
from shared.protocol import Beats
from tests.hub.engines.plugs import PATIENCE_SECONDS, Plug, owner, pair, plugged, socket_url
from tests.makers import KINDS, NOON


@pytest_asyncio.fixture
async def hub(tmp_path: Path) -> AsyncIterator[Hub]:
    async with running(Settings(port=0, data=tmp_path), kinds=KINDS) as hub:
        yield hub


async def request(hub: Hub, kind: str = "probe.run") -> str:
    person = await owner(hub)
    receipt = await hub.services.intake.request(Request(person_id=person.person_id, kind=kind))
    return receipt.card.job_id


async def welcomed(plug: Plug, *held: Held) -> Welcome:
    plug.end.hello(plug.introduction(held=held))
    await plug.flush()
    return await plug.until(Welcome)


async def granted(plug: Plug) -> Grant:
    offer = await plug.until(Offer)
    await plug.say(Accept(job_id=offer.job.job_id, attempt=offer.attempt))
    return await plug.until(Grant)


async def told_of(plug: Plug, wanted: str) -> None:
    """Follow the hub's log up to an event of a type."""
    types: list[str] = []
    while wanted not in types:
        events = await plug.until(Events)
        plug.end.applied(events.upto)
        await plug.flush()
        types = [numbered.event.type for numbered in events.events]


def names(grant: Grant) -> dict[str, object]:
    return {"job_id": grant.job_id, "attempt": grant.attempt, "fence": grant.fence}


def done(grant: Grant) -> JobSucceeded:
    return JobSucceeded.model_validate(
        {**names(grant), "result": {"headline": "Done."}, "running_seconds": 0}
    )


async def until_gone(hub: Hub, worker_id: WorkerId) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while worker_id in hub.engine.connected():  # noqa: ASYNC110 - it rings no bell for this
            await asyncio.sleep(0.01)


async def test_a_job_goes_round(hub: Hub) -> None:
    paired = await pair(hub)
    async with plugged(hub, paired) as plug:
        await welcomed(plug)
        job_id = await request(hub)
        grant = await granted(plug)
        await plug.report(JobStarted.model_validate(names(grant)), done(grant))
        assert (await plug.until(Ack)).seq == 2
    card = await hub.services.views.job(None, job_id)  # type: ignore[arg-type]
    assert card.state is JobState.SUCCEEDED


async def test_a_worker_at_rest_has_one_task_in_the_hub(hub: Hub) -> None:
    alone = asyncio.all_tasks()
    async with contextlib.AsyncExitStack() as held:
        plugs = [await held.enter_async_context(plugged(hub, await pair(hub))) for _ in range(3)]
        for plug in plugs:
            await welcomed(plug)
            await told_of(plug, "worker_offers")

        def serving() -> int:
            named = [str(task.get_coro()) for task in asyncio.all_tasks() - alone]
            return sum("Connection._" in name or "run_asgi" in name for name in named)

        async with asyncio.timeout(PATIENCE_SECONDS):
            while serving() > len(plugs):  # noqa: ASYNC110 - it rings no bell for this
                await asyncio.sleep(0.01)
        assert serving() == len(plugs)
        await request(hub)
        for plug in plugs:
            await told_of(plug, "job_queued")
        assert hub.services.feed._gathering
    for plug in plugs:
        await until_gone(hub, plug.paired.worker_id)
    assert not hub.services.feed._gathering, "the feed has no bell of a worker that is gone"


async def test_a_worker_gets_its_persons_log_and_nobody_elses(hub: Hub) -> None:
    stranger = await hub.services.registry.add_person("stranger")
    for kind in ("probe.run", "code.push"):
        await hub.services.intake.request(Request(person_id=stranger.person_id, kind=kind))
    paired = await pair(hub)
    async with plugged(hub, paired) as plug:
        await welcomed(plug)
        events = await plug.until(Events)
        assert [n.event.type for n in events.events] == ["worker_paired", "worker_offers"]
        plug.end.applied(events.upto)
        await plug.flush()
        await request(hub)
        seen: list[str] = []
        while "job_queued" not in seen:
            events = await plug.until(Events)
            seen += [n.event.type for n in events.events]
        assert seen == ["task_created", "job_queued"]


async def test_a_lost_line_goes_on_where_it_was(hub: Hub) -> None:
    paired = await pair(hub)
    await request(hub)
    async with plugged(hub, paired) as plug:
        await welcomed(plug)
        grant = await granted(plug)
    await until_gone(hub, paired.worker_id)
    async with plugged(hub, paired) as plug:
        mine = Held(**names(grant), state=HeldState.GRANTED)
        welcome = await welcomed(plug, mine)
        assert [v.decision for v in welcome.verdicts] == ["keep"]
        await plug.report(JobStarted.model_validate(names(grant)), done(grant))
        assert (await plug.until(Ack)).seq == 2


async def test_a_second_connection_takes_the_place_of_the_first(hub: Hub) -> None:
    paired = await pair(hub)
    async with plugged(hub, paired) as first, plugged(hub, paired) as second:
        await welcomed(first)
        await welcomed(second)
        bye = await first.until(Bye)
        assert bye.error is not None
        assert bye.error.code == "connection_replaced"
        await first.closed()
        await request(hub)
        await second.until(Offer)


async def test_a_revoked_worker_is_cut_off_and_stays_out(hub: Hub) -> None:
    paired = await pair(hub)
    async with plugged(hub, paired) as plug:
        await welcomed(plug)
        person = await owner(hub)
        began = time.monotonic()
        await hub.services.registry.revoke(person.person_id, paired.worker_id, "me")
        bye = await plug.until(Bye)
        assert bye.error is not None
        assert bye.error.code == "worker_revoked"
        await plug.closed()
        assert time.monotonic() - began < 1
    with pytest.raises(InvalidStatus) as caught:
        async with plugged(hub, paired):
            pass
    assert caught.value.response.status_code == 401


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer nonsense"},
        {"Authorization": "Bearer dh_worker_018f_" + "x" * 43},
        {"Authorization": "Basic YTpi"},
    ],
)
async def test_without_a_good_token_no_frame_is_read(hub: Hub, headers: dict[str, str]) -> None:
    with pytest.raises(InvalidStatus) as caught:
        async with connect(socket_url(hub), additional_headers=headers):
            pass
    response = caught.value.response
    assert response.status_code == 401
    assert response.body is not None
    assert json.loads(response.body)["code"] == "key_invalid"


async def test_the_admin_key_and_web_pages_do_not_open_the_worker_socket(hub: Hub) -> None:
    admin = hub.settings.admin_key_file.read_text().strip()
    paired = await pair(hub)
    for headers in (
        {"Authorization": f"Bearer {admin}"},
        {"Authorization": f"Bearer {paired.token}", "Origin": "https://evil.example"},
    ):
        with pytest.raises(InvalidStatus) as caught:
            async with connect(socket_url(hub), additional_headers=headers):
                pass
        assert caught.value.response.status_code == 401


DEEP = '{"type":"beat","held":' + "[" * 200 + "]" * 200 + "}"


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        ("not json", 1007),
        ("[]", 1007),
        ('{"type":"welcome"}', 1008),
        ('{"type":"dance"}', 1008),
        ('{"type":"accept","job_id":1,"attempt":0}', 1008),
        (DEEP, 1008),
        (b"\x00\x01", 1003),
        ("x" * 300_000, 1009),
        ('{"type":"seen","hub_seq":999999}', 1002),
    ],
)
async def test_a_broken_frame_ends_the_connection_with_its_code(
    hub: Hub, frame: str | bytes, code: int
) -> None:
    paired = await pair(hub)
    async with plugged(hub, paired) as plug:
        await welcomed(plug)
        await plug.socket.send(frame)
        assert await plug.closed() == code
    # The hub goes on, and so does the worker on its next line.
    async with plugged(hub, paired) as plug:
        await welcomed(plug)


async def test_speaking_before_the_hello_or_as_somebody_else_ends_it(hub: Hub) -> None:
    paired = await pair(hub)
    async with plugged(hub, paired) as plug:
        await plug.say(Seen(hub_seq=0))
        assert await plug.closed() == 1002
    async with plugged(hub, paired) as plug:
        await plug.say(plug.introduction(device=WorkerId("another")))
        bye = await plug.until(Bye)
        assert bye.error is not None
        assert bye.error.code == "device_foreign"
        await plug.closed()
    async with plugged(hub, paired) as plug:
        await plug.say(plug.introduction(protocol_min=7, protocol_max=9))
        bye = await plug.until(Bye)
        assert bye.error is not None
        assert bye.error.code == "protocol_version"


async def test_an_event_of_another_device_ends_the_connection(hub: Hub) -> None:
    paired = await pair(hub)
    async with plugged(hub, paired) as plug:
        await welcomed(plug)
        body = TaskCreated(task_id=TaskId("t"), person_id=PersonId("p"), text="x")
        await plug.say(Push(events=(write_event(body, device="hub", epoch=1, seq=1, at=NOON),)))
        assert await plug.closed() == 1008


async def test_an_evil_worker_that_speaks_of_all_jobs_changes_none(hub: Hub) -> None:
    good, evil = await pair(hub), await pair(hub, "evil")
    job_id = await request(hub)
    async with plugged(hub, good) as plug, plugged(hub, evil) as mallory:
        await welcomed(plug)
        grant = await granted(plug)
        mallory.end.hello(
            mallory.introduction(
                slots=0,
                held=(Held(job_id=grant.job_id, attempt=1, fence=1, state=HeldState.RUNNING),),
            )
        )
        await mallory.flush()
        welcome = await mallory.until(Welcome)
        assert [v.decision for v in welcome.verdicts] == ["abort"]
        await mallory.report(done(grant))
        fault = await mallory.until(Fault)
        assert fault.error.code == "job_foreign"
        told: list[object] = []
        hub.services.feed.progress_listeners.append(lambda *progress: told.append(progress))
        refusal = ErrorBody(code="no", message="No.")
        for message in (
            Progress(job_id=grant.job_id, attempt=1, stage="evil", done=1, total=1),
            Decline(job_id=grant.job_id, attempt=1, error=refusal),
            Accept(job_id=grant.job_id, attempt=1),
        ):
            await mallory.say(message)
        assert (await mallory.until(Cancel)).job_id == grant.job_id
        assert told == []
        await plug.say(Progress(job_id=grant.job_id, attempt=1, stage="x", done=1, total=2))
        await plug.report(done(grant))
        await plug.until(Ack)
        assert len(told) == 1
    card = await hub.services.views.job(None, job_id)  # type: ignore[arg-type]
    assert card.state is JobState.SUCCEEDED
    assert card.worker_id == good.worker_id


async def test_a_worker_that_does_not_read_is_let_go(hub: Hub) -> None:
    paired = await pair(hub)
    async with plugged(hub, paired) as plug:
        await welcomed(plug)
        plug.socket.transport.pause_reading()
        reason = "x" * 400
        job = Cancel(job_id=await request(hub), attempt=1, reason=reason)
        sent = 0
        async with asyncio.timeout(PATIENCE_SECONDS):
            while hub.engine.send(paired.worker_id, job):
                sent += 1
                if sent % 500 == 0:
                    await asyncio.sleep(0)
        assert sent > 4000
        plug.socket.transport.abort()
    await until_gone(hub, paired.worker_id)


async def test_silence_ends_the_connection(hub: Hub) -> None:
    paired = await pair(hub)
    async with plugged(hub, paired) as plug:
        await welcomed(plug)
        [connection] = hub.engine._all
        connection.poll(time.monotonic() + 20)
        assert await plug.socket.recv()
        connection.poll(time.monotonic() + 46)
        bye = await plug.until(Bye)
        assert bye.error is not None
        assert bye.error.code == "peer_silent"
    await until_gone(hub, paired.worker_id)
    # Waiting longer is of no use: its idempotent work may go elsewhere at once.
    assert hub.services.rescuer._board.gone_until[paired.worker_id] <= time.monotonic()


async def test_a_beat_tells_slots(hub: Hub) -> None:
    paired = await pair(hub)
    async with plugged(hub, paired) as plug:
        await plug.say(plug.introduction(slots=0))
        await plug.until(Welcome)
        await request(hub)
        await plug.say(Beat(slots=1))
        await plug.until(Offer)


async def test_a_hub_with_other_beats_tells_them_and_gives_up_a_silent_worker(
    tmp_path: Path,
) -> None:
    beats = Beats(every_seconds=0.1, dead_seconds=0.3)
    async with (
        running(Settings(port=0, data=tmp_path), kinds=KINDS, beats=beats) as hub,
        plugged(hub, await pair(hub)) as plug,
    ):
        welcome = await welcomed(plug)
        told = welcome.limits
        assert (told.beat_seconds, told.dead_seconds) == (0.1, 0.3)
        bye = await plug.until(Bye)
        assert bye.error is not None
        assert bye.error.code == "peer_silent"


async def test_a_stopping_hub_says_goodbye_and_grants_stay(tmp_path: Path) -> None:
    settings = Settings(port=0, data=tmp_path)
    async with running(settings, kinds=KINDS) as hub:
        paired = await pair(hub)
        job_id = await request(hub)
        plug_context = plugged(hub, paired)
        plug = await plug_context.__aenter__()
        await welcomed(plug)
        grant = await granted(plug)
    bye = await plug.until(Bye)
    assert bye.error is None
    await plug.closed()
    await plug_context.__aexit__(None, None, None)
    async with running(settings, kinds=KINDS) as hub, plugged(hub, paired) as plug:
        mine = Held(**names(grant), state=HeldState.RUNNING)
        welcome = await welcomed(plug, mine)
        assert [v.decision for v in welcome.verdicts] == ["keep"]
        card = await hub.services.views.job(None, job_id)  # type: ignore[arg-type]
        assert card.state is JobState.GRANTED


@pytest.mark.parametrize("says_goodbye", [True, False])
async def test_a_worker_that_says_goodbye_counts_as_stopped(hub: Hub, says_goodbye: bool) -> None:
    paired = await pair(hub)
    async with plugged(hub, paired) as plug:
        await welcomed(plug)
        if says_goodbye:
            await plug.say(Bye())
    board = hub.services.absences._board
    async with asyncio.timeout(PATIENCE_SECONDS):
        while paired.worker_id in board.present:  # noqa: ASYNC110 - it rings no bell for this
            await asyncio.sleep(0.01)
    assert (paired.worker_id in board.stopped) is says_goodbye
