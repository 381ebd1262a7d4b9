"""A computer and its hub name the same trace, though nothing of it is on the wire."""

from __future__ import annotations

import pytest

from desktop.store import kept
from hub.services.asked import kept_spec
from shared import trace
from shared.events import TaskRequested
from shared.ids import JobId, TaskId
from shared.jobs import JobSpec, Origin

JOB, MAKER = (JobId(f"018f4e2a-7c1e-7abc-8def-0123456789a{n}") for n in "ab")
TASK = TaskId("018f4e2a-7c1e-7abc-8def-0123456789ac")
GIVEN = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def request(**more: object) -> TaskRequested:
    told = {"task_id": TASK, "job_id": JOB, "kind": "ml.models", "is_kept": True, **more}
    return TaskRequested.model_validate(told)


def maker(traceparent: str) -> JobSpec:
    return JobSpec(
        job_id=MAKER, task_id=TASK, kind="llm.run", title="x", origin=Origin.CHAT,
        traceparent=traceparent,
    )  # fmt: skip


def test_a_job_that_a_computer_keeps_has_the_trace_that_its_hub_will_give_it() -> None:
    here, there = kept.spec_for(request()), kept_spec(request(), Origin.LOCAL)
    assert here.traceparent == there.traceparent == str(trace.of_id(JOB))


def test_parts_and_followers_go_on_with_their_makers_trace() -> None:
    for more in ({"part_of": MAKER}, {"follows": MAKER}, {"part_of": MAKER, "step": 1}):
        made = kept.spec_of_part(maker(GIVEN), request(**more))
        assert made.traceparent == GIVEN
        assert made.origin is Origin.CHAT


def test_what_an_older_job_without_a_trace_makes_is_known_by_that_jobs_id() -> None:
    made = kept.spec_of_part(maker(""), request(part_of=MAKER))
    assert made.traceparent == str(trace.of_id(MAKER))


@pytest.mark.parametrize("given", ["", GIVEN])
def test_hub_and_worker_find_the_same_place_for_an_attempt(given: str) -> None:
    hubs = given or str(trace.of_id(JOB))
    assert trace.of_attempt(hubs, JOB, 2, 7) == trace.of_attempt(given, JOB, 2, 7)
