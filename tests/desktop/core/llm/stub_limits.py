"""Endpoints with limits, in virtual time, and the pace that calls them."""

from __future__ import annotations

import heapq
import itertools
import math
import random
from collections import Counter, deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Protocol

from desktop.core.llm.line import Ticket
from desktop.core.llm.pace import Ending, Pace


class Limit(Protocol):
    """What turns calls away."""

    def take(self, now: float, flying: int) -> float | None:
        """Let one call in (None), or turn it away and say for how long; nan says nothing."""


@dataclass
class AtOnce:
    """So many calls at the same time."""

    count: int

    def take(self, now: float, flying: int) -> float | None:
        return None if flying < self.count else math.nan


@dataclass
class PerSecond:
    """So many calls a second, some more at once; says Retry-After in whole seconds."""

    rate: float
    burst: float
    says_wait: bool = True
    level: float = field(init=False)
    at: float = 0.0

    def __post_init__(self) -> None:
        self.level = self.burst

    def take(self, now: float, flying: int) -> float | None:
        self.level = min(self.burst, self.level + (now - self.at) * self.rate)
        self.at = now
        if self.level >= 1:
            self.level -= 1
            return None
        return math.ceil((1 - self.level) / self.rate) if self.says_wait else math.nan


@dataclass
class PerMinute:
    """So many calls in each minute of the clock."""

    count: int
    minute: int = -1
    used: int = 0

    def take(self, now: float, flying: int) -> float | None:
        if int(now // 60) != self.minute:
            self.minute, self.used = int(now // 60), 0
        if self.used < self.count:
            self.used += 1
            return None
        return math.ceil(60 - now % 60)


@dataclass
class Endpoint:
    """A place that answers after a while, or turns away at once."""

    limit: Limit
    latency: Callable[[random.Random, str], float]
    outages: tuple[tuple[float, float], ...] = ()
    tokens: Callable[[random.Random], int] = lambda _random: 100
    flying: int = 0
    seed: int = 0
    random: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)

    def is_out(self, now: float) -> bool:
        return any(start <= now < end for start, end in self.outages)


@dataclass
class Call:
    started_at: float
    who: str
    ending: Ending
    ended_at: float = 0.0
    tokens: int = 0


@dataclass
class Caller:
    """One worker: a pace, and always somebody in its line."""

    pace: Pace
    who: tuple[str, ...] = ("model",)
    waiting: int = 64
    estimate: int = 100
    calls: list[Call] = field(default_factory=list)
    in_line: Counter[str] = field(default_factory=Counter)

    def fill(self, now: float) -> None:
        for who in self.who:
            while self.in_line[who] < self.waiting:
                self.pace.enter(who, now, tokens=self.estimate)
                self.in_line[who] += 1


Event = tuple[float, int, Callable[[float], None]]


@dataclass
class World:
    """Virtual time."""

    endpoint: Endpoint
    callers: Iterable[Caller]
    events: list[Event] = field(default_factory=list)
    numbers: Iterable[int] = field(default_factory=itertools.count)
    alarms: dict[int, float] = field(default_factory=dict)

    def run(self, seconds: float) -> None:
        for caller in self.callers:
            caller.fill(0.0)
            self._grant(caller, 0.0)
        while self.events and self.events[0][0] <= seconds:
            now, _, deed = heapq.heappop(self.events)
            deed(now)

    def _at(self, when: float, deed: Callable[[float], None]) -> None:
        heapq.heappush(self.events, (when, next(iter(self.numbers)), deed))

    def _grant(self, caller: Caller, now: float) -> None:
        for ticket in caller.pace.grant(now):
            caller.in_line[ticket.who] -= 1
            self._call(caller, ticket, now)
        caller.fill(now)
        due = caller.pace.due_at(now)
        alarm = self.alarms.get(id(caller), -math.inf)
        if due is not None and (due < alarm or alarm <= now):
            self.alarms[id(caller)] = due
            self._at(max(due, now + 1e-6), lambda at: self._grant(caller, at))

    def _call(self, caller: Caller, ticket: Ticket, now: float) -> None:
        endpoint = self.endpoint
        call = Call(now, ticket.who, Ending.GOOD)
        caller.calls.append(call)
        wait: float | None
        if endpoint.is_out(now):
            wait, call.ending, seconds = math.nan, Ending.OVERLOADED, 0.05
        else:
            wait = endpoint.limit.take(now, endpoint.flying)
            if wait is not None:
                call.ending = Ending.RATE
            seconds = 0.02 if wait is not None else endpoint.latency(endpoint.random, ticket.who)
        is_in = wait is None
        endpoint.flying += is_in
        call.tokens = endpoint.tokens(endpoint.random) if is_in else 0

        def end(at: float) -> None:
            endpoint.flying -= is_in
            call.ended_at = at
            told = None if wait is None or math.isnan(wait) else wait
            caller.pace.ended(ticket, call.ending, at, tokens=call.tokens, wait_seconds=told)
            self._grant(caller, at)

        self._at(now + seconds, end)


def good(calls: Iterable[Call], start: float, end: float) -> int:
    return sum(c.ending is Ending.GOOD and start <= c.ended_at < end for c in calls)


def refused_share(calls: Iterable[Call], start: float, end: float) -> float:
    within = [c for c in calls if start <= c.started_at < end]
    return sum(c.ending is Ending.RATE for c in within) / max(1, len(within))


def most_in_a_minute(calls: Iterable[Call], amount: Callable[[Call], float]) -> float:
    window: deque[Call] = deque()
    total = most = 0.0
    for call in sorted(calls, key=lambda c: c.started_at):
        window.append(call)
        total += amount(call)
        while call.started_at - window[0].started_at >= 60.0:
            total -= amount(window.popleft())
        most = max(most, total)
    return most
