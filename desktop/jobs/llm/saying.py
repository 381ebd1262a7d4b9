"""One call for one job: kept over a crash, put off when it is to wait, counted."""

from __future__ import annotations

import importlib.util
import random
from datetime import UTC, datetime

from desktop.core.llm.fault import LlmFault
from desktop.core.llm.types import Message, Model, Reply, Sampling
from desktop.core.llm.waits import backoff_seconds
from desktop.core.toolsets import MODELS
from desktop.jobs.context import Postponed, SharedContext
from desktop.jobs.llm import prices
from desktop.jobs.llm.ask_kept import KeptReplies
from desktop.jobs.llm.house import house_of
from desktop.store.transcripts.records import sum_of
from shared.errors import Unavailable
from shared.kinds.llm import UsageFacts

LIBRARIES = ("pydantic_ai", "openai")


def check_installed() -> None:
    """See that models can be asked at all, for kinds that do more than that.

    Raises:
        Unavailable: `models_missing`.
    """
    if not all(importlib.util.find_spec(library) for library in LIBRARIES):
        raise Unavailable(
            "models_missing",
            "This machine lacks what language models are asked with.",
            f"Run there: {MODELS.command}",
        )


class Saying:
    """All calls of one job to one model, in one attempt."""

    def __init__(self, context: SharedContext, model: Model) -> None:
        self.model = model
        self._context = context
        self._kept = KeptReplies(context.workdir)
        self._replies: list[Reply] = []

    async def say(self, messages: tuple[Message, ...], sampling: Sampling | None = None) -> str:
        """Make a call, or return what it brought before a crash.

        Raises:
            Postponed: it is to be tried again later.
            LlmFault: it came to nothing, for good.
        """
        known = self._kept.reply(messages, self.model)
        if known is None:
            known = await self._called(messages, sampling or Sampling())
            self._kept.keep(messages, self.model, known)
        self._replies.append(known)
        return known.text

    @property
    def usage(self) -> UsageFacts:
        return sum_of([reply.usage for reply in self._replies])

    @property
    def cost_usd(self) -> float | None:
        """By the offline price table; None when the model has no price there."""
        total, now = 0.0, datetime.now(UTC)
        for reply in self._replies:
            cost = prices.cost_usd(self.model, reply.usage, now, reply.model_reported)
            if cost is None:
                return None
            total += cost
        return total

    async def _called(self, messages: tuple[Message, ...], sampling: Sampling) -> Reply:
        try:
            return await house_of(self._context).call(self.model, messages, sampling, urgent=True)
        except LlmFault as fault:
            if not fault.retryable:
                raise
            wait = backoff_seconds(
                self._context.tries + 1,
                random.random(),  # noqa: S311
                fault.wait_seconds,
            )
            raise Postponed(fault, wait) from None
