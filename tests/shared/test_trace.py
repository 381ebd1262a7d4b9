"""A traceparent is read as W3C Trace Context says, and whoever needs the same place finds it."""

import asyncio
import os
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared import trace
from shared.jobs import JobSpec

TRACE_ID, SPAN_ID = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
GOOD = f"00-{TRACE_ID}-{SPAN_ID}-01"


@pytest.mark.parametrize(
    ("text", "flags"),
    [
        (GOOD, 1),
        (f"00-{TRACE_ID}-{SPAN_ID}-00", 0),
        (f"00-{TRACE_ID}-{SPAN_ID}-ff", 1),
        (f" {GOOD}\t", 1),
        (f"cc-{TRACE_ID}-{SPAN_ID}-01-what-the-future-will-be", 1),
        (f"cc-{TRACE_ID}-{SPAN_ID}-01", 1),
    ],
)
def test_a_valid_traceparent_is_read(text: str, flags: int) -> None:
    assert trace.parse(text) == trace.Trace(TRACE_ID, SPAN_ID, flags)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hello",
        f"ff-{TRACE_ID}-{SPAN_ID}-01",
        f"00-{'0' * 32}-{SPAN_ID}-01",
        f"00-{TRACE_ID}-{'0' * 16}-01",
        f"00-{TRACE_ID.upper()}-{SPAN_ID}-01",
        f"00-{TRACE_ID}-{SPAN_ID}-01-more",
        f"00-{TRACE_ID}-{SPAN_ID}-1",
        f"00-{TRACE_ID}-{SPAN_ID}-01\n",
        f"cc-{TRACE_ID}-{SPAN_ID}-01.what",
        f"0٠-{TRACE_ID}-{SPAN_ID}-01",
        f"cc-{TRACE_ID}-{SPAN_ID}-01-" + "x" * 1000,
    ],
)
def test_what_is_no_valid_one_is_as_good_as_none(text: str) -> None:
    assert trace.parse(text) is None
    assert trace.trace_id_of(text) == ""
    assert trace.continued(text, os.urandom).trace_id != TRACE_ID


@given(st.text(max_size=80))
def test_whatever_is_read_is_written_back_as_a_valid_one(text: str) -> None:
    made = str(trace.continued(text, os.urandom))
    assert str(trace.parse(made)) == made
    assert len(made) <= 64  # what a job, a ticket and an order have room for


def test_a_callers_trace_goes_on_one_step_further_down() -> None:
    made = trace.continued(GOOD, os.urandom)
    assert made.trace_id == TRACE_ID
    assert made.span_id != SPAN_ID
    assert trace.continued(f"00-{TRACE_ID}-{SPAN_ID}-00", os.urandom).flags == 0


def test_ids_come_from_the_entropy_that_is_given_and_are_never_all_zero() -> None:
    assert trace.begin(random.Random(7).randbytes) == trace.begin(random.Random(7).randbytes)
    assert trace.parse(str(trace.begin(bytes))) is not None


def test_a_computer_and_its_hub_know_the_trace_of_a_request_by_its_id() -> None:
    job_id = "018f4e2a-7c1e-7abc-8def-0123456789ab"
    assert trace.of_id(job_id).trace_id == job_id.replace("-", "")
    for other in ("job-1", "0" * 32, "00000000-0000-0000-0000-000000000000"):
        assert trace.parse(str(trace.of_id(other))) == trace.of_id(other)


def test_an_attempt_has_a_place_of_its_own_under_its_job() -> None:
    first = trace.of_attempt(GOOD, "job-1", 1, 1)
    assert first.trace_id == TRACE_ID
    assert first == trace.of_attempt(GOOD, "job-1", 1, 1)
    others = {trace.of_attempt(GOOD, "job-1", 2, 2), trace.of_attempt(GOOD, "job-2", 1, 1)}
    assert len({first, *others}) == 3
    assert trace.of_attempt("", "job-1", 1, 1).trace_id == trace.of_id("job-1").trace_id


async def test_what_is_done_at_the_same_time_keeps_to_its_own_trace() -> None:
    async def work() -> tuple[str, str]:
        with trace.carried(trace.begin(os.urandom)) as mine:
            await asyncio.sleep(0)
            return str(mine), trace.current()

    for mine, seen in await asyncio.gather(work(), work(), work()):
        assert mine == seen
    assert trace.current() == ""


def test_a_job_that_was_described_without_a_trace_is_still_read() -> None:
    spec = JobSpec.model_validate({"job_id": "j", "task_id": "t", "kind": "k", "title": "x"})
    assert spec.traceparent == ""
