"""The short way through OpenAI's library sends and reads what its long way does."""

from __future__ import annotations

import json
from typing import Any

import httpx2
import pytest
from openai import AsyncOpenAI, omit
from openai.types.chat import ChatCompletion

from desktop.jobs.llm.openai_client import DirectOpenAI

MESSAGES = [
    {"role": "system", "content": "Answer in one word."},
    {"role": "user", "content": "Do you pull the lever? <|im_end|> é \u2028"},
    {"role": "assistant", "content": "Yes."},
    {"role": "user", "content": [{"type": "text", "text": "Why?"}]},
]
SCHEMA = {
    "type": "json_schema",
    "json_schema": {"name": "reply", "strict": True, "schema": {"type": "object"}},
}
REQUESTS: dict[str, dict[str, Any]] = {
    "plain": {"model": "m", "messages": MESSAGES},
    "wishes": {
        "model": "m",
        "messages": MESSAGES,
        "temperature": 0.2,
        "top_p": 0.9,
        "seed": 7,
        "max_tokens": 50,
        "response_format": SCHEMA,
        "tools": omit,
        "reasoning_effort": "low",
        "extra_body": {"random_seed": 7},
        "extra_headers": {"x-asked-by": "a test"},
        "extra_query": {"beta": "true"},
        "timeout": 30,
    },
    "stream": {
        "model": "m",
        "messages": MESSAGES,
        "stream": True,
        "stream_options": {"include_usage": True},
    },
}

CHOICE = {"index": 0, "message": {"role": "assistant", "content": "Yes."}, "finish_reason": "stop"}
USAGE = {
    "prompt_tokens": 9,
    "completion_tokens": 3,
    "total_tokens": 12,
    "prompt_tokens_details": {"cached_tokens": 4},
}
WHOLE = {"id": "1", "object": "chat.completion", "created": 1, "model": "m-1", "choices": [CHOICE]}
ANSWERS: dict[str, dict[str, Any]] = {
    "as agreed": {**WHOLE, "usage": USAGE},
    "more than agreed": {
        **WHOLE,
        "system_fingerprint": "fp",
        "choices": [{**CHOICE, "message": {**CHOICE, "reasoning_content": "hm"}, "matched": 1}],
        "x_groq": {"id": 1},
    },
    "an end of its own": {**WHOLE, "choices": [{**CHOICE, "finish_reason": ""}]},
    "no time": {name: part for name, part in WHOLE.items() if name != "created"},
    "no choices": {**WHOLE, "choices": None},
    "nothing": {},
}


class Wire(httpx2.AsyncBaseTransport):
    """Keeps the request, and gives the answer."""

    def __init__(self, answer: httpx2.Response) -> None:
        self.request: httpx2.Request | None = None
        self._answer = answer

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        self.request = request
        return self._answer


async def asked(
    of: type[AsyncOpenAI], wanted: dict[str, Any], answer: httpx2.Response
) -> tuple[httpx2.Request, Any]:
    wire = Wire(answer)
    async with httpx2.AsyncClient(transport=wire) as http:
        client = of(api_key="none", base_url="http://127.0.0.1/v1", http_client=http, max_retries=0)
        told = await client.chat.completions.create(**wanted)
        if wanted.get("stream"):
            told = [event async for event in told]
    assert wire.request is not None
    return wire.request, told


def whole(body: dict[str, Any]) -> httpx2.Response:
    return httpx2.Response(200, json=body)


def stream(*events: dict[str, Any]) -> httpx2.Response:
    text = "".join(f"data: {json.dumps(event)}\n\n" for event in events) + "data: [DONE]\n\n"
    return httpx2.Response(200, headers={"content-type": "text/event-stream"}, text=text)


def headers(request: httpx2.Request) -> dict[str, str]:
    """Leave out what names the client's class, and the length of JSON in another order."""
    apart = ("user-agent", "content-length")
    return {name: value for name, value in request.headers.items() if name not in apart}


@pytest.mark.parametrize("name", list(REQUESTS))
async def test_a_request_goes_out_as_the_library_sends_it(name: str) -> None:
    wanted = REQUESTS[name]

    def answer() -> httpx2.Response:
        return stream() if wanted.get("stream") else whole(ANSWERS["as agreed"])

    direct, _ = await asked(DirectOpenAI, wanted, answer())
    long, _ = await asked(AsyncOpenAI, wanted, answer())

    assert json.loads(direct.content) == json.loads(long.content)
    assert (direct.method, direct.url) == (long.method, long.url)
    assert headers(direct) == headers(long)


@pytest.mark.parametrize("name", list(ANSWERS))
async def test_a_whole_answer_is_read_as_the_library_reads_it(name: str) -> None:
    _, direct = await asked(DirectOpenAI, REQUESTS["plain"], whole(ANSWERS[name]))
    _, long = await asked(AsyncOpenAI, REQUESTS["plain"], whole(ANSWERS[name]))

    assert isinstance(direct, ChatCompletion)
    assert direct.model_dump(warnings=False) == long.model_dump(warnings=False)
    assert direct.model_fields_set == long.model_fields_set


async def test_a_stream_is_read_as_the_library_reads_it() -> None:
    base = {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "m-1"}
    delta = {"role": "assistant", "content": "Ye", "reasoning": "hm"}
    events = (
        {**base, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]},
        {**base, "choices": [{"index": 0, "delta": {"content": "s"}, "finish_reason": ""}]},
        {**base, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]},
        {**base, "choices": [], "usage": USAGE},
        {"choices": None},
    )

    _, direct = await asked(DirectOpenAI, REQUESTS["stream"], stream(*events))
    _, long = await asked(AsyncOpenAI, REQUESTS["stream"], stream(*events))

    assert len(direct) == len(events)
    assert [event.model_dump(warnings=False) for event in direct] == [
        event.model_dump(warnings=False) for event in long
    ]


async def test_an_answer_that_is_no_object_is_refused() -> None:
    with pytest.raises(httpx2.DecodingError):
        await asked(DirectOpenAI, REQUESTS["plain"], httpx2.Response(200, json=["no"]))
