"""Tokens of replies as four APIs tell them, whole, in streams cut anywhere, and not at all."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop.core.code.agent_profiles import GatewayApi
from desktop.core.code.model_usage import ReplyTally
from shared.kinds.llm import UsageFacts

CHAT, RESPONSES, MESSAGES, GEMINI = (
    GatewayApi.CHAT,
    GatewayApi.RESPONSES,
    GatewayApi.MESSAGES,
    GatewayApi.GEMINI,
)
CHAT_USAGE = {
    "prompt_tokens": 100,
    "completion_tokens": 20,
    "total_tokens": 120,
    "prompt_tokens_details": {"cached_tokens": 64},
    "completion_tokens_details": {"reasoning_tokens": 12},
}
RESPONSES_USAGE = {
    "input_tokens": 100,
    "output_tokens": 20,
    "input_tokens_details": {"cached_tokens": 64},
    "output_tokens_details": {"reasoning_tokens": 12},
}
MESSAGES_USAGE = {
    "input_tokens": 30,
    "cache_read_input_tokens": 64,
    "cache_creation_input_tokens": 6,
    "output_tokens": 20,
}
GEMINI_USAGE = {
    "promptTokenCount": 100,
    "cachedContentTokenCount": 64,
    "candidatesTokenCount": 8,
    "thoughtsTokenCount": 12,
}
OPENAI = UsageFacts(input_tokens=100, output_tokens=20, cached_tokens=64, reasoning_tokens=12)
ANTHROPIC = UsageFacts(input_tokens=100, output_tokens=20, cached_tokens=64, cache_write_tokens=6)


def tally(api: GatewayApi, *chunks: bytes, stream: bool = False, sent: int = 400) -> ReplyTally:
    made = ReplyTally(api, sent, is_stream=stream)
    for chunk in chunks:
        made.feed(chunk)
    made.end()
    return made


def told(*events: object) -> bytes:
    return b"".join(
        b"event: x\ndata: "
        + (e.encode() if isinstance(e, str) else json.dumps(e).encode())
        + b"\n\n"
        for e in events
    )


WHOLE: list[tuple[GatewayApi, object, UsageFacts]] = [
    (CHAT, {"model": "m", "usage": CHAT_USAGE}, OPENAI),
    (RESPONSES, {"model": "m", "usage": RESPONSES_USAGE}, OPENAI),
    (MESSAGES, {"model": "m", "usage": MESSAGES_USAGE}, ANTHROPIC),
    (GEMINI, {"modelVersion": "m", "usageMetadata": GEMINI_USAGE}, OPENAI),
    (GEMINI, [{"x": 1}, {"modelVersion": "m", "usageMetadata": GEMINI_USAGE}], OPENAI),
]
STREAMS: list[tuple[GatewayApi, bytes, UsageFacts]] = [
    (
        CHAT,
        told(
            {"model": "m", "choices": [{"delta": {"content": 'a "usage" b'}}], "usage": None},
            {"model": "m", "choices": [], "usage": CHAT_USAGE},
            "[DONE]",
        ),
        OPENAI,
    ),
    (
        RESPONSES,
        told(
            {"type": "response.created", "response": {"model": "m", "usage": None}},
            {"type": "response.output_text.delta", "delta": "a"},
            {"type": "response.completed", "response": {"model": "m", "usage": RESPONSES_USAGE}},
        ),
        OPENAI,
    ),
    (
        MESSAGES,
        told(
            {
                "type": "message_start",
                "message": {"model": "m", "usage": MESSAGES_USAGE | {"output_tokens": 1}},
            },
            {"type": "content_block_delta", "delta": {"type": "text_delta", "text": "a"}},
            {"type": "message_delta", "delta": {}, "usage": {"output_tokens": 20}},
            {"type": "message_stop"},
        ),
        ANTHROPIC,
    ),
    (
        GEMINI,
        told(
            {"modelVersion": "m", "usageMetadata": {"promptTokenCount": 100}},
            {"modelVersion": "m", "usageMetadata": GEMINI_USAGE},
        ),
        OPENAI,
    ),
]


@pytest.mark.parametrize(("api", "body", "usage"), WHOLE)
def test_a_whole_reply_tells_its_tokens(api: GatewayApi, body: object, usage: UsageFacts) -> None:
    made = tally(api, json.dumps(body).encode())
    assert made.usage() == usage
    assert made.model_reported == "m"


@pytest.mark.parametrize(("api", "stream", "usage"), STREAMS, ids=[s[0].value for s in STREAMS])
@given(size=st.integers(1, 200))
def test_a_stream_tells_its_tokens_wherever_it_is_cut_into_pieces(
    api: GatewayApi, stream: bytes, usage: UsageFacts, size: int
) -> None:
    for raw in (stream, stream.replace(b"\n", b"\r\n")):
        pieces = [raw[place : place + size] for place in range(0, len(raw), size)]
        made = tally(api, *pieces, stream=True)
        assert made.usage() == usage
        assert made.model_reported == "m"


def test_reasoning_that_stands_in_the_sum_alone_is_counted() -> None:
    usage = {"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 200}
    assert tally(CHAT, json.dumps({"usage": usage}).encode()).usage().output_tokens == 100


def test_deepseeks_word_for_cached_tokens_is_known() -> None:
    usage = {"prompt_tokens": 10, "completion_tokens": 1, "prompt_cache_hit_tokens": 8}
    assert tally(CHAT, json.dumps({"usage": usage}).encode()).usage().cached_tokens == 8


@pytest.mark.parametrize("api", [CHAT, RESPONSES, MESSAGES, GEMINI])
def test_where_nothing_is_told_the_tokens_are_estimated(api: GatewayApi) -> None:
    stream = tally(api, told(*[{"x": "word"}] * 50), stream=True, sent=4000).usage()
    assert (stream.input_tokens, stream.output_tokens) == (1000, 50)
    whole = tally(api, json.dumps({"x": "y" * 400}).encode(), sent=4000).usage()
    assert whole.output_tokens >= 100
    assert stream.is_estimated
    assert whole.is_estimated


def test_who_hangs_up_before_anthropic_told_the_output_pays_for_what_came() -> None:
    start = {"type": "message_start", "message": {"usage": {"input_tokens": 9, "output_tokens": 1}}}
    delta = {"type": "content_block_delta", "delta": {"text": "a"}}
    usage = tally(MESSAGES, told(start, *[delta] * 30), stream=True).usage()
    assert (usage.input_tokens, usage.output_tokens) == (9, 31)
    assert usage.is_estimated


@pytest.mark.parametrize(
    "usage",
    [
        {"prompt_tokens": -5, "completion_tokens": "20"},
        {"prompt_tokens": True, "completion_tokens": 1.5},
        {"prompt_tokens": 10**30, "completion_tokens": None},
        {"prompt_tokens_details": 5, "completion_tokens_details": []},
        [],
        "much",
    ],
)
def test_numbers_that_are_none_are_estimated(usage: object) -> None:
    made = tally(CHAT, json.dumps({"usage": usage}).encode(), sent=400).usage()
    assert made.is_estimated
    assert made.input_tokens == 100


@given(
    api=st.sampled_from([CHAT, RESPONSES, MESSAGES, GEMINI]),
    chunks=st.lists(st.binary(max_size=80), max_size=10),
    stream=st.booleans(),
)
def test_whatever_comes_is_counted_somehow(
    api: GatewayApi, chunks: list[bytes], stream: bool
) -> None:
    usage = tally(api, *chunks, stream=stream).usage()
    assert usage.input_tokens >= 0
    assert usage.output_tokens >= 0
