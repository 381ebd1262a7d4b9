"""A job's life under any sequence of offers, words of workers, losses and people's wishes.

The machine plays hub and three workers that may hold stale grants. It keeps its own short account
of what must be true, and compares it after every step.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from datetime import timedelta

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from hub.core import job as core
from hub.core import retry
from hub.core.job import HELD_STATES, LOSSES_MAX, Life
from hub.core.worker import verdict
from shared.errors import Conflict
from shared.ids import JobId, QuestionId, WorkerId
from shared.jobs import ATTEMPTS_MAX, JobState
from shared.messages import Decision, Held, HeldState
from tests.makers import LASTING, NOON, PASSING, PROBE

WORKERS = st.sampled_from([WorkerId("pc"), WorkerId("mac"), WorkerId("server")])
FINAL = frozenset({JobState.SUCCEEDED, JobState.CANCELLED})


@dataclass(frozen=True)
class HasGrant:
    """What a worker was told once; it may have become stale."""

    worker_id: WorkerId
    attempt: int
    fence: int


class JobLife(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.life = Life()
        self.offered: tuple[WorkerId, int] | None = None
        self.grants: list[HasGrant] = []
        self.before = self.life

    def become(self, life: Life) -> None:
        self.before, self.life = self.life, life

    def current(self) -> HasGrant | None:
        now = [
            g for g in self.grants if core.is_held_by(self.life, g.worker_id, g.attempt, g.fence)
        ]
        assert len(now) <= 1, "two workers may run it"
        return now[0] if now else None

    # Offers.

    @precondition(lambda self: self.life.state is JobState.QUEUED)
    @rule(worker_id=WORKERS)
    def offer(self, worker_id: WorkerId) -> None:
        self.become(core.offer(self.life, worker_id))
        self.offered = worker_id, self.life.attempt

    @precondition(lambda self: self.life.state is JobState.OFFERED)
    @rule()
    def expire_or_decline(self) -> None:
        self.become(core.take_back(self.life))

    @precondition(lambda self: self.offered is not None)
    @rule()
    def accept_the_last_offer_however_old(self) -> None:
        assert self.offered is not None
        worker_id, attempt = self.offered
        stood = self.life.state is JobState.OFFERED and attempt == self.life.attempt
        try:
            life = core.grant(self.life, worker_id, attempt)
        except Conflict:
            assert not stood
            return
        assert attempt >= self.life.attempt
        self.become(life)
        self.grants.append(HasGrant(worker_id, life.attempt, life.fence))
        self.offered = None

    # Words of workers, stale ones included.

    @precondition(lambda self: bool(self.grants))
    @rule(data=st.data())
    def a_worker_reports(self, data: st.DataObject) -> None:
        grant = data.draw(st.sampled_from(self.grants))
        word = data.draw(
            st.sampled_from(
                ["start", "ask", "resume", "park", "succeed", "fail", "break", "stop", "interrupt"]
            )
        )
        if not core.is_held_by(self.life, grant.worker_id, grant.attempt, grant.fence):
            return
        match word:
            case "start":
                self.become(core.start(self.life))
            case "ask":
                self.become(core.ask(self.life, QuestionId("q")))
            case "resume":
                self.become(core.resume(self.life))
            case "park":
                self.become(core.park(self.life))
            case "succeed":
                self.become(core.succeed(self.life))
            case "fail":
                self.fail_in_passing()
            case "break":
                self.become(core.fail(self.life))
            case "stop":
                self.become(core.cancelled(self.life))
            case _:
                self.become(core.interrupt(self.life, QuestionId("hub's")))

    def fail_in_passing(self) -> None:
        match retry.decide(self.life, PROBE, PASSING, NOON, 0.5):
            case retry.TryAgain(not_before):
                self.become(core.retry_later(self.life, not_before))
            case retry.Bury():
                self.become(core.bury(self.life))
            case retry.GiveUp():
                raise AssertionError("a failure that may pass is tried again or buried")

    # Losses.

    @precondition(lambda self: self.life.is_held)
    @rule()
    def lose(self) -> None:
        if core.is_worn_out(self.life):
            self.become(core.bury(self.life))
        else:
            self.become(core.lose(self.life))

    @precondition(lambda self: bool(self.grants))
    @rule(data=st.data(), state=st.sampled_from(list(HeldState)))
    def a_worker_tells_its_inventory(self, data: st.DataObject, state: HeldState) -> None:
        grant = data.draw(st.sampled_from(self.grants))
        fence = 0 if state is HeldState.ACCEPTED else grant.fence
        held = Held(job_id=JobId("j"), attempt=grant.attempt, fence=fence, state=state)
        said = verdict(self.life, held, grant.worker_id)
        may_go_on = said.decision in (Decision.KEEP, Decision.GRANT)
        if state is not HeldState.ENDED and may_go_on:
            newest = max(g.fence for g in self.grants)
            assert grant.fence == newest, "an older grant was allowed to go on"
            assert not self.life.cancel_by or not self.life.is_held
        if core.may_readopt(self.life, grant.worker_id, grant.attempt, fence):
            assert said.decision is Decision.KEEP
            self.become(core.readopt(self.life, attempt=grant.attempt, state=JobState.RUNNING))

    # People.

    @rule()
    def somebody_cancels(self) -> None:
        with contextlib.suppress(Conflict):
            self.become(core.request_cancel(self.life, "anna"))

    @rule()
    def somebody_tries_again(self) -> None:
        with contextlib.suppress(Conflict):
            self.become(core.reopen(self.life))

    @precondition(lambda self: self.life.state is JobState.ASKING and not self.life.is_held)
    @rule()
    def somebody_answers_what_is_parked(self) -> None:
        self.become(core.answered(self.life))

    # What must be true.

    @invariant()
    def one_holder_at_most(self) -> None:
        self.current()
        if self.life.is_held:
            assert self.life.state in HELD_STATES
            assert self.current() is not None, "held, but by a grant that was never given"

    @invariant()
    def no_start_without_a_grant(self) -> None:
        if self.life.state in (JobState.GRANTED, JobState.RUNNING):
            assert self.life.fence >= 1
            assert self.life.is_held

    @invariant()
    def the_fence_only_grows_and_counts_grants(self) -> None:
        assert self.life.fence >= self.before.fence
        assert self.life.fence == len(self.grants)

    @invariant()
    def what_is_final_stays(self) -> None:
        if self.before.state in FINAL:
            assert self.life == self.before

    @invariant()
    def tries_are_bounded(self) -> None:
        assert 0 <= self.life.failures <= ATTEMPTS_MAX
        assert 0 <= self.life.losses <= LOSSES_MAX


TestJobLife = JobLife.TestCase


def test_two_grants_of_one_job_never_share_a_fence() -> None:
    life = core.grant(core.offer(Life(), WorkerId("pc")), WorkerId("pc"), 1)
    again = core.grant(core.offer(core.lose(life), WorkerId("mac")), WorkerId("mac"), 2)
    assert again.fence == life.fence + 1
    assert not core.is_held_by(again, WorkerId("pc"), 1, life.fence)


def test_a_retry_waits_longer_each_time_and_honours_retry_after() -> None:
    first = retry.decide(Life(), PROBE, PASSING, NOON, 0.5)
    second = retry.decide(Life(failures=1), PROBE, PASSING, NOON, 0.5)
    assert first == retry.TryAgain(NOON + timedelta(seconds=5))
    assert second == retry.TryAgain(NOON + timedelta(seconds=20))
    asked = PASSING.model_copy(update={"retry_after_seconds": 300.0})
    assert retry.decide(Life(), PROBE, asked, NOON, 0.5) == retry.TryAgain(
        NOON + timedelta(seconds=300)
    )


def test_what_lasts_is_unknown_or_wants_days_is_given_up() -> None:
    days = PASSING.model_copy(update={"retry_after_seconds": 7 * 86400.0})
    assert retry.decide(Life(), PROBE, LASTING, NOON, 0.5) == retry.GiveUp()
    assert retry.decide(Life(), None, PASSING, NOON, 0.5) == retry.GiveUp()
    assert retry.decide(Life(), PROBE, days, NOON, 0.5) == retry.GiveUp()


def test_the_third_failure_is_the_last() -> None:
    assert retry.decide(Life(failures=2), PROBE, PASSING, NOON, 0.5) == retry.Bury()
