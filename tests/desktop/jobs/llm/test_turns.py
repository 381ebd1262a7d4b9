"""A model with tools, in three formats: its calls come, and what it wants back goes back."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from desktop.core.code.turn import Turn
from desktop.core.llm.fault import FaultClass, LlmFault
from desktop.core.llm.message import Message, Tool
from desktop.core.llm.types import Endpoint, Format, Model
from desktop.jobs.llm.house import House
from desktop.jobs.llm.speaker import Speaker
from desktop.jobs.llm.turns import take_turn
from tests.desktop.jobs.llm.raw_answers import answered, streamed
from tests.desktop.jobs.llm.scripted import scripted as answering
from tests.llm_servers import scripted
from tests.llm_servers.scripted import ScriptedModel

KEY = "sk-turns-1234567890"
READ = Tool(
    name="read",
    description="Read a file.",
    schema={
        "type": "object",
        "properties": {"path": {"type": "string"}, "limit": {"type": "integer"}},
        "required": ["path"],
    },
)
FORMATS = list(Format)


@pytest.fixture
def server() -> Iterator[ScriptedModel]:
    with scripted.running({"read": "a.py"}, {"say": "It says {last_result}."}, key=KEY) as model:
        yield model


@asynccontextmanager
async def house_of(key: str = KEY) -> AsyncIterator[House]:
    house = House(lambda: {"TURN_KEY": key}, Speaker())
    try:
        yield house
    finally:
        await house.aclose()


def model_at(base_url: str, format_: Format) -> Model:
    url = f"{base_url}/v1" if format_ is Format.OPENAI else base_url
    place = Endpoint(name="here", base_url=url, format=format_, key_name="TURN_KEY")
    return Model(place, "scripted")


def begun() -> tuple[Message, ...]:
    return (Message("system", "Work."), Message("user", "What does a.py say?"))


@pytest.mark.parametrize("format_", FORMATS)
async def test_a_model_calls_a_tool_and_reads_what_it_gave(
    server: ScriptedModel, format_: Format
) -> None:
    model = model_at(server.address, format_)
    async with house_of() as house:
        first = await take_turn(house, model, Turn(messages=begun(), tools=(READ,)))
        call = first.reply.message.calls[0]
        result = Message("tool", "pass", call_id=call.id, name=call.name)
        said = (*begun(), first.reply.message, result)
        second = await take_turn(house, model, Turn(messages=said, tools=(READ,)))

    assert (first.reply.stop, call.name, json.loads(call.arguments)) == (
        "calls",
        "read",
        {"path": "a.py"},
    )
    assert (second.reply.stop, second.reply.message.text) == ("end", "It says pass.")
    assert second.usage.input_tokens > first.usage.input_tokens > 10
    assert second.reply.input_tokens == second.usage.input_tokens


@pytest.mark.parametrize("format_", FORMATS)
async def test_a_tool_that_failed_is_told_as_such(server: ScriptedModel, format_: Format) -> None:
    model = model_at(server.address, format_)
    async with house_of() as house:
        first = await take_turn(house, model, Turn(messages=begun(), tools=(READ,)))
        call = first.reply.message.calls[0]
        result = Message("tool", "No such file.", call_id=call.id, name=call.name, is_error=True)
        said = (*begun(), first.reply.message, result)
        await take_turn(house, model, Turn(messages=said, tools=(READ,)))
    assert "No such file." in server.requests[-1].text


async def test_several_calls_of_one_turn_stay_together(server: ScriptedModel) -> None:
    model = model_at(server.address, Format.ANTHROPIC)
    async with house_of() as house:
        first = await take_turn(house, model, Turn(messages=begun(), tools=(READ,)))
        one = first.reply.message.calls[0]
        other = type(one)(id="other", name="read", arguments='{"path": "b.py"}')
        both = Message("assistant", "", calls=(one, other))
        results = [Message("tool", "x", call_id=c.id, name="read") for c in both.calls]
        await take_turn(house, model, Turn(messages=(*begun(), both, *results), tools=(READ,)))
    sent = server.requests[-1].body["messages"]
    assert [m["role"] for m in sent] == ["user", "assistant", "user"]
    assert [b["type"] for b in sent[2]["content"]] == ["tool_result", "tool_result"]


async def test_googles_signature_of_a_call_goes_back_with_it() -> None:
    part = {
        "functionCall": {"name": "read", "args": {"path": "a.py"}},
        "thoughtSignature": "c2lnbmVk",
    }
    told = {
        "candidates": [{"content": {"role": "model", "parts": [part]}, "finishReason": "STOP"}],
        "usageMetadata": {"promptTokenCount": 5, "candidatesTokenCount": 5},
    }
    async with answering() as server, house_of() as house:
        server.answers(streamed(told), streamed(told))
        model = model_at(server.base_url.removesuffix("/v1"), Format.GOOGLE)
        first = await take_turn(house, model, Turn(messages=begun(), tools=(READ,)))
        call = first.reply.message.calls[0]
        result = Message("tool", "x", call_id=call.id, name="read")
        said = (*begun(), first.reply.message, result)
        await take_turn(house, model, Turn(messages=said, tools=(READ,)))
    assert server.heard[1]["contents"][1]["parts"][0]["thoughtSignature"] == "c2lnbmVk"


async def test_a_reply_that_was_cut_says_so_and_calls_nothing() -> None:
    call = {"index": 0, "id": "1", "function": {"name": "write", "arguments": '{"path": "a'}}
    chunk: dict[str, Any] = {
        "id": "1",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": "m",
    }
    first = chunk | {"choices": [{"index": 0, "delta": {"content": "I wri", "tool_calls": [call]}}]}
    last = chunk | {"choices": [{"index": 0, "delta": {}, "finish_reason": "length"}]}
    async with answering() as server, house_of() as house:
        server.answers(streamed(first, last, "[DONE]"))
        model = model_at(server.base_url.removesuffix("/v1"), Format.OPENAI)
        taken = await take_turn(house, model, Turn(messages=begun(), tools=(READ,)))
    assert (taken.reply.stop, taken.reply.message.calls) == ("cut", ())


async def test_a_server_without_streams_calls_tools_all_the_same() -> None:
    calls = [
        {"id": f"{n}", "type": "function", "function": {"name": "read", "arguments": f"[{n}]"}}
        for n in (1, 2)
    ]
    message = {"role": "assistant", "content": None, "tool_calls": calls}
    told = {
        "id": "1",
        "object": "chat.completion",
        "created": 1,
        "model": "m",
        "choices": [{"index": 0, "message": message, "finish_reason": "tool_calls"}],
    }
    async with answering() as plain, house_of() as house:
        plain.answers(answered(told))
        model = model_at(plain.base_url.removesuffix("/v1"), Format.OPENAI)
        taken = await take_turn(house, model, Turn(messages=begun(), tools=(READ,)))
    made = taken.reply.message.calls
    assert [(call.id, call.name, call.arguments) for call in made] == [
        ("1", "read", "[1]"),
        ("2", "read", "[2]"),
    ]
    assert taken.usage.is_estimated


@pytest.mark.parametrize("format_", FORMATS)
async def test_a_wrong_key_is_told_at_once(server: ScriptedModel, format_: Format) -> None:
    async with house_of("sk-another-one-1") as house:
        with pytest.raises(LlmFault) as told:
            await take_turn(house, model_at(server.address, format_), Turn(messages=begun()))
    assert told.value.fault is FaultClass.AUTH_ERROR
    assert len(server.requests) == 1


@pytest.mark.parametrize("failure", ["429", "garbage"])
async def test_what_passes_is_tried_again(server: ScriptedModel, failure: str) -> None:
    server.fail(failure)
    async with house_of() as house:
        model = model_at(server.address, Format.OPENAI)
        turn = Turn(messages=begun(), tools=(READ,))
        taken = await take_turn(house, model, turn, sleep=lambda seconds: asyncio.sleep(0))
    assert taken.reply.stop == "calls"
    assert len(server.requests) == 2
