"""The hub's word on each attempt a worker holds, as a table."""

from __future__ import annotations

import pytest

from hub.core import job as core
from hub.core.job import Life
from hub.core.worker import verdict
from shared.ids import JobId, QuestionId
from shared.jobs import JobState
from shared.messages import Decision, Held, HeldState
from tests.makers import MAC, PC

GRANTED = core.grant(Life(), PC, 1)
RUNNING = core.start(GRANTED)
CANCELLING = core.request_cancel(RUNNING, "anna")
LOST = core.lose(RUNNING)
REGRANTED = core.grant(LOST, MAC, 2)
DONE = core.succeed(RUNNING)
INTERRUPTED = core.interrupt(RUNNING, QuestionId("q"))


@pytest.mark.parametrize(
    ("life", "state", "fence", "decision"),
    [
        (None, HeldState.ACCEPTED, 0, Decision.FORGET),
        (None, HeldState.GRANTED, 1, Decision.FORGET),
        (None, HeldState.RUNNING, 1, Decision.ABORT),
        (None, HeldState.ASKING, 1, Decision.ABORT),
        (None, HeldState.ENDED, 1, Decision.KEEP),
        (Life(), HeldState.ACCEPTED, 0, Decision.FORGET),
        (GRANTED, HeldState.ACCEPTED, 0, Decision.GRANT),
        (GRANTED, HeldState.GRANTED, 1, Decision.KEEP),
        (RUNNING, HeldState.ACCEPTED, 0, Decision.FORGET),
        (RUNNING, HeldState.RUNNING, 1, Decision.KEEP),
        (RUNNING, HeldState.RUNNING, 2, Decision.ABORT),
        (CANCELLING, HeldState.RUNNING, 1, Decision.ABORT),
        (core.request_cancel(GRANTED, "anna"), HeldState.ACCEPTED, 0, Decision.FORGET),
        (LOST, HeldState.RUNNING, 1, Decision.KEEP),
        (REGRANTED, HeldState.RUNNING, 1, Decision.ABORT),
        (REGRANTED, HeldState.GRANTED, 1, Decision.FORGET),
        (DONE, HeldState.RUNNING, 1, Decision.ABORT),
        (DONE, HeldState.ENDED, 1, Decision.KEEP),
        (INTERRUPTED, HeldState.RUNNING, 1, Decision.ABORT),
    ],
)
def test_each_held_attempt_gets_its_verdict(
    life: Life | None, state: HeldState, fence: int, decision: Decision
) -> None:
    held = Held(job_id=JobId("j"), attempt=1, fence=fence, state=state)
    said = verdict(life, held, PC)
    assert said.decision is decision
    assert said.fence == (GRANTED.fence if decision is Decision.GRANT else 0)


def test_another_worker_may_not_go_on_with_what_was_lost() -> None:
    held = Held(job_id=JobId("j"), attempt=1, fence=1, state=HeldState.RUNNING)
    assert verdict(LOST, held, MAC).decision is Decision.ABORT
    assert LOST.state is JobState.QUEUED
