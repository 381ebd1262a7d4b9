"""Grants without an offer: a worker begins what it has said yes to ahead, and nothing else."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from desktop.core.link import LinkState
from desktop.core.policy import Policy
from desktop.store import journal
from shared.errors import Unavailable
from shared.jobs import JobSpec, Origin
from shared.messages import Decline, Grant, HeldState
from tests.desktop.link.hub_double import HubDouble
from tests.desktop.link.workers import granted, offered, spec, working


@pytest.fixture
async def hub() -> AsyncIterator[HubDouble]:
    async with HubDouble().serving() as double:
        yield double


async def until_open(hub: HubDouble) -> None:
    await hub.until(lambda: hub.end is not None and hub.end.phase == "open")


def unasked(job: JobSpec, *, attempt: int = 1, fence: int = 1) -> Grant:
    return Grant(job_id=job.job_id, attempt=attempt, fence=fence, job=job)


async def refusal(hub: HubDouble, grant: Grant) -> Decline:
    """Send a grant that is not taken, and return what the worker says to it."""
    await hub.say(grant)

    def said() -> list[Decline]:
        return [m for m in hub.heard if isinstance(m, Decline) and m.job_id == grant.job_id]

    await hub.until(said)
    return said()[-1]


async def test_it_says_ahead_what_it_takes_and_from_where(hub: HubDouble, tmp_path: Path) -> None:
    async with working(tmp_path, hub.base):
        await until_open(hub)
    said = {one.kind: one.unasked for one in hub.hellos[0].capabilities}
    assert said["hard.hang"] == (Origin.CHAT,), "its owner's rules allow it from chats alone"
    assert said["hard.hang_once"] == (), "a second run may do harm: it wants to be asked"


async def test_what_it_takes_unasked_it_begins(hub: HubDouble, tmp_path: Path) -> None:
    job = spec("hard.brief")
    async with working(tmp_path, hub.base) as worker:
        await until_open(hub)
        await hub.say(unasked(job, fence=4))
        begun = await hub.until_event("job_started")
        assert (begun.job_id, begun.attempt, begun.fence) == (job.job_id, 1, 4)  # type: ignore[union-attr]
        await hub.until_event("job_succeeded")
        await hub.until(lambda: not worker.agent.attempts)


async def test_it_stands_in_the_journal_before_the_hub_hears_of_it(
    hub: HubDouble, tmp_path: Path
) -> None:
    job = spec("hard.hang")
    async with working(tmp_path, hub.base):
        await until_open(hub)
        await hub.say(unasked(job, fence=7))
        await hub.until_event("job_started")
        with contextlib.closing(sqlite3.connect(tmp_path / "worker.sqlite3")) as store:
            rows = store.execute("select job_id, state, fence from attempt").fetchall()
        assert rows == [(job.job_id, "running", 7)]


async def test_a_grant_that_comes_twice_begins_once(hub: HubDouble, tmp_path: Path) -> None:
    job, next_one = spec("hard.hang"), spec("hard.brief")
    async with working(tmp_path, hub.base):
        await until_open(hub)
        for _ in range(3):
            await hub.say(unasked(job))
        await hub.say(unasked(next_one))
        await hub.until_event("job_succeeded")
        started = [body.job_id for body in hub.of_type("job_started")]  # type: ignore[union-attr]
    assert started == [job.job_id, next_one.job_id]


async def test_a_yes_to_an_older_offer_gives_way(hub: HubDouble, tmp_path: Path) -> None:
    job = spec("hard.hang")
    async with working(tmp_path, hub.base) as worker:
        await until_open(hub)
        await offered(hub, job)
        await hub.say(unasked(job, attempt=2, fence=1))
        await hub.until_event("job_started")
        held = [(a.held.attempt, a.held.state) for a in worker.agent.attempts]
    assert held == [(2, HeldState.RUNNING)]


@pytest.mark.parametrize(
    ("kind", "origin"),
    [("hard.hang_once", Origin.CHAT), ("hard.brief", Origin.API), ("hard.brief", Origin.LOCAL)],
)
async def test_what_it_wants_to_be_asked_about_it_gives_back(
    hub: HubDouble, tmp_path: Path, kind: str, origin: Origin
) -> None:
    """A hub is no authority: neither on what may run twice, nor on what the owner allows."""
    job = spec(kind).model_copy(update={"origin": origin})
    async with working(tmp_path, hub.base) as worker:
        await until_open(hub)
        said = await refusal(hub, unasked(job))
        assert (said.attempt, said.error.code, said.error.retryable) == (1, "offer_first", True)
        assert not worker.agent.attempts
        assert not hub.of_type("job_started")


async def test_a_worker_whose_slots_are_full_gives_it_back(hub: HubDouble, tmp_path: Path) -> None:
    async with working(tmp_path, hub.base, slots=1):
        await until_open(hub)
        await granted(hub, spec("hard.hang"))
        said = await refusal(hub, unasked(spec("hard.brief")))
    assert (said.error.code, said.error.retryable) == ("slots_busy", True)


async def test_what_an_older_attempt_is_still_at_is_given_back(
    hub: HubDouble, tmp_path: Path
) -> None:
    """The hub has given that one up: without a word it would wait for this one for ever."""
    job = spec("hard.hang")
    async with working(tmp_path, hub.base):
        await until_open(hub)
        await hub.say(unasked(job))
        await hub.until_event("job_started")
        said = await refusal(hub, unasked(job, attempt=2, fence=2))
    assert (said.attempt, said.error.code, said.error.retryable) == (2, "attempt_alive", True)


async def test_rules_that_its_owner_has_changed_since_count(hub: HubDouble, tmp_path: Path) -> None:
    async with working(tmp_path, hub.base) as worker:
        await worker.until_state(LinkState.ONLINE)
        worker.agent.adopt(Policy(kinds={}, disk_free_bytes_min=0))
        await hub.until(lambda: len(hub.hellos) == 2)
        assert not any(one.unasked for one in hub.hellos[1].capabilities)
        await until_open(hub)
        said = await refusal(hub, unasked(spec("hard.brief")))
    assert said.error.code == "offer_first"


async def test_a_grant_that_describes_another_job_is_ignored(
    hub: HubDouble, tmp_path: Path
) -> None:
    job, other = spec("hard.hang"), spec("hard.brief")
    async with working(tmp_path, hub.base):
        await until_open(hub)
        await hub.say(Grant(job_id=job.job_id, attempt=1, fence=1, job=spec("hard.hang")))
        await hub.say(unasked(other))
        await hub.until_event("job_succeeded")
        started = [body.job_id for body in hub.of_type("job_started")]  # type: ignore[union-attr]
    assert started == [other.job_id]


async def test_what_cannot_be_written_down_is_given_back(
    hub: HubDouble, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = spec("hard.brief")

    def full(*_: object) -> None:
        raise Unavailable("disk_full", "The disk is full.", retryable=True)

    async with working(tmp_path, hub.base) as worker:
        await until_open(hub)
        with monkeypatch.context() as patched:
            patched.setattr(journal, "save", full)
            said = await refusal(hub, unasked(job))
        assert said.error.retryable
        assert not worker.agent.attempts, "its slot is free"
        assert not hub.of_type("job_started")
