"""What an answer is worth: replies, refusals, and answers that are none. Over a real socket."""

from __future__ import annotations

import gzip
import json
from collections.abc import AsyncIterator

import pytest

from desktop.core.llm.fault import FaultClass, LlmFault
from desktop.core.llm.types import Endpoint, Format, Message, Model, Reply, Sampling
from desktop.jobs.llm import wire
from desktop.jobs.llm.speaker import Speaker
from tests.desktop.jobs.llm.error_server import failing
from tests.desktop.jobs.llm.raw_answers import Told, answered, chat, chunk, claude, gemini, streamed

ASKED = (Message("user", "Do you pull the lever?"),)


@pytest.fixture
async def speaker() -> AsyncIterator[Speaker]:
    made = Speaker()
    yield made
    await made.aclose()


async def said(
    speaker: Speaker,
    raw: bytes,
    format_: Format = Format.OPENAI,
    *,
    stream: bool = False,
    name: str = "here",
) -> Reply:
    async with failing({"m": raw}) as address:
        base = f"{address}/v1" if format_ is Format.OPENAI else address
        place = Endpoint(name=name, base_url=base, format=format_, timeout_seconds=10)
        return await speaker.say(Model(place, "m"), ASKED, Sampling(tokens_max=99), stream=stream)


async def fault(
    speaker: Speaker, raw: bytes, format_: Format = Format.OPENAI, *, stream: bool = False
) -> LlmFault:
    with pytest.raises(LlmFault) as told:
        await said(speaker, raw, format_, stream=stream)
    return told.value


async def test_usage_is_split_as_it_is_reported(speaker: Speaker) -> None:
    usage: Told = {
        "prompt_tokens": 100,
        "completion_tokens": 50,
        "total_tokens": 150,
        "prompt_tokens_details": {"cached_tokens": 60, "cache_write_tokens": 7},
        "completion_tokens_details": {"reasoning_tokens": 40},
    }
    facts = (await said(speaker, answered(chat(usage=usage)))).usage
    assert (facts.input_tokens, facts.output_tokens) == (100, 50)
    assert (facts.cached_tokens, facts.cache_write_tokens, facts.reasoning_tokens) == (60, 7, 40)


async def test_reasoning_that_stands_in_the_sum_alone_counts_as_output(speaker: Speaker) -> None:
    usage: Told = {
        "prompt_tokens": 100,
        "completion_tokens": 50,
        "total_tokens": 190,
        "completion_tokens_details": {"reasoning_tokens": 40},
    }
    facts = (await said(speaker, answered(chat(usage=usage)))).usage
    assert (facts.output_tokens, facts.reasoning_tokens) == (90, 40)


async def test_anthropics_input_has_its_cached_parts_in_it(speaker: Speaker) -> None:
    usage: Told = {"cache_read_input_tokens": 60, "cache_creation_input_tokens": 7}
    facts = (await said(speaker, answered(claude("B", usage=usage)), Format.ANTHROPIC)).usage
    assert (facts.input_tokens, facts.cached_tokens, facts.cache_write_tokens) == (77, 60, 7)


async def test_googles_output_has_its_thoughts_in_it(speaker: Speaker) -> None:
    usage: Told = {
        "promptTokenCount": 100,
        "candidatesTokenCount": 50,
        "thoughtsTokenCount": 40,
        "cachedContentTokenCount": 60,
        "totalTokenCount": 190,
    }
    facts = (await said(speaker, answered(gemini("B", usage=usage)), Format.GOOGLE)).usage
    assert (facts.input_tokens, facts.output_tokens) == (100, 90)
    assert (facts.cached_tokens, facts.reasoning_tokens) == (60, 40)


async def test_what_is_not_reported_is_estimated_and_says_so(speaker: Speaker) -> None:
    facts = (await said(speaker, answered(chat("Because I said so.")))).usage
    assert facts.is_estimated
    assert facts.input_tokens > 0
    assert facts.output_tokens > 0


async def test_who_answered_is_told_as_they_say_it(speaker: Speaker) -> None:
    raw = answered(chat(), headers=["x-request-id: req-77"])
    reply = await said(speaker, raw)
    assert reply.model_reported == "m-2026-11-01"
    assert reply.request_id == "req-77"
    assert reply.fingerprint == "fp_1"


async def test_reasoning_is_no_part_of_the_words(speaker: Speaker) -> None:
    told = chat("B", message={"reasoning_content": "Five lives."})
    assert (await said(speaker, answered(told))).text == "B"


@pytest.mark.parametrize(
    ("format_", "told"),
    [
        (Format.OPENAI, chat("")),
        (Format.OPENAI, chat("  \n")),
        (Format.OPENAI, chat(None, message={"reasoning_content": "Five lives are more."})),
        (Format.OPENAI, chat("<think>Five lives are more.</think>")),
        (Format.OPENAI, chat("B because", "length")),
        (Format.OPENAI, chat("B", None)),
        (Format.OPENAI, chat("B", "")),
        (Format.OPENAI, chat("B", "tool_calls")),
        (Format.ANTHROPIC, claude(None)),
        (Format.ANTHROPIC, claude("B because", "max_tokens")),
        (Format.ANTHROPIC, claude("B because", "pause_turn")),
        (Format.GOOGLE, gemini(None)),
        (Format.GOOGLE, gemini("B because", "MAX_TOKENS")),
        (Format.GOOGLE, gemini("B", "MALFORMED_FUNCTION_CALL")),
    ],
    ids=lambda value: None if isinstance(value, dict) else str(value),
)
async def test_an_empty_or_broken_off_reply_is_no_reply(
    speaker: Speaker, format_: Format, told: Told
) -> None:
    found = await fault(speaker, answered(told), format_)
    assert found.fault is FaultClass.INVALID_RESPONSE


async def test_a_stream_that_breaks_off_is_no_reply(speaker: Speaker) -> None:
    cut = streamed(chunk({"content": "B because"}))
    assert (await fault(speaker, cut, stream=True)).fault is FaultClass.INVALID_RESPONSE
    ended = streamed(chunk({"content": "B because"}), "[DONE]")
    assert (await fault(speaker, ended, stream=True)).fault is FaultClass.INVALID_RESPONSE


@pytest.mark.parametrize("end", [b"", b"data: [DONE]", b"data: [DONE]\n", b"data: [DONE]\n\n\n\n"])
async def test_a_stream_may_end_as_it_likes_once_its_reply_has(
    speaker: Speaker, end: bytes
) -> None:
    raw = streamed(chunk({"content": "B"}), chunk({}, "stop")) + end
    assert (await said(speaker, raw, stream=True)).text == "B"


async def test_a_server_that_knows_no_streams_is_understood(speaker: Speaker) -> None:
    usage: Told = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}
    told = chat("B", usage=usage, message={"reasoning_content": "Five lives."})
    reply = await said(speaker, answered(told), stream=True)
    assert (reply.text, reply.finish_reason, reply.fingerprint) == ("B", "stop", "fp_1")
    assert (reply.usage.input_tokens, reply.usage.is_estimated) == (10, False)
    assert reply.first_token_ms is None
    refused = chat(None, message={"refusal": "I won't."})
    assert (await said(speaker, answered(refused), stream=True)).is_refusal
    for broken in (chat(""), chat("B", "length"), chat("B", None)):
        found = await fault(speaker, answered(broken), stream=True)
        assert found.fault is FaultClass.INVALID_RESPONSE


async def test_an_error_with_a_good_status_has_its_class(speaker: Speaker) -> None:
    error: Told = {"error": {"message": "busy", "code": "server_is_overloaded"}}
    assert (await fault(speaker, answered(error), stream=True)).fault is FaultClass.OVERLOADED


async def test_a_conversation_that_outgrew_the_model_is_told_as_that(speaker: Speaker) -> None:
    raw = answered(claude("B because", "model_context_window_exceeded"))
    assert (await fault(speaker, raw, Format.ANTHROPIC)).fault is FaultClass.CONTEXT_LENGTH


@pytest.mark.parametrize(
    ("format_", "told", "words"),
    [
        (Format.OPENAI, chat(None, message={"refusal": "I won't."}), "I won't."),
        (Format.OPENAI, chat("I was about to", "content_filter"), "I was about to"),
        (Format.ANTHROPIC, claude("I was about to", "refusal"), "I was about to"),
        (Format.ANTHROPIC, claude(None, "refusal"), ""),
        (Format.GOOGLE, gemini(None, "SAFETY"), ""),
        (Format.GOOGLE, gemini(None, "PROHIBITED_CONTENT"), ""),
    ],
    ids=["refusal", "filter", "claude", "claude-silent", "safety", "prohibited"],
)
async def test_a_refusal_is_a_reply(
    speaker: Speaker, format_: Format, told: Told, words: str
) -> None:
    reply = await said(speaker, answered(told), format_)
    assert reply.is_refusal
    assert reply.text == words
    assert reply.finish_reason


async def test_a_streamed_refusal_is_a_reply_with_its_words(speaker: Speaker) -> None:
    raw = streamed(
        chunk({"role": "assistant", "refusal": "I "}),
        chunk({"refusal": "won't."}),
        chunk({}, "stop"),
        "[DONE]",
    )
    reply = await said(speaker, raw, stream=True)
    assert reply.is_refusal
    assert reply.text == "I won't."


async def test_a_question_that_is_blocked_is_a_fault(speaker: Speaker) -> None:
    told: Told = {
        "promptFeedback": {"blockReason": "PROHIBITED_CONTENT"},
        "usageMetadata": {"promptTokenCount": 10, "totalTokenCount": 10},
        "modelVersion": "gemini-x-001",
    }
    found = await fault(speaker, answered(told), Format.GOOGLE)
    assert found.fault is FaultClass.CONTENT_FILTER
    assert not found.retryable
    assert "PROHIBITED_CONTENT" in found.message


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        ({"message": "slow down", "type": "rate_limit_error"}, FaultClass.RATE_LIMIT),
        ({"message": "busy", "code": "server_is_overloaded"}, FaultClass.OVERLOADED),
        ({"message": "oops"}, FaultClass.SERVER),
    ],
    ids=["rate", "overloaded", "unknown"],
)
async def test_an_error_inside_a_stream_has_its_class(
    speaker: Speaker, error: Told, kind: FaultClass
) -> None:
    raw = streamed(chunk({"content": "B"}), {"error": error})
    assert (await fault(speaker, raw, stream=True)).fault is kind


async def test_an_error_inside_a_stream_of_anthropics_has_its_class(speaker: Speaker) -> None:
    error: Told = {"type": "overloaded_error", "message": "Overloaded"}
    raw = streamed({"type": "error", "error": error}, named=True)
    told = await fault(speaker, raw, Format.ANTHROPIC, stream=True)
    assert told.fault is FaultClass.OVERLOADED


@pytest.mark.parametrize("status", [301, 302, 307, 308])
async def test_nobody_is_followed_to_another_address(speaker: Speaker, status: int) -> None:
    async with failing({"m": answered(chat("from elsewhere"))}) as elsewhere:
        to = f"Location: {elsewhere}/v1/chat/completions"
        raw = answered("", status=f"{status} Elsewhere", headers=[to])
        told = await fault(speaker, raw)
    assert told.fault is FaultClass.BAD_REQUEST
    assert "another address" in told.message


async def test_an_answer_without_end_is_let_go(speaker: Speaker) -> None:
    told = await fault(speaker, answered(b"[" + b" " * (wire.REPLY_BYTES_MAX + 1)))
    assert told.fault is FaultClass.INVALID_RESPONSE
    assert "does not end" in told.message


async def test_what_is_compressed_is_not_unpacked(speaker: Speaker) -> None:
    # Given megabytes that take a few kilobytes on their way, and an error like that.
    packed = gzip.compress(json.dumps(chat("x" * 5_000_000)).encode())
    headers = ("Content-Encoding: gzip",)

    # When they come, although nobody asked for that.
    reply = await fault(speaker, answered(packed, headers=headers))
    error = await fault(speaker, answered(packed, status="401 Unauthorized", headers=headers))

    # Then neither is read, and the error is known by its status.
    assert reply.fault is FaultClass.INVALID_RESPONSE
    assert "compressed" in reply.message
    assert error.fault is FaultClass.AUTH_ERROR


async def test_an_error_without_end_still_has_its_class(speaker: Speaker) -> None:
    raw = answered("x" * (wire.ERROR_BYTES_MAX * 2), status="503 Busy")
    told = await fault(speaker, raw)
    assert told.fault is FaultClass.OVERLOADED
    assert len(str(told)) < 1000


@pytest.mark.parametrize(
    "raw",
    [
        answered("<html>hello</html>"),
        answered("[]"),
        answered("{}"),
        answered('"B"'),
        answered("null"),
        answered(b"\xff\xfe\x00"),
        answered({"choices": []}),
        answered({"choices": "B"}),
        streamed("nonsense"),
        streamed(),
    ],
    ids=["html", "list", "empty", "text", "null", "bytes", "none", "odd", "stream", "silence"],
)
@pytest.mark.parametrize("format_", list(Format))
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
async def test_an_answer_in_no_known_format_is_no_reply(
    speaker: Speaker, raw: bytes, format_: Format, stream: bool
) -> None:
    told = await fault(speaker, raw, format_, stream=stream)
    assert told.fault is FaultClass.INVALID_RESPONSE
    assert told.retryable


async def test_a_key_in_the_number_of_a_request_is_blotted_out(speaker: Speaker) -> None:
    raw = answered(chat("", "length"), headers=("X-Request-Id: of Canary.sings",))
    async with failing({"m": raw}) as address:
        place = Endpoint(name="here", base_url=f"{address}/v1", timeout_seconds=10)
        with pytest.raises(LlmFault) as told:
            await speaker.say(Model(place, "m"), ASKED, Sampling(), key="Canary.sings")
    assert told.value.request_id == "of [redacted]"
