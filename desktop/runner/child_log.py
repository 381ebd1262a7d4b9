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
from shared import trace
from shared.jobs import JobSpec

CHILD = "desktop.child"
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
    with trace.carried(place):
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
        if not isinstance(event, str) or trace_id not in self._traces:
            return False
        self._count += 1
        _pass_on(event, trace_id, told)
        return True


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
