"""The life of an attempt in the worker's hands: by a table and by random stories."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop.core import attempt as step
from desktop.core.attempt import Attempt, AttemptState
from shared.ids import JobId, TaskId
from shared.jobs import JobSpec
from shared.questions import Asking, Choice, QuestionKind

SPEC = JobSpec(job_id=JobId("job"), task_id=TaskId("task"), kind="ml.train", title="train")
STEPS: dict[str, Callable[[Attempt], Attempt | None]] = {
    "start": lambda attempt: step.start(attempt, 3),
    "ask": step.ask,
    "resume": step.resume,
    "end": lambda attempt: step.end(attempt, 9),
}
LEGAL = {
    ("accepted", "start"): "running",
    ("granted", "end"): "ended",
    ("running", "ask"): "asking",
    ("running", "end"): "ended",
    ("asking", "resume"): "running",
    ("asking", "end"): "ended",
}


@pytest.mark.parametrize("state", list(AttemptState))
@pytest.mark.parametrize("name", STEPS)
def test_each_step_fits_its_states_and_no_other(state: AttemptState, name: str) -> None:
    after = STEPS[name](Attempt(spec=SPEC, number=1, state=state))
    assert (after.state.value if after else None) == LEGAL.get((state.value, name))


@given(st.lists(st.sampled_from(sorted(STEPS))))
def test_no_story_runs_without_a_grant_or_after_its_end(story: list[str]) -> None:
    attempt = Attempt(spec=SPEC, number=1)
    has_ended = False
    for name in story:
        after = STEPS[name](attempt)
        if after is None:
            continue
        assert not has_ended, "an ended attempt changes no more"
        assert after.fence == 3, "only a grant brings a fence, and nothing runs without one"
        has_ended = after.state is AttemptState.ENDED
        assert after.is_alive != has_ended
        assert after.held.state.value == after.state.value
        attempt = after


@pytest.mark.parametrize("fence", [0, -1])
def test_a_grant_without_a_fence_starts_nothing(fence: int) -> None:
    assert step.start(Attempt(spec=SPEC, number=1), fence) is None


def test_a_kept_attempt_starts_under_the_fence_it_was_made_with() -> None:
    kept = Attempt(spec=SPEC, number=1, state=AttemptState.GRANTED, fence=1, is_kept=True)
    assert step.start(kept, 2) is None
    running = step.start(kept, 1)
    assert running is not None
    assert running.state is AttemptState.RUNNING
    assert not kept.takes_slot


def test_a_kept_attempt_is_begun_again_with_what_it_was_told() -> None:
    asking = Attempt(spec=SPEC, number=1, state=AttemptState.ASKING, fence=1, is_kept=True)
    again = step.begin_again(asking, {"colour": "blue"})
    assert (again.state, again.crashes, again.fence) == (AttemptState.GRANTED, 1, 1)
    assert again.spec.answers == {"colour": "blue"}


def test_asking_frees_the_slot_and_keeps_the_attempt() -> None:
    running = Attempt(spec=SPEC, number=1, state=AttemptState.RUNNING, fence=1)
    asking = step.ask(running)
    assert asking is not None
    assert (running.takes_slot, asking.takes_slot) == (True, False)
    assert asking.is_alive


@pytest.mark.parametrize(("acked", "is_forgotten"), [(8, False), (9, True), (10, True)])
def test_an_outcome_is_forgotten_once_the_hub_has_it(acked: int, is_forgotten: bool) -> None:
    ended = Attempt(spec=SPEC, number=1, state=AttemptState.ENDED, fence=1, outcome_seq=9)
    assert step.is_forgotten(ended, acked) is is_forgotten


@pytest.mark.parametrize(
    ("allow_text", "default", "value", "fits"),
    [
        (False, None, "red", True),
        (False, None, "Red", False),
        (False, None, "green", False),
        (False, "green", "green", True),
        (True, None, "green", True),
    ],
)
def test_only_an_offered_answer_is_one_unless_text_is_welcome(
    allow_text: bool, default: str | None, value: str, fits: bool
) -> None:
    asking = Asking(
        key="colour",
        kind=QuestionKind.APPROVAL,
        text="Which?",
        choices=(Choice(value="red", label="Red"),),
        allow_text=allow_text,
        default=default,
    )
    assert step.is_answer(asking, value) is fits
