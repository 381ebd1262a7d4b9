"""Spans come from the facts alone: their true times, one tree, and no words of anybody."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hub.core.fact import Fact
from hub.core.spans import Traced, of_attempt, of_delivery, of_job
from shared import trace
from shared.ids import JobId, PersonId
from shared.spans import Span

START = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
JOB = JobId("018f4e2a-7c1e-7abc-8def-0123456789ab")
GIVEN = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def job(traceparent: str = GIVEN, ended: str = "") -> Traced:
    return Traced(
        job_id=JOB, kind="ml.train", traceparent=traceparent, created_at=START, ended=ended
    )


def fact(hub_seq: int, sort: str, seconds: float, **payload: object) -> Fact:
    return Fact(
        hub_seq=hub_seq, person_id=PersonId("p"), device="hub", epoch=1, seq=hub_seq,
        at=START + timedelta(seconds=seconds), type=sort, version=1, entity=JOB,
        payload={"job_id": JOB, **payload},  # type: ignore[dict-item]
    )  # fmt: skip


ERROR = {"code": "file_empty", "message": "anna.csv is empty", "hint": ""}
HISTORY = [
    fact(1, "job_queued", 0, attempt=1, title="sales of anna"),
    fact(2, "job_granted", 1, attempt=1, fence=1, worker_id="w"),
    fact(3, "job_started", 2, attempt=1, fence=1),
    fact(4, "question_asked", 3, attempt=1, fence=1, question_id="q", asking={"text": "Which?"}),
    fact(5, "question_answered", 7, question_id="q"),
    fact(6, "job_failed", 9, attempt=1, fence=1, error=ERROR),
    fact(7, "job_queued", 9, attempt=2, reason="retry"),
    fact(8, "job_granted", 20, attempt=2, fence=2, worker_id="w"),
    fact(9, "job_started", 19, attempt=2, fence=2),
    fact(10, "job_succeeded", 30, attempt=2, fence=2, result={"headline": "words"}),
]


def told(spans: list[Span]) -> dict[str, tuple[float, float]]:
    return {
        span.name: ((span.start - START).total_seconds(), (span.end - START).total_seconds())
        for span in spans
    }


def test_an_attempt_comes_to_its_waits_its_work_and_its_questions() -> None:
    spans = of_attempt(job(), HISTORY, HISTORY[5])
    assert told(spans) == {
        "queue": (0, 1), "grant": (1, 2), "attempt": (2, 9), "question": (3, 7),
    }  # fmt: skip
    by_name = {span.name: span for span in spans}
    assert by_name["attempt"].failed == "file_empty"
    assert by_name["attempt"].place == trace.of_attempt(GIVEN, JOB, 1, 1)
    assert by_name["question"].parent == by_name["attempt"].place.span_id
    assert len({span.place.span_id for span in spans}) == len(spans)


def test_the_next_attempt_has_spans_of_its_own_and_none_ends_before_it_began() -> None:
    spans = of_attempt(job(), HISTORY, HISTORY[9])
    assert told(spans) == {"queue": (9, 20), "grant": (20, 20), "attempt": (19, 30)}
    first = {span.place.span_id for span in of_attempt(job(), HISTORY, HISTORY[5])}
    assert not first & {span.place.span_id for span in spans}
    assert not [span for span in spans if span.failed]


def test_what_nobody_was_granted_has_no_attempt() -> None:
    cancelled = fact(2, "job_cancelled", 5, attempt=1, fence=0)
    assert of_attempt(job(), [HISTORY[0], cancelled], cancelled) == []


def test_a_job_belongs_to_the_command_that_came_in() -> None:
    [whole] = of_job(job(ended="succeeded"), HISTORY[9])
    assert (whole.name, whole.parent, whole.failed) == ("job", "00f067aa0ba902b7", "")
    assert told([whole]) == {"job": (0, 30)}
    [dead] = of_job(job(ended="dead"), HISTORY[5])
    assert dead.failed == "file_empty"


def test_a_job_that_has_its_trace_by_its_id_begins_it() -> None:
    first, whole = of_job(job(str(trace.of_id(JOB)), "succeeded"), HISTORY[9])
    assert (first.name, first.parent) == ("command", "")
    assert whole.parent == first.place.span_id


def test_no_words_of_people_stand_in_any_span() -> None:
    spans = [
        *of_attempt(job(), HISTORY, HISTORY[5]),
        *of_attempt(job(), HISTORY, HISTORY[9]),
        *of_job(job(ended="dead"), HISTORY[5]),
        of_delivery(job(), START, START, "telegram"),
    ]
    for word in ("anna", "Which", "words"):
        assert word not in str(spans)
