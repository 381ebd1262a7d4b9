"""What a call cost, by a price table that lies on this machine; nothing is asked, nothing fetched.

The table is that of genai-prices, which comes with pydantic-ai. It is imported when the first
price is wanted (20 MB), in the child alone.
"""

from __future__ import annotations

from datetime import date, datetime
from functools import cache
from typing import TYPE_CHECKING

from desktop.core.llm.types import Model
from shared.kinds.llm import UsageFacts

if TYPE_CHECKING:
    from genai_prices.types import ModelInfo, Provider

NAMES_MAX = 4096
"""Models whose price, or lack of one, is remembered."""

_found: dict[tuple[str, str], tuple[Provider, ModelInfo] | None] = {}


def cost_usd(
    model: Model, usage: UsageFacts, at: datetime, model_reported: str = ""
) -> float | None:
    """Return the price of one call: tables have steps for long ones, so sums are made of prices.

    Args:
        model: as it was asked for.
        usage: of this call.
        at: when it was made, aware; prices change, and some by the hour.
        model_reported: looked up when the name asked for has no price.

    Returns:
        US dollars, before discounts of the account's; 0 for a local model, None without a price.
    """
    if model.endpoint.is_local:
        return 0.0
    found = _priced(model.endpoint.base_url, model.name)
    if found is None and model_reported:
        found = _priced(model.endpoint.base_url, model_reported)
    if found is None:
        return None
    provider, info = found
    from genai_prices import Usage

    parts = usage.cached_tokens + usage.cache_write_tokens
    counted = Usage(
        # Parts are of the whole; who reports them apart would have them priced below zero.
        input_tokens=max(usage.input_tokens, parts),
        cache_read_tokens=usage.cached_tokens,
        cache_write_tokens=usage.cache_write_tokens,
        output_tokens=max(usage.output_tokens, usage.reasoning_tokens),
    )
    try:
        return float(info.calc_price(counted, provider, genai_request_timestamp=at).total_price)
    except (ValueError, ArithmeticError):
        return None


def window_tokens(model: Model) -> int | None:
    """Return how many tokens a model takes at once, where the table has it."""
    found = None if model.endpoint.is_local else _priced(model.endpoint.base_url, model.name)
    return found[1].context_window if found is not None else None


@cache
def table(today: date) -> str:
    """Name the table: its version, and since when its newest price counts.

    Args:
        today: prices of days to come, which some makers announce, say nothing of its age.
    """
    import genai_prices

    newest = _newest(today)
    told = f", prices up to {newest.isoformat()}" if newest else ""
    return f"genai-prices {genai_prices.__version__}{told}"


def _newest(today: date) -> date | None:
    from genai_prices.data import providers

    days = [
        day
        for provider in providers
        for info in provider.models
        if isinstance(info.prices, list)
        for price in info.prices
        if (day := getattr(price.constraint, "start_date", None)) is not None and day <= today
    ]
    return max(days, default=None)


def _priced(base_url: str, name: str) -> tuple[Provider, ModelInfo] | None:
    key = base_url, name
    if key not in _found:
        from genai_prices.data_snapshot import get_snapshot

        if len(_found) >= NAMES_MAX:
            _found.clear()
        try:
            _found[key] = get_snapshot().find_provider_model(name, None, None, base_url)
        except LookupError:
            _found[key] = None
    return _found[key]
