"""What the jobs of the shared child have in common: one way to each endpoint, at its pace.

A call goes through a `Lane` (pace and breaker of an endpoint and a key) to the `Speaker`. Nothing
is tried twice here and no wait is slept through: what has to wait is raised, and the job goes back.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from desktop.core.llm import locality
from desktop.core.llm.breaker import Refusal
from desktop.core.llm.broken import missing_key, odd_key
from desktop.core.llm.fault import LlmFault
from desktop.core.llm.line import Ticket
from desktop.core.llm.types import Endpoint, Message, Model, Reply, Sampling
from desktop.core.providers import is_like_a_key
from desktop.jobs.context import SharedContext
from desktop.jobs.llm import tokens
from desktop.jobs.llm.lane import Lane
from desktop.system.way import Way

REPLY_TOKENS_FIRST = 500
"""What a reply is expected to have before a model has given one."""
REPLY_WEIGHT = 0.2
"""Of the newest reply in what is expected of the next."""


class Speaks(Protocol):
    """Makes calls (`desktop.jobs.llm.speaker.Speaker`)."""

    async def say(
        self, model: Model, messages: Sequence[Message], sampling: Sampling, *, key: str = ""
    ) -> Reply:
        """Make one call. Raises LlmFault."""

    async def aclose(self) -> None:
        """Close all connections."""


@dataclass(frozen=True, slots=True)
class _Way:
    """What has a lane of its own."""

    endpoint: Endpoint
    key: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Trip:
    """An endpoint that is not called any more, because it refuses the key or the account."""

    number: int
    """Grows; a later trip of the same endpoint has another."""
    endpoint: Endpoint
    refusal: Refusal


class House:
    """All ways to models of one process."""

    def __init__(self, keys: Callable[[], Mapping[str, str]], speaker: Speaks) -> None:
        """Make no call yet.

        Args:
            keys: by name, as they are now; asked before each call, for they may change.
            speaker: makes the calls; closed with this.
        """
        self._keys = keys
        self._speaker = speaker
        self._lanes: dict[_Way, Lane] = {}
        self._current: dict[str, Lane] = {}
        """By the endpoint's name: the lane that the last call took."""
        self._trips: dict[str, Trip] = {}
        self._trip_count = 0
        self._told: set[int] = set()
        self._news = asyncio.Event()
        self._reply_tokens: dict[str, float] = {}

    async def call(
        self,
        model: Model,
        messages: Sequence[Message],
        sampling: Sampling,
        *,
        urgent: bool = False,
    ) -> Reply:
        """Make one call when its turn has come.

        Args:
            model: and where it is.
            messages: the conversation so far.
            sampling: what is asked of the sampler.
            urgent: a person waits for the reply.

        Raises:
            LlmFault: what went wrong; `NotCalled` when nothing was sent. With `wait_seconds` the
                job goes back for as long at least.
        """
        lane, ticket = await self._turn(model, messages, sampling, urgent=urgent)
        try:
            reply = await self._speaker.say(model, messages, sampling, key=lane.key)
        except LlmFault as fault:
            lane.failed(ticket, fault)
            raise
        except BaseException:
            lane.gave_up(ticket)
            raise
        self._learn(model, reply.usage.output_tokens)
        lane.succeeded(ticket, reply.usage.input_tokens + reply.usage.output_tokens)
        return reply

    def key_of(self, endpoint: Endpoint) -> str:
        """Return the endpoint's key as it is now; empty when it needs none.

        Raises:
            LlmFault: MISSING_API_KEY; AUTH_ERROR for what can be no key.
            NotLocal: the endpoint may not be called now.
        """
        locality.check(endpoint)
        key = self._keys().get(endpoint.key_name, "") if endpoint.key_name else ""
        if endpoint.key_name and not key and not endpoint.is_local:
            raise missing_key(endpoint)
        if key and not is_like_a_key(key):
            raise odd_key(endpoint)
        return key

    async def tripped(self, names: Collection[str], *, after: int = 0) -> Trip:
        """Wait until one of these endpoints refuses; return at once if one does already.

        Args:
            names: of endpoints.
            after: the number of the last trip that was dealt with.
        """
        while True:
            for name in names:
                trip = self._trips.get(name)
                if trip is not None and trip.number > after:
                    return trip
            await self._news.wait()

    def claim(self, trip: Trip) -> bool:
        """Return whether the caller is the first to tell a person of it; nobody else should."""
        is_first = trip.number not in self._told
        self._told.add(trip.number)
        return is_first

    def refusal(self, name: str) -> Refusal | None:
        """Return why an endpoint is not called; None when it is."""
        lane = self._current.get(name)
        return lane.refusal if lane is not None else None

    def reset(self, name: str) -> None:
        """Call an endpoint again that refused: a person says so."""
        self._trips.pop(name, None)
        for way, lane in self._lanes.items():
            if way.endpoint.name == name:
                lane.reset()

    async def aclose(self) -> None:
        """Let nobody wait, and close all connections."""
        for lane in self._lanes.values():
            lane.close()
        await self._speaker.aclose()

    async def _turn(
        self, model: Model, messages: Sequence[Message], sampling: Sampling, *, urgent: bool
    ) -> tuple[Lane, Ticket]:
        amount = self._estimate(model, messages, sampling)
        while True:
            lane = self._lane(model.endpoint)
            ticket = await lane.turn(model.name, tokens=amount, is_urgent=urgent)
            try:
                is_current = self.key_of(model.endpoint) == lane.key
            except LlmFault:
                lane.gave_up(ticket)
                raise
            if is_current:
                return lane, ticket
            lane.gave_up(ticket)  # the key was changed while this call was in line

    def _lane(self, endpoint: Endpoint) -> Lane:
        way = _Way(endpoint, self.key_of(endpoint))
        lane = self._lanes.get(way)
        if lane is None:
            lane = self._lanes[way] = Lane(endpoint, way.key, self._tripped)
        before = self._current.get(endpoint.name)
        if before is not lane:
            self._current[endpoint.name] = lane
            self._lanes = {w: one for w, one in self._lanes.items() if one is lane or one.is_busy}
            if before is not None and before.key != lane.key:
                self.reset(endpoint.name)  # another key, another try
        return lane

    def _tripped(self, lane: Lane, refusal: Refusal) -> None:
        self._trip_count += 1
        self._trips[lane.endpoint.name] = Trip(self._trip_count, lane.endpoint, refusal)
        self._news.set()
        self._news = asyncio.Event()

    def _estimate(self, model: Model, messages: Sequence[Message], sampling: Sampling) -> int:
        """Estimate what a call will use; nothing is counted where nothing is limited."""
        if model.endpoint.tokens_per_minute is None:
            return 0
        reply = self._reply_tokens.get(model.full_name, REPLY_TOKENS_FIRST)
        if sampling.tokens_max is not None:
            reply = min(reply, sampling.tokens_max)
        return tokens.of_messages(messages) + int(reply)

    def _learn(self, model: Model, count: int) -> None:
        known = self._reply_tokens.get(model.full_name, float(count))
        self._reply_tokens[model.full_name] = known + REPLY_WEIGHT * (count - known)


def house_of(context: SharedContext) -> House:
    """Return the one house of the child that a job runs in."""

    def make() -> House:
        from desktop.jobs.llm.speaker import Speaker

        return House(lambda: context.keys, Speaker(Way(context.network)))

    return context.shared(House, make)
