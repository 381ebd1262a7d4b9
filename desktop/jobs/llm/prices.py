"""What a call costs, by the price table that genai-prices brings along; nobody is asked.

A table on this machine is as old as the package: figures are what the tokens cost at list prices
of that day, not what a bill will say.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from datetime import datetime
from urllib.parse import urlsplit

from desktop.core.llm.types import Endpoint, Model, Turn
from shared.kinds.llm import UsageFacts

PROVIDERS = {
    "api.openai.com": "openai",
    "api.anthropic.com": "anthropic",
    "generativelanguage.googleapis.com": "google",
    "api.x.ai": "x-ai",
    "api.deepseek.com": "deepseek",
    "api.mistral.ai": "mistral",
}
"""The table's names by where they are asked."""


def cost_usd(model: Model, usage: UsageFacts, at: datetime) -> float | None:
    """Price one call.

    Args:
        model: as it was asked for.
        usage: its tokens.
        at: when, aware; prices change, some with the hour.

    Returns:
        None when the table has no price for it; 0 for what runs on this machine.
    """
    if model.endpoint.is_local:
        return 0.0
    provider = _provider(model.endpoint)
    if provider is None:
        return None
    from genai_prices import Usage, calc_price

    tokens = Usage(
        input_tokens=usage.input_tokens,
        output_tokens=usage.output_tokens,
        cache_read_tokens=usage.cached_tokens,
        cache_write_tokens=usage.cache_write_tokens,
    )
    with contextlib.suppress(LookupError, ValueError):
        told = calc_price(tokens, model.name, provider_id=provider, genai_request_timestamp=at)
        return float(told.total_price)
    return None


def cost_of_turns(model: Model, turns: Iterable[Turn]) -> float | None:
    """Add up the turns of a cell; None as soon as one of them has no price."""
    total = 0.0
    for turn in turns:
        cost = cost_usd(model, turn.reply.usage, turn.at)
        if cost is None:
            return None
        total += cost
    return total


def _provider(endpoint: Endpoint) -> str | None:
    return PROVIDERS.get(urlsplit(endpoint.base_url).hostname or "")
