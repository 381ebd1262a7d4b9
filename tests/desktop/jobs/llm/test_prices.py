"""Prices: of the known makers, of parts of the usage, and of nothing that has none."""

from __future__ import annotations

import socket
import subprocess
import sys
from datetime import UTC, date, datetime

import pytest

from desktop.core.llm.endpoints import BUILT_IN
from desktop.core.llm.types import Endpoint, Model
from desktop.jobs.llm.prices import cost_usd, table
from shared.kinds.llm import UsageFacts

AT = datetime(2026, 11, 1, 12, tzinfo=UTC)
PLAIN = UsageFacts(input_tokens=1_000_000, output_tokens=1_000_000)


def model(endpoint: str, name: str) -> Model:
    return Model(next(one for one in BUILT_IN if one.name == endpoint), name)


@pytest.mark.parametrize(
    ("endpoint", "name"),
    [
        ("openai", "gpt-5-mini"),
        ("anthropic", "claude-sonnet-4-5"),
        ("google", "gemini-2.5-flash"),
        ("xai", "grok-4"),
        ("deepseek", "deepseek-chat"),
        ("mistral", "mistral-small-latest"),
    ],
)
def test_models_of_each_maker_have_a_price(endpoint: str, name: str) -> None:
    cost = cost_usd(model(endpoint, name), PLAIN, AT)
    assert cost is not None
    assert 0.05 < cost < 200


def test_a_price_is_that_of_the_maker_s_page() -> None:
    """Gpt-5-mini: 0.25 dollars a million read, 0.025 from the cache, 2 written."""
    usage = UsageFacts(
        input_tokens=1_000_000, cached_tokens=400_000, output_tokens=500_000, reasoning_tokens=10
    )
    cost = cost_usd(model("openai", "gpt-5-mini"), usage, AT)
    assert cost == pytest.approx(0.6 * 0.25 + 0.4 * 0.025 + 0.5 * 2.0)


def test_writing_to_a_cache_costs_more_than_reading_plainly() -> None:
    """Anthropic: 1.25 times the price of what is read, for five minutes."""
    plain = cost_usd(model("anthropic", "claude-sonnet-4-5"), UsageFacts(input_tokens=1000), AT)
    usage = UsageFacts(input_tokens=1000, cache_write_tokens=1000)
    written = cost_usd(model("anthropic", "claude-sonnet-4-5"), usage, AT)
    assert plain is not None
    assert written == pytest.approx(1.25 * plain)


def test_a_local_model_costs_nothing_and_an_unknown_one_nobody_knows_what() -> None:
    assert cost_usd(model("local", "gpt-5-mini"), PLAIN, AT) == 0.0
    assert cost_usd(model("openai", "nobody-knows"), PLAIN, AT) is None
    elsewhere = Endpoint(name="mine", base_url="https://models.example.org/v1")
    assert cost_usd(Model(elsewhere, "gpt-5-mini"), PLAIN, AT) is None


def test_the_reported_name_helps_where_the_asked_one_has_no_price() -> None:
    cost = cost_usd(model("openai", "my-deployment"), PLAIN, AT, "gpt-5-mini-2025-08-07")
    assert cost == cost_usd(model("openai", "gpt-5-mini"), PLAIN, AT)


def test_parts_that_are_more_than_the_whole_are_no_discount() -> None:
    odd = UsageFacts(input_tokens=10, cached_tokens=1000, output_tokens=1)
    cost = cost_usd(model("openai", "gpt-5-mini"), odd, AT)
    assert cost is not None
    assert cost > 0


def test_the_table_says_how_old_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_network(*_args: object) -> None:
        raise AssertionError("the table is asked for on a network")

    monkeypatch.setattr(socket.socket, "connect", no_network)
    told = table(date(2026, 11, 21))
    assert told.startswith("genai-prices ")
    assert ", prices up to 2026-" in told


def test_the_table_is_not_read_before_a_price_is_wanted() -> None:
    code = "import sys, desktop.jobs.llm.prices; sys.exit('genai_prices' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
