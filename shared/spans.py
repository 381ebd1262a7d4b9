"""Spans: what took how long in which trace, told to whoever collects them; to nobody, as a rule.

A span is made from facts, after it is over, with its true start and end. It bears names, numbers
and codes, never words of people. Who collects them is set once for a program (`told_to`).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal

from shared import trace
from shared.environment import Entropy
from shared.trace import Trace

Sort = Literal["internal", "server", "client", "consumer", "producer"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    name: str
    place: Trace
    parent: str = ""
    """The id of the span that it belongs to; empty for the first of a trace."""
    start: datetime
    end: datetime
    """Not before the start: where two clocks differ, it takes no time."""
    facts: Mapping[str, str | int | float | bool] = field(default_factory=dict)
    failed: str = ""
    """The code of what went wrong; empty when nothing did."""
    sort: Sort = "internal"


Tell = Callable[[Span], None]
"""Takes a span; must not wait."""

_collectors: list[Tell] = []


def is_wanted() -> bool:
    """Whether anybody collects spans in this program."""
    return bool(_collectors)


def tell(span: Span) -> None:
    """Hand a span to whoever collects them."""
    for collect in _collectors:
        collect(span)


def collect(by: Tell) -> None:
    """Have the spans of this program collected from now on."""
    _collectors.append(by)


@contextmanager
def timed(
    name: str,
    facts: Mapping[str, str | int | float | bool],
    *,
    sort: Sort = "internal",
    entropy: Entropy = os.urandom,
) -> Iterator[None]:
    """Make a span of what is done inside, under the trace that is carried; else do nothing."""
    outer = trace.parse(trace.current()) if is_wanted() else None
    if outer is None:
        yield
        return
    place, start, failed = trace.child(outer, entropy), now(), ""
    try:
        with trace.carried(place):
            yield
    except BaseException as error:
        failed = str(getattr(error, "code", "") or type(error).__name__)[:100]
        raise
    finally:
        tell(
            Span(
                name=name, place=place, parent=outer.span_id, start=start, end=now(),
                facts=facts, failed=failed, sort=sort,
            )
        )  # fmt: skip


@contextmanager
def told_to(collect: Tell) -> Iterator[None]:
    """Have the spans of this program collected inside the block."""
    _collectors.append(collect)
    try:
        yield
    finally:
        _collectors.remove(collect)


def now() -> datetime:
    """Return the time by which spans of real programs begin and end."""
    return datetime.now(UTC)
