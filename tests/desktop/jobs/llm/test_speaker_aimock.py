"""Calls in three formats, as another project reads them, and the ways in which they fail there."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from desktop.core.llm.fault import FaultClass, LlmFault
from desktop.core.llm.types import Endpoint, Format, Message, Model, Reply, Sampling
from desktop.jobs.llm.speaker import Speaker
from tests.llm_servers.aimock import Aimock

ASKED = (Message("system", "Be brief."), Message("user", "a trolley comes"))
MODELS = {
    "openai": "gpt-4.1",
    "anthropic": "claude-sonnet-5",
    "google": "gemini-2.5-flash",
    "xai": "grok-4",
    "deepseek": "deepseek-chat",
    "mistral": "mistral-small-latest",
}
STREAMS = pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
OF_EACH = pytest.mark.parametrize("provider", list(MODELS))
TAUGHT: dict[str, Any] = {
    "match": {"userMessage": "trolley"},
    "response": {
        "content": "B, I think. It is the smaller harm, and I could explain it to anybody.",
        "model": "m-2026-11-01",
        "usage": {"prompt_tokens": 31, "completion_tokens": 17, "total_tokens": 48},
    },
}


@pytest.fixture
async def speaker() -> AsyncIterator[Speaker]:
    made = Speaker()
    yield made
    await made.aclose()


def model(aimock: Aimock, provider: str) -> Model:
    format_ = Format(provider) if provider in {"anthropic", "google"} else Format.OPENAI
    address = aimock.openai_url if format_ is Format.OPENAI else aimock.address
    place = Endpoint(
        name=provider, base_url=address, format=format_, key_name="KEY", timeout_seconds=20
    )
    return Model(place, MODELS[provider])


async def said(
    speaker: Speaker, asked: Model, wish: Sampling | None = None, *, stream: bool = True
) -> Reply:
    return await speaker.say(asked, ASKED, wish or Sampling(), key="sk-mock", stream=stream)


async def fault(speaker: Speaker, asked: Model, *, stream: bool = True) -> LlmFault:
    with pytest.raises(LlmFault) as told:
        await said(speaker, asked, stream=stream)
    return told.value


@STREAMS
@OF_EACH
async def test_words_usage_and_finish_come_through(
    aimock: Aimock, speaker: Speaker, provider: str, stream: bool
) -> None:
    aimock.teach(TAUGHT)
    reply = await said(speaker, model(aimock, provider), stream=stream)
    response = TAUGHT["response"]
    assert reply.text == response["content"]
    assert reply.finish_reason.lower() in {"stop", "end_turn"}
    assert reply.request_id
    # Anthropic's library streams by itself when a reply may be long.
    assert (reply.first_token_ms is not None) == (stream or provider == "anthropic")
    if provider == "mistral" and stream:
        # Mistral tells its usage unasked, and refuses who asks; aimock waits to be asked.
        assert reply.usage.is_estimated
    else:
        assert (reply.usage.input_tokens, reply.usage.output_tokens) == (31, 17)
        assert not reply.usage.is_estimated
    if provider != "google":
        assert reply.model_reported == response["model"]


@OF_EACH
async def test_each_provider_is_asked_in_its_own_words(
    aimock: Aimock, speaker: Speaker, provider: str
) -> None:
    aimock.teach(TAUGHT)
    wish = Sampling(temperature=0.5, seed=7, tokens_max=300)
    reply = await said(speaker, model(aimock, provider), wish)
    sent: Any = reply.sent
    match provider:
        case "openai":
            assert sent["max_completion_tokens"] == 300
            assert sent["seed"] == 7
            assert sent["stream_options"] == {"include_usage": True}
        case "mistral":
            assert sent["max_tokens"] == 300
            assert sent["random_seed"] == 7
            assert "seed" not in sent
            assert "stream_options" not in sent
        case "google":
            assert sent["generationConfig"]["maxOutputTokens"] == 300
            assert sent["generationConfig"]["seed"] == 7
        case "anthropic":
            assert sent["max_tokens"] == 300
        case _:
            assert sent["max_tokens"] == 300
            assert sent["seed"] == 7


async def test_a_parameter_that_a_model_does_not_take_is_seen_to_be_left_out(
    aimock: Aimock, speaker: Speaker
) -> None:
    aimock.teach(TAUGHT)
    asked = Model(model(aimock, "openai").endpoint, "gpt-5-mini")
    reply = await said(speaker, asked, Sampling(temperature=0.5, tokens_max=300))
    assert "temperature" not in reply.sent


@STREAMS
@OF_EACH
async def test_a_limit_is_told_with_its_wait_after_one_call(
    aimock: Aimock, speaker: Speaker, provider: str, stream: bool
) -> None:
    aimock.chaos(rateLimitRate=1.0)
    told = await fault(speaker, model(aimock, provider), stream=stream)
    assert told.fault is FaultClass.RATE_LIMIT
    assert told.wait_seconds == 1.0
    assert len(aimock.journal()) == 1


@STREAMS
@OF_EACH
async def test_an_answer_that_is_no_json_is_told_as_that(
    aimock: Aimock, speaker: Speaker, provider: str, stream: bool
) -> None:
    aimock.chaos(malformedRate=1.0)
    told = await fault(speaker, model(aimock, provider), stream=stream)
    assert told.fault is FaultClass.INVALID_RESPONSE
    assert len(aimock.journal()) == 1


@STREAMS
@OF_EACH
async def test_a_line_that_breaks_is_told_as_that(
    aimock: Aimock, speaker: Speaker, provider: str, stream: bool
) -> None:
    aimock.chaos(disconnectRate=1.0)
    told = await fault(speaker, model(aimock, provider), stream=stream)
    assert told.fault is FaultClass.NETWORK
    assert told.retryable


@OF_EACH
async def test_a_server_error_is_told_as_that(
    aimock: Aimock, speaker: Speaker, provider: str
) -> None:
    aimock.chaos(dropRate=1.0)
    told = await fault(speaker, model(aimock, provider))
    assert told.fault is FaultClass.SERVER
    assert len(aimock.journal()) == 1


@OF_EACH
async def test_an_answer_that_takes_too_long_is_a_timeout(
    aimock: Aimock, speaker: Speaker, provider: str
) -> None:
    aimock.teach(TAUGHT)
    asked = model(aimock, provider)
    await said(speaker, asked)
    aimock.chaos(latencyMs=5000)
    hasty = Model(asked.endpoint.model_copy(update={"timeout_seconds": 0.2}), asked.name)
    told = await fault(speaker, hasty)
    assert told.fault is FaultClass.TIMEOUT
    assert told.retryable
