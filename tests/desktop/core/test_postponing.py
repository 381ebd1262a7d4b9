"""What cannot go on now waits, but neither for ever nor for longer than was meant."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from desktop.core.attempt import Attempt, AttemptState, start
from desktop.core.postponing import (
    POSTPONES_MAX,
    WAIT_SECONDS_MAX,
    postpone,
    refusal,
    seconds_left,
)
from shared.errors import ErrorBody
from shared.ids import JobId, TaskId
from shared.jobs import JobSpec

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
BUSY = ErrorBody(code="rate_limit", message="Too fast.", hint="Wait.", retryable=True)
RUNNING = Attempt(
    spec=JobSpec(job_id=JobId("job"), task_id=TaskId("task"), kind="llm.probe", title="probe"),
    number=1,
    state=AttemptState.RUNNING,
    fence=1,
    is_kept=True,
)


def test_a_postponed_attempt_starts_again_as_it_was() -> None:
    waiting = postpone(RUNNING, 30.0, NOW)
    assert (waiting.state, waiting.postponed) == (AttemptState.GRANTED, 1)
    assert not waiting.takes_slot
    again = start(waiting, 1)
    assert again is not None
    assert (again.state, again.postponed, again.not_before) == (AttemptState.RUNNING, 1, None)


def test_it_waits_only_so_often_and_not_for_hours() -> None:
    assert refusal(replace(RUNNING, postponed=POSTPONES_MAX - 1), BUSY, 1.0) is None
    often = refusal(replace(RUNNING, postponed=POSTPONES_MAX), BUSY, 1.0)
    long = refusal(RUNNING, BUSY, WAIT_SECONDS_MAX + 1)
    for refused in (often, long):
        assert refused is not None
        assert (refused.code, refused.retryable) == ("rate_limit", False)
    assert refusal(RUNNING, BUSY, WAIT_SECONDS_MAX) is None


@pytest.mark.parametrize(
    ("waited", "clock_moved", "left"),
    [
        pytest.param(10.0, 10.0, 20.0, id="nothing odd"),
        pytest.param(10.0, 600.0, 0.0, id="slept or set forward"),
        pytest.param(10.0, -86_400.0, 20.0, id="set back"),
        pytest.param(30.0, -86_400.0, 0.0, id="set back, waited all the same"),
        pytest.param(0.0, 12.0, 18.0, id="started anew"),
    ],
)
def test_clocks_that_jump_make_nobody_wait_longer(
    waited: float, clock_moved: float, left: float
) -> None:
    waiting = postpone(RUNNING, 30.0, NOW)
    assert seconds_left(waiting, waited, NOW + timedelta(seconds=clock_moved)) == left


def test_what_was_tried_for_the_last_time_promises_no_further_try() -> None:
    hint = "Is the server running? It is asked again by itself, in 12 s at the earliest."
    ended = refusal(
        replace(RUNNING, postponed=POSTPONES_MAX), BUSY.model_copy(update={"hint": hint}), 1.0
    )
    assert ended is not None
    assert ended.hint == "Is the server running? Ask again when that has passed."
