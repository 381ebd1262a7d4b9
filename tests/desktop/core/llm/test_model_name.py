"""A model's name leads to who has it, and an unknown one to the nearest that is known."""

from __future__ import annotations

import pytest

from desktop.core.llm.endpoints import BUILT_IN, with_built_in
from desktop.core.llm.fault import FaultClass, LlmFault
from desktop.core.llm.model_name import find_model
from desktop.core.llm.types import Endpoint

HOUSE = Endpoint(
    name="house",
    base_url="http://10.0.0.7:9000/v1",
    is_local=True,
    models=("qwen3-32b", "mistral:7b", "gpt-oss-120b"),
)
KNOWN = with_built_in((HOUSE,))


@pytest.mark.parametrize(
    ("name", "full_name"),
    [
        ("openai:gpt-5-mini", "openai:gpt-5-mini"),
        ("OpenAI:gpt-5-mini", "openai:gpt-5-mini"),
        ("gemini:gemini-2.5-pro", "google:gemini-2.5-pro"),
        ("x-ai:grok-4.3", "xai:grok-4.3"),
        ("local:tiny", "local:tiny"),
        ("ollama:llama3:8b", "ollama:llama3:8b"),
        ("ollama:mistral:7b", "ollama:mistral:7b"),
        ("vllm:Qwen/Qwen3-8B", "vllm:Qwen/Qwen3-8B"),
        ("openai:ft:gpt-4o:acme::x1", "openai:ft:gpt-4o:acme::x1"),
        ("local:gpt-oss:20b", "local:gpt-oss:20b"),
        # the policy's own lists
        ("qwen3-32b", "house:qwen3-32b"),
        ("mistral:7b", "house:mistral:7b"),
        ("gpt-oss-120b", "house:gpt-oss-120b"),
        # patterns
        ("gpt-5-mini", "openai:gpt-5-mini"),
        ("o4-mini", "openai:o4-mini"),
        ("ft:gpt-4o-mini:acme::x1", "openai:ft:gpt-4o-mini:acme::x1"),
        ("claude-sonnet-5", "anthropic:claude-sonnet-5"),
        ("gemini-2.5-flash", "google:gemini-2.5-flash"),
        ("grok-4.3", "xai:grok-4.3"),
        ("deepseek-chat", "deepseek:deepseek-chat"),
        ("codestral-2508", "mistral:codestral-2508"),
        ("ministral-8b-latest", "mistral:ministral-8b-latest"),
        # names and tags of Ollama's, and open weights
        ("llama3:8b", "ollama:llama3:8b"),
        ("deepseek-r1:7b", "ollama:deepseek-r1:7b"),
        ("gpt-oss:20b", "ollama:gpt-oss:20b"),
        ("gemma3:27b-it-qat", "ollama:gemma3:27b-it-qat"),
        ("qwen2.5-coder:latest", "ollama:qwen2.5-coder:latest"),
        ("gpt-oss-20b", "local:gpt-oss-20b"),
    ],
)
def test_a_name_leads_to_who_has_the_model(name: str, full_name: str) -> None:
    assert find_model(name, KNOWN).full_name == full_name


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("openai/gpt-5-mini", "openai:gpt-5-mini"),
        ("GPT-5", "openai:gpt-5"),
        ("opnai:gpt-5-mini", "openai:gpt-5-mini"),
        ("qwen3_32b", "house:qwen3-32b"),
        ("anthropic/claude-opus-5", "anthropic:claude-opus-5"),
    ],
)
def test_an_unknown_name_is_answered_with_the_nearest(name: str, meant: str) -> None:
    with pytest.raises(LlmFault) as caught:
        find_model(name, KNOWN)

    assert caught.value.fault is FaultClass.UNSUPPORTED_PROVIDER
    assert f"Did you mean {meant}?" in caught.value.message
    assert not caught.value.retryable


@pytest.mark.parametrize(
    "name",
    [
        "canada-model",
        "context-embedder",
        "my-gpt-4",
        "notclaude-3",
        "llama-3-70b",
        "zzz",
        "",
        "openai:",
        ":gpt-5",
        "gpt-5 mini",
        "gpt-5\n",
        "gpt-5\x1b[31m",
        "g" * 5000,
    ],
)
def test_what_only_looks_like_a_name_is_refused(name: str) -> None:
    with pytest.raises(LlmFault) as caught:
        find_model(f"{name}x" if name == "gpt-5\n" else name, KNOWN)

    told = caught.value
    assert told.fault is FaultClass.UNSUPPORTED_PROVIDER
    for endpoint in KNOWN:
        assert f"{endpoint.name}:" in told.hint
    assert "\x1b" not in told.message
    assert len(told.message) < 300


def test_a_name_with_two_meanings_is_asked_back() -> None:
    with pytest.raises(LlmFault) as caught:
        find_model("mistral:7b", BUILT_IN)

    assert "ollama:mistral:7b" in caught.value.hint


def test_the_policys_endpoint_comes_before_the_built_in_one() -> None:
    proxy = Endpoint(name="openai", base_url="https://proxy.example.org/v1")

    assert find_model("gpt-5-mini", with_built_in((proxy,))).endpoint is proxy
    assert len({endpoint.name for endpoint in with_built_in((proxy,))}) == len(BUILT_IN)


def test_every_model_in_the_offline_price_list_leads_to_its_maker() -> None:
    prices = pytest.importorskip("genai_prices.data")
    ours = {"x-ai": "xai"}
    six = {"openai", "anthropic", "google", "x-ai", "deepseek", "mistral"}
    served_for_others = {"claude-": "anthropic", "deepseek-": "deepseek", "gpt-oss-": "local"}
    wrong = {}
    seen = 0
    for provider in prices.providers:
        if provider.id not in six:
            continue
        for model in provider.models:
            maker = next(
                (to for start, to in served_for_others.items() if model.id.startswith(start)),
                ours.get(provider.id, provider.id),
            )
            found = find_model(model.id, BUILT_IN)
            seen += 1
            if found.full_name != f"{maker}:{model.id}":
                wrong[model.id] = found.full_name

    assert wrong == {}
    assert seen > 250
