"""A child's log lines reach its worker's log; whatever else it writes stays in its tail."""

from __future__ import annotations

import asyncio
import json

import pytest
from structlog.testing import capture_logs

from desktop.runner.child_log import LINES_MAX, SPAN, ChildLog
from desktop.runner.lines import Order
from desktop.runner.processes import Tail
from shared import spans
from shared.ids import JobId, TaskId
from shared.jobs import JobSpec
from shared.spans import Span

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PLACE = f"00-{TRACE}-00f067aa0ba902b7-01"


def expecting() -> ChildLog:
    spec = JobSpec(job_id=JobId("j"), task_id=TaskId("t"), kind="k", title="x")
    log = ChildLog()
    log.expect(
        Order(
            spec=spec, executor="a:b", kinds_at="a:b", workdir="/", workspace="/",
            models_folder="/", folders=(), memory_bytes_max=1, threads_max=1, traceparent=PLACE,
        )
    )  # fmt: skip
    return log


def line(**more: object) -> bytes:
    told = {"event": "page read", "level": "warning", "logger": "desktop.jobs.web", **more}
    return json.dumps({"trace_id": TRACE, **told}).encode()


def test_a_line_of_the_jobs_own_trace_is_passed_on() -> None:
    with capture_logs() as logged:
        assert expecting().took(line(status=200, deep={"no": 1}, long="x" * 5000))
    [told] = logged
    assert (told["event"], told["log_level"], told["by"]) == (
        "page read", "warning", "desktop.jobs.web",
    )  # fmt: skip
    assert told["trace_id"] == TRACE
    assert told["status"] == 200
    assert len(told["long"]) == 500
    assert "deep" not in told


@pytest.mark.parametrize(
    "raw",
    [
        b"Traceback (most recent call last):",
        b'{"event": "x"}',
        b'{"event": "x", "trace_id": "0af7651916cd43dd8448eb211c80319c"}',
        b'{"event": 1, "trace_id": "4bf92f3577b34da6a3ce929d0e0e4736"}',
        b'{"event": "x", "trace_id": {"a": 1}}',
        b'{"trace_id',
        b'{"a":' * 100_000,
        b"\xff\xfe",
    ],
)
def test_anything_else_is_a_programs_words(raw: bytes) -> None:
    with capture_logs() as logged:
        assert not expecting().took(raw)
    assert not logged


def test_a_child_that_logs_without_end_does_not_fill_its_workers_log() -> None:
    log = expecting()
    with capture_logs() as logged:
        took = [log.took(line()) for _ in range(LINES_MAX + 5)]
    assert took.count(True) == LINES_MAX == len(logged)


async def test_log_lines_are_no_part_of_the_last_words() -> None:
    tail, errors = Tail(), asyncio.StreamReader()
    tail.log = expecting()
    errors.feed_data(b"one\n" + line() + b"\ntwo\n" + line())
    errors.feed_eof()
    with capture_logs() as logged:
        await tail.read(errors)
    assert tail.lines == ("one", "two")
    assert len(logged) == 2


def a_span(**more: object) -> bytes:
    told = {
        "event": SPAN, "trace_id": TRACE, "place": PLACE, "parent": "1122334455667788",
        "name": "executor", "start": "2026-01-02T03:04:05+00:00", "facts": {"a": 1, "b": []},
        "end": "2026-01-02T03:04:06+00:00", "failed": "", "sort": "internal", **more,
    }  # fmt: skip
    return json.dumps(told).encode()


def test_a_span_of_a_child_is_handed_to_whoever_collects_them() -> None:
    told: list[Span] = []
    with spans.told_to(told.append):
        assert expecting().took(a_span())
    [span] = told
    assert (span.name, span.parent, dict(span.facts)) == ("executor", "1122334455667788", {"a": 1})


@pytest.mark.parametrize(
    "wrong",
    [{"place": "x"}, {"start": "yesterday"}, {"sort": "server"}, {"facts": []}],
)
def test_what_is_no_span_is_left_out(wrong: dict[str, object]) -> None:
    told: list[Span] = []
    with spans.told_to(told.append):
        expecting().took(a_span(**wrong))
    assert not told
