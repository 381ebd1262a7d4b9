"""What a child logs: written by it as JSON on standard error, and taken from there by its worker.

The child's side imports no logging library; one that the executor brings along is set up to write
the same lines. A line counts as a log line when it bears the trace of the child's own job; all
else on standard error is a program's words, which stay in the tail.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import sys
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

from desktop.runner.lines import Order
from shared import spans, trace
from shared.jobs import JobSpec
from shared.spans import Span

CHILD = "desktop.child"
SPAN = "span"
"""The event of a line that is a span instead of a log line."""
LINES_MAX = 1000
"""Of one child, that its worker takes into its own log; more stay in the tail."""
VALUE_CHARS_MAX = 500
_OWN = frozenset({"event", "level", "logger", "timestamp", "trace_id"})
_LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING}


def names_of(order: Order) -> dict[str, str | int]:
    """Tell by what a job is known in logs, beside its trace."""
    names: dict[str, str | int] = {"job_id": order.spec.job_id, "attempt": order.attempt}
    return names | ({"worker_id": order.worker_id} if order.worker_id else {})


@contextlib.contextmanager
def logged_as(order: Order) -> Iterator[None]:
    """Let all that is logged inside, in the child, bear the names and the trace of a job."""
    place = trace.parse(order.traceparent)
    if place is None:
        yield
        return
    if order.is_timed and not spans.is_wanted():
        spans.collect(_say_span)
    with trace.carried(place), _timed(order):
        if not order.is_quiet:
            _say("job began in child", place.trace_id, names_of(order), order.spec)
        if "structlog" not in sys.modules:
            yield
            return
        import structlog

        from shared import logs

        if not structlog.is_configured():
            logs.configure(json_lines=True, stream=sys.stderr)
        with structlog.contextvars.bound_contextvars(**names_of(order)):
            yield


def _timed(order: Order) -> contextlib.AbstractContextManager[None]:
    if not order.is_timed:
        return contextlib.nullcontext()
    return spans.timed("executor", {"deskhand.kind": order.spec.kind})


def _say_span(span: Span) -> None:
    told = {
        "event": SPAN,
        "trace_id": span.place.trace_id,
        "place": str(span.place),
        "parent": span.parent,
        "name": span.name,
        "start": span.start.isoformat(),
        "end": span.end.isoformat(),
        "facts": dict(span.facts),
        "failed": span.failed,
        "sort": span.sort,
    }
    print(json.dumps(told), file=sys.stderr, flush=True)  # noqa: T201 (taken by its worker)


def _say(event: str, trace_id: str, names: Mapping[str, str | int], spec: JobSpec) -> None:
    told = {
        "event": event,
        "level": "info",
        "logger": CHILD,
        "timestamp": datetime.now(UTC).isoformat(),
        "trace_id": trace_id,
        **names,
        "kind": spec.kind,
        "child_pid": os.getpid(),
    }
    print(json.dumps(told), file=sys.stderr, flush=True)  # noqa: T201 (the log of a child)


class ChildLog:
    """The worker's side: which lines of standard error are log lines, passed on as its own."""

    def __init__(self) -> None:
        self._traces: set[str] = set()
        self._count = 0

    def expect(self, order: Order) -> None:
        """Take lines of one more job from now on."""
        if trace_id := trace.trace_id_of(order.traceparent):
            self._traces.add(trace_id)

    def took(self, raw: bytes) -> bool:
        """Pass a line on when it is a log line of a job that is expected."""
        if not raw.startswith(b'{"') or self._count >= LINES_MAX:
            return False
        try:
            told = json.loads(raw)
        except (ValueError, RecursionError):
            return False
        trace_id, event = told.get("trace_id"), told.get("event")
        if not isinstance(event, str) or not isinstance(trace_id, str):
            return False
        if trace_id not in self._traces:
            return False
        self._count += 1
        if event == SPAN:
            _tell_span(told)
        else:
            _pass_on(event, trace_id, told)
        return True


def _tell_span(told: Mapping[str, object]) -> None:
    """Pass a span of the child on; one that is none is left out."""
    place, sort, facts = trace.parse(str(told.get("place"))), told.get("sort"), told.get("facts")
    if place is None or sort not in ("internal", "client") or not isinstance(facts, dict):
        return
    with contextlib.suppress(ValueError):
        spans.tell(
            Span(
                name=str(told.get("name"))[:100],
                place=place,
                parent=str(told.get("parent")) if trace.is_span_id(told.get("parent")) else "",
                start=datetime.fromisoformat(str(told.get("start"))),
                end=datetime.fromisoformat(str(told.get("end"))),
                facts={
                    str(name)[:100]: value[:VALUE_CHARS_MAX] if isinstance(value, str) else value
                    for name, value in facts.items()
                    if isinstance(value, str | int | float)
                },
                failed=str(told.get("failed"))[:100],
                sort="client" if sort == "client" else "internal",
            )
        )


def _pass_on(event: str, trace_id: str, told: Mapping[str, object]) -> None:
    import structlog

    fields = {
        name: value[:VALUE_CHARS_MAX] if isinstance(value, str) else value
        for name, value in told.items()
        if name not in _OWN and isinstance(value, str | int | float | bool)
    }
    level = _LEVELS.get(str(told.get("level")), logging.ERROR)
    structlog.get_logger(CHILD).log(
        level, event[:VALUE_CHARS_MAX], **fields, trace_id=trace_id, by=str(told.get("logger", ""))
    )
