"""A plan's own calls of models: through the house, each reply kept before it is used.

A line a reply, under the hash of what was asked of which model. Whoever goes on after a crash gets
the reply that is there, so none is paid for twice, and what was used is the sum of the lines.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from desktop.core.llm.fault import FaultClass, LlmFault
from desktop.core.llm.types import Message, Model, Reply, Sampling
from desktop.core.llm.waits import backoff_seconds
from desktop.core.plan.spending import Spent
from desktop.jobs.context import Postponed, SharedContext
from desktop.jobs.llm import prices
from desktop.jobs.llm.house import house_of
from desktop.store.transcripts.records import sum_of
from shared.kinds import JsonObject
from shared.kinds.llm import UsageFacts

FILE_NAME = "replies.jsonl"
AT_ONCE_MAX = 2
"""Calls in a row for an answer that came and could not be used."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A reply, and what it cost when it came; None without a known price."""

    reply: Reply
    cost_usd: float | None


_KEPT = TypeAdapter(Kept)


class Calls:
    """The calls of one job."""

    def __init__(self, context: SharedContext) -> None:
        self._context = context
        self._file: Path = context.workdir / FILE_NAME
        self._known = dict(self._read())

    async def say(
        self, model: Model, messages: Sequence[Message], schema: JsonObject | None = None
    ) -> str:
        """Have a model answer, or return what it answered before.

        Args:
            model: and where it is.
            messages: the whole conversation.
            schema: of the JSON that is wanted; no promise that it comes.

        Raises:
            Postponed: the model is away or has too much to do; this passes.
            LlmFault: what only a person mends.
        """
        key = _key(model, messages)
        known = self._known.get(key)
        if known is None:
            reply = await self._called(model, messages, schema)
            cost = prices.cost_usd(model, reply.usage, datetime.now(UTC), reply.model_reported)
            known = Kept(reply, cost)
            self._keep(key, known)
        return known.reply.text

    @property
    def usage(self) -> UsageFacts:
        """All that the calls used, also those of earlier attempts."""
        return sum_of([kept.reply.usage for kept in self._known.values()])

    @property
    def spent(self) -> Spent:
        """The same as a plan's budget counts it."""
        usage = self.usage
        costs = [kept.cost_usd for kept in self._known.values()]
        return Spent(
            tokens=usage.input_tokens + usage.output_tokens,
            cost_usd=sum(cost or 0.0 for cost in costs),
            is_cost_known=None not in costs,
        )

    async def _called(
        self, model: Model, messages: Sequence[Message], schema: JsonObject | None
    ) -> Reply:
        house, sampling = house_of(self._context), Sampling(response_schema=schema)
        for left in reversed(range(AT_ONCE_MAX)):
            try:
                return await house.call(model, messages, sampling, urgent=True)
            except LlmFault as fault:
                if not fault.retryable:
                    raise
                if left and fault.fault is FaultClass.INVALID_RESPONSE:
                    continue
                tries = self._context.tries + 1
                wait = backoff_seconds(tries, random.random(), fault.wait_seconds)  # noqa: S311
                raise Postponed(fault, wait) from None
        raise AssertionError

    def _keep(self, key: str, kept: Kept) -> None:
        """Remember it beyond this process, as far as that can be done cheaply."""
        self._known[key] = kept
        line = json.dumps({"key": key, "kept": _KEPT.dump_python(kept, mode="json")})
        # A full disk costs a call that is made twice, and not the answer.
        with contextlib.suppress(OSError), self._file.open("a", encoding="utf-8") as file:
            file.write(f"\n{line}")

    def _read(self) -> Iterator[tuple[str, Kept]]:
        try:
            text = self._file.read_text(encoding="utf-8", errors="replace")
        except OSError:
            return
        for line in filter(None, text.split("\n")):
            # A line that a crash cut off is no reply: it is asked again.
            with contextlib.suppress(ValueError, KeyError, TypeError, ValidationError):
                told = json.loads(line)
                yield str(told["key"]), _KEPT.validate_python(told["kept"])


def _key(model: Model, messages: Sequence[Message]) -> str:
    told = [model.full_name, model.endpoint.base_url, *([m.role, m.text] for m in messages)]
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()
