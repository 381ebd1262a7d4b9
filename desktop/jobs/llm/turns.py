"""One turn of a model with tools, through the house; short troubles are waited for here.

Whoever asks holds a line open meanwhile (the gateway for the built-in agent): what passes within
minutes is tried again, what a person has to mend is raised at once.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from desktop.core.code.turn import Turn, TurnReply
from desktop.core.llm.fault import FaultClass, LlmFault
from desktop.core.llm.message import Message
from desktop.core.llm.types import Format, Model, Reply, ToolSampling
from desktop.core.llm.waits import backoff_seconds
from desktop.jobs.llm import prices
from desktop.jobs.llm.house import House
from desktop.jobs.llm.lane import NotCalled
from shared.kinds.llm import UsageFacts

ANTHROPIC_TOKENS_MAX = 16_000
"""Of a reply: that format wants a number, and a file that is written whole is long."""
TRIES_MAX = 6
AT_ONCE_MAX = 2
"""Tries of what came and could not be used."""
WAITS_SECONDS_MAX = 600.0
"""Altogether, in one turn."""

Sleep = Callable[[float], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenTurn:
    """A turn's reply, and what it used."""

    reply: TurnReply
    usage: UsageFacts
    cost_usd: float | None


async def take_turn(
    house: House, model: Model, turn: Turn, *, sleep: Sleep = asyncio.sleep
) -> TakenTurn:
    """Have a model say what comes next.

    Args:
        house: of this process.
        model: and where it is.
        turn: the conversation, and the tools.
        sleep: waits so many seconds before a further try.

    Raises:
        LlmFault: what no waiting within minutes mends.
    """
    reply = await _patiently(house, model, turn, sleep)
    cost = prices.cost_usd(model, reply.usage, datetime.now(UTC), reply.model_reported)
    told = TurnReply(
        message=Message("assistant", reply.text, calls=reply.calls, thoughts=reply.thoughts),
        stop=_stop(reply),
        model=reply.model_reported or model.name,
        input_tokens=reply.usage.input_tokens,
        output_tokens=reply.usage.output_tokens,
        cost_usd=cost,
        window_tokens=prices.window_tokens(model),
    )
    return TakenTurn(reply=told, usage=reply.usage, cost_usd=cost)


def _stop(reply: Reply) -> Literal["end", "calls", "cut", "refusal"]:
    if reply.is_refusal:
        return "refusal"
    if reply.is_cut:
        return "cut"
    return "calls" if reply.calls else "end"


async def _patiently(house: House, model: Model, turn: Turn, sleep: Sleep) -> Reply:
    left, tries = WAITS_SECONDS_MAX, 0
    while True:
        try:
            return await house.call(model, turn.messages, _sampling(model, turn), urgent=True)
        except LlmFault as fault:
            tries += 0 if isinstance(fault, NotCalled) else 1
            wait = backoff_seconds(max(1, tries), random.random(), fault.wait_seconds)  # noqa: S311
            if _is_enough(fault, tries) or wait > left:
                raise
        await sleep(wait)
        left -= wait


def _is_enough(fault: LlmFault, tries: int) -> bool:
    if not fault.retryable:
        return True
    return tries >= (AT_ONCE_MAX if fault.fault is FaultClass.INVALID_RESPONSE else TRIES_MAX)


def _sampling(model: Model, turn: Turn) -> ToolSampling:
    tokens_max = turn.tokens_max
    if tokens_max is None and model.endpoint.format is Format.ANTHROPIC:
        tokens_max = ANTHROPIC_TOKENS_MAX
    return ToolSampling(tokens_max=tokens_max, tools=turn.tools)
