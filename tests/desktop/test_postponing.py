"""Attempts that wait: written down, woken when they are due, and let go when nobody wants them."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest

from desktop.core.attempt import Attempt, AttemptState
from desktop.core.outcome import Ending, Outcome
from desktop.postponing import LOOK_SECONDS, Postponing
from desktop.store import facts, kept
from desktop.store.database import open_store
from desktop.store.facts import Pairing
from desktop.store.hands import Hands
from desktop.store.minder import Minder
from shared.database import Database
from shared.environment import Environment
from shared.events import CancelAsked, JobStarted, TaskRequested, body_of
from shared.ids import JobId, TaskId, WorkerId
from tests.makers import KINDS, PASSING, PROBE, HandClock, hand_environment

ME = WorkerId("01a1fdf6-01bb-781f-9fad-94ee4efff531")
LATER = Outcome(ending=Ending.POSTPONED, error=PASSING, seconds=60.0)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with open_store(tmp_path / "store.sqlite3") as opened:
        pairing = Pairing(
            hub_url="http://127.0.0.1:1",
            worker_id=ME,
            worker_name="anna-pc",
            hub_name="hub",
            person_name="anna",
        )
        opened.submit(lambda c: facts.save_pairing(c, pairing)).result(10)
        yield opened


@dataclass
class Waiters:
    """What a worker holds and lets wait, with a clock in the test's hand."""

    database: Database
    environment: Environment
    clock: HandClock
    starts: int = 0
    hands: Hands = field(init=False)
    postponing: Postponing = field(init=False)

    async def restart(self) -> None:
        self.hands = Hands(self.database, self.environment, lambda: None)
        await self.hands.recover(KINDS, "anna-pc restarted while it ran.")
        minder = Minder(self.database, self.environment)
        self.postponing = Postponing(self.hands, minder, self.environment, self._start)

    def _start(self) -> None:
        self.starts += 1

    async def running(self) -> Attempt:
        body = TaskRequested(
            task_id=TaskId(str(uuid.uuid4())),
            job_id=JobId(str(uuid.uuid4())),
            kind=PROBE.name,
            inputs={},
            worker_id=ME,
            is_kept=True,
        )
        await self.hands.keep(body, kept.spec_for(body))
        attempt = await self.hands.start(body.job_id, kept.FIRST, kept.FIRST)
        assert attempt is not None
        return attempt

    async def settle(self, attempt: Attempt) -> Outcome | None:
        return await self.postponing.settle(attempt, PROBE, LATER)


@pytest.fixture
async def waiters(database: Database) -> Waiters:
    environment, clock = hand_environment()
    made = Waiters(database, environment, clock)
    await made.restart()
    return made


async def test_an_attempt_is_woken_when_it_is_due(waiters: Waiters) -> None:
    attempt = await waiters.running()
    assert await waiters.settle(attempt) is None
    [waiting] = waiters.hands.waiting
    assert waiters.hands.slots_taken == 0
    assert not waiters.postponing.is_due(waiting)
    assert waiters.postponing.run_once() == LOOK_SECONDS

    waiters.clock.advance(59.0)
    assert waiters.postponing.run_once() == pytest.approx(1.0)
    assert waiters.starts == 0
    waiters.clock.advance(1.0)
    assert waiters.postponing.run_once() is None
    assert waiters.starts == 1
    assert waiters.postponing.is_due(waiting)


async def test_the_wait_stands_in_the_journal(waiters: Waiters) -> None:
    await waiters.settle(await waiters.running())
    waiters.clock.advance(20.0)
    await waiters.restart()

    [waiting] = waiters.hands.waiting
    assert (waiting.postponed, waiting.wait_seconds) == (1, 60.0)
    assert waiting.state is AttemptState.GRANTED
    assert not waiters.postponing.is_due(waiting)
    waiters.clock.advance(40.0)
    assert waiters.postponing.is_due(waiting)


async def test_a_clock_set_back_before_a_restart_keeps_nobody_for_days(waiters: Waiters) -> None:
    await waiters.settle(await waiters.running())
    waiters.clock.wall -= timedelta(days=3)
    await waiters.restart()

    [waiting] = waiters.hands.waiting
    assert not waiters.postponing.is_due(waiting)
    waiters.clock.advance(60.0)
    assert waiters.postponing.is_due(waiting)


async def test_a_job_stopped_after_its_child_let_go_does_not_wait(waiters: Waiters) -> None:
    attempt = await waiters.running()
    waiters.postponing.stopped(attempt.spec.job_id)
    settled = await waiters.settle(attempt)
    assert settled is not None
    assert settled.ending is Ending.CANCELLED
    assert waiters.hands.waiting == ()


async def test_a_job_whose_end_is_wished_for_does_not_wait(waiters: Waiters) -> None:
    attempt = await waiters.running()
    await waiters.hands.say(CancelAsked(job_id=attempt.spec.job_id))
    settled = await waiters.settle(attempt)
    assert settled is not None
    assert settled.ending is Ending.CANCELLED


async def test_another_start_is_not_told_again(waiters: Waiters) -> None:
    attempt = await waiters.running()
    await waiters.settle(attempt)
    again = await waiters.hands.start(attempt.spec.job_id, kept.FIRST, kept.FIRST)
    assert again is not None
    assert (again.state, again.postponed) == (AttemptState.RUNNING, 1)
    events = [body_of(event) for event in await waiters.hands.own_log.events(1, 100)]
    assert sum(isinstance(body, JobStarted) for body in events) == 1
