"""Calls to a real llama.cpp server, in two formats."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

import pytest

from desktop.core.llm.fault import FaultClass, LlmFault
from desktop.core.llm.types import Endpoint, Format, Message, Model, Reply, Sampling
from desktop.jobs.llm.speaker import Speaker
from shared.kinds import JsonObject
from tests.llm_servers.llamacpp import LlamaServer

ASKED = (Message("system", "Be brief."), Message("user", "Do you pull the lever? A or B?"))
FORMATS = (Format.OPENAI, Format.ANTHROPIC)
STREAMS = pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
IN_BOTH_FORMATS = pytest.mark.parametrize("format_", FORMATS)


@pytest.fixture
async def speaker() -> AsyncIterator[Speaker]:
    made = Speaker()
    yield made
    await made.aclose()


def endpoint(server: LlamaServer, format_: Format = Format.OPENAI) -> Endpoint:
    address = server.base_url if format_ is Format.OPENAI else server.address
    return Endpoint(
        name="local", base_url=address, format=format_, is_local=True, timeout_seconds=30
    )


async def said(
    speaker: Speaker,
    place: Endpoint,
    sampling: Sampling | None = None,
    *,
    stream: bool = True,
    messages: tuple[Message, ...] = ASKED,
    key: str = "",
) -> Reply:
    return await speaker.say(
        Model(place, "tiny2"), messages, sampling or Sampling(), key=key, stream=stream
    )


@STREAMS
@IN_BOTH_FORMATS
async def test_a_reply_brings_all_its_facts(
    llama: LlamaServer, speaker: Speaker, format_: Format, stream: bool
) -> None:
    wish = Sampling(temperature=0.7, top_p=0.9, tokens_max=500)
    reply = await said(speaker, endpoint(llama, format_), wish, stream=stream)
    assert reply.text.strip()
    assert reply.model_reported in llama.models
    assert reply.request_id.startswith("chatcmpl-")
    assert reply.finish_reason == ("stop" if format_ is Format.OPENAI else "end_turn")
    assert not reply.is_refusal
    assert reply.usage.input_tokens > 10
    assert reply.usage.output_tokens > 1
    assert not reply.usage.is_estimated
    assert (reply.first_token_ms is not None) == stream
    assert 0 < (reply.first_token_ms or 1) <= reply.total_ms
    assert reply.sent["model"] == "tiny2"
    assert reply.sent["temperature"] == 0.7
    assert reply.sent["top_p"] == 0.9
    assert reply.sent["max_tokens"] == 500


async def test_the_same_seed_brings_the_same_words_whole_and_streamed(
    llama: LlamaServer, speaker: Speaker
) -> None:
    wish = Sampling(seed=7)
    whole = await said(speaker, endpoint(llama), wish, stream=False)
    streamed = await said(speaker, endpoint(llama), wish, stream=True)
    other = await said(speaker, endpoint(llama), Sampling(seed=8))
    assert whole.text == streamed.text != other.text
    assert whole.usage.output_tokens == streamed.usage.output_tokens
    assert whole.fingerprint == streamed.fingerprint != ""
    assert whole.prompt_sha256 == streamed.prompt_sha256


@IN_BOTH_FORMATS
async def test_what_is_said_has_one_hash_and_no_word_of_it_is_among_the_parameters(
    llama: LlamaServer, speaker: Speaker, format_: Format
) -> None:
    place = endpoint(llama, format_)
    first = await said(speaker, place, Sampling(temperature=0.1))
    again = await said(speaker, place, Sampling(temperature=0.9))
    other = await said(speaker, place, messages=(Message("user", "Something else?"),))
    assert first.prompt_sha256 == again.prompt_sha256 != other.prompt_sha256
    assert "lever" not in json.dumps(first.sent)
    assert "brief" not in json.dumps(first.sent)


async def test_a_conversation_goes_on_from_its_turns(llama: LlamaServer, speaker: Speaker) -> None:
    place = endpoint(llama)
    first = await said(speaker, place)
    then = (*ASKED, Message("assistant", first.text), Message("user", "Are you sure?"))
    reply = await said(speaker, place, messages=then)
    assert reply.usage.input_tokens > first.usage.input_tokens + first.usage.output_tokens / 2


async def test_a_reply_fits_the_schema_that_is_asked_for(
    llama: LlamaServer, speaker: Speaker
) -> None:
    schema: JsonObject = {
        "type": "object",
        "properties": {"choice": {"type": "string", "enum": ["A", "B"]}},
        "required": ["choice"],
        "additionalProperties": False,
    }
    reply = await said(speaker, endpoint(llama), Sampling(response_schema=schema))
    assert json.loads(reply.text)["choice"] in {"A", "B"}


@STREAMS
@IN_BOTH_FORMATS
async def test_a_reply_that_was_cut_short_is_none(
    llama: LlamaServer, speaker: Speaker, format_: Format, stream: bool
) -> None:
    with pytest.raises(LlmFault) as told:
        await said(speaker, endpoint(llama, format_), Sampling(tokens_max=1), stream=stream)
    assert told.value.fault is FaultClass.INVALID_RESPONSE
    assert "cut short" in told.value.message


@STREAMS
@IN_BOTH_FORMATS
async def test_a_text_that_is_too_long_is_told_as_that(
    llama_narrow: LlamaServer, speaker: Speaker, format_: Format, stream: bool
) -> None:
    long = (Message("user", "truth " * 300),)
    with pytest.raises(LlmFault) as told:
        await said(speaker, endpoint(llama_narrow, format_), stream=stream, messages=long)
    assert told.value.fault is FaultClass.CONTEXT_LENGTH
    assert told.value.http_status == 400
    assert not told.value.retryable


@IN_BOTH_FORMATS
async def test_the_key_opens_the_server_and_a_wrong_one_does_not(
    llama_with_key: LlamaServer, speaker: Speaker, format_: Format
) -> None:
    place = endpoint(llama_with_key, format_)
    assert (await said(speaker, place, key=llama_with_key.key)).text
    for wrong in ("", "sk-of-somebody-else"):
        with pytest.raises(LlmFault) as told:
            await said(speaker, place, key=wrong)
        assert told.value.fault is FaultClass.AUTH_ERROR
        assert told.value.http_status == 401


async def test_a_server_that_is_gone_is_told_as_that(speaker: Speaker) -> None:
    nowhere = Endpoint(name="local", base_url="http://127.0.0.1:9/v1", is_local=True)
    with pytest.raises(LlmFault) as told:
        await said(speaker, nowhere)
    assert told.value.fault is FaultClass.NETWORK
    assert told.value.retryable
