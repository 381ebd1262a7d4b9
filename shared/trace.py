"""Which way a request has gone: W3C Trace Context, read, written and handed down.

A *trace* is one command from where it came in to the last process that worked on it; its id stands
in every log line on the way. What a `traceparent` says is only a name: it gives no rights, and one
that is no valid one is as good as none. Source: https://www.w3.org/TR/trace-context/, version 00.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace

from shared.environment import Entropy
from shared.ids import is_uuid

TRACE_BYTES, SPAN_BYTES = 16, 8
HEADER = "traceparent"
VARIABLE = "TRACEPARENT"
"""The environment variable that OpenTelemetry's own tools read, too."""
SAMPLED = 0x01
_FORM = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?", re.ASCII)
_NOWHERE = "ff"
_FIRST = "00"
_CHARS_MAX = 512
"""A later version may be longer than ours; nothing that is longer than this is looked at."""


@dataclass(frozen=True, slots=True)
class Trace:
    """A place in a trace: written out, it is a `traceparent`."""

    trace_id: str
    """32 hexadecimal digits, not all zero."""
    span_id: str
    """16 hexadecimal digits, not all zero: what is done here, the parent of what it causes."""
    flags: int = SAMPLED

    def __str__(self) -> str:
        return f"{_FIRST}-{self.trace_id}-{self.span_id}-{self.flags & SAMPLED:02x}"


def parse(text: str) -> Trace | None:
    """Read a `traceparent`; None when it is none that counts (section 3.2)."""
    found = _FORM.fullmatch(text.strip(" \t")) if len(text) <= _CHARS_MAX else None
    if found is None:
        return None
    version, trace_id, span_id, flags, more = found.groups()
    if version == _NOWHERE or (version == _FIRST and more is not None):
        return None
    if not int(trace_id, 16) or not int(span_id, 16):
        return None
    return Trace(trace_id, span_id, int(flags, 16) & SAMPLED)


def is_span_id(told: object) -> bool:
    return isinstance(told, str) and re.fullmatch(r"[0-9a-f]{16}", told) is not None


def begin(entropy: Entropy) -> Trace:
    """Begin a trace, where a command comes in that belongs to none."""
    # Drawn at once: another thread may take its turn at every draw.
    drawn = entropy(TRACE_BYTES + SPAN_BYTES)
    return Trace(_written(drawn[:TRACE_BYTES]), _written(drawn[TRACE_BYTES:]))


def child(parent: Trace, entropy: Entropy) -> Trace:
    """Go one step down in a trace."""
    return replace(parent, span_id=_written(entropy(SPAN_BYTES)))


def continued(text: str, entropy: Entropy) -> Trace:
    """Go on with the trace that a caller names, or begin one when it names none that counts."""
    parent = parse(text)
    return child(parent, entropy) if parent is not None else begin(entropy)


def of_id(made_as: str) -> Trace:
    """Tell the trace of what was made under an id of ours and came in with no trace.

    A version 7 UUID has the random bits that a trace id is to have, and whoever knows the id knows
    the trace: a computer without its hub, and the hub that hears of it later.
    """
    digest = hashlib.sha256(made_as.encode()).hexdigest()
    trace_id = made_as.replace("-", "").lower() if is_uuid(made_as) else digest[:32]
    if not int(trace_id, 16):
        trace_id = digest[:32]
    return Trace(trace_id, digest[-16:])


def step(parent: Trace, *names: object) -> Trace:
    """Go one step down by name: whoever knows the names finds the same place, also later."""
    told = "/".join([parent.trace_id, parent.span_id, *map(str, names)])
    return replace(parent, span_id=hashlib.sha256(told.encode()).hexdigest()[-16:])


def of_attempt(traceparent: str, job_id: str, attempt: int, fence: int) -> Trace:
    """Tell the place of an attempt in its job's trace; hub and worker come to the same one."""
    return step(parse(traceparent) or of_id(job_id), "attempt", job_id, attempt, fence)


def trace_id_of(traceparent: str) -> str:
    """Return the id that stands in logs; empty when there is none."""
    found = parse(traceparent)
    return found.trace_id if found is not None else ""


_current: ContextVar[str] = ContextVar("traceparent", default="")


def current() -> str:
    """Return the `traceparent` of what is being done in this task or thread; empty for none."""
    return _current.get()


@contextmanager
def carried(trace: Trace) -> Iterator[Trace]:
    """Let all that is done inside belong to a trace."""
    before = _current.set(str(trace))
    try:
        yield trace
    finally:
        _current.reset(before)


def leave() -> None:
    """Belong to no trace from here on, in this task: what it does is for many."""
    _current.set("")


def _written(drawn: bytes) -> str:
    # All zero is the one value that means "none" (section 3.2.2.3).
    return (drawn if any(drawn) else drawn[:-1] + b"\x01").hex()
