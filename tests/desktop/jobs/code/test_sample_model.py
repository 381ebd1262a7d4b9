"""The model that knows one repair by heart, asked by somebody else's client of its format."""

from __future__ import annotations

import json
from typing import Any

from openai import OpenAI

from desktop.jobs.code.builtin.tools.offered import TOOLS
from desktop.jobs.code.samples import till
from desktop.jobs.code.samples.model import MODEL, call_of, knowing, serving


def offered() -> list[Any]:
    return [
        {
            "type": "function",
            "function": {
                "name": tool.name, "description": tool.description, "parameters": tool.schema,
            },
        }
        for tool in TOOLS.values()
    ]  # fmt: skip


def test_each_step_calls_a_tool_of_the_agent_as_its_schema_wants() -> None:
    for step in till.STEPS:
        name, arguments = call_of(step)
        schema: Any = TOOLS[name].schema
        assert set(schema["required"]) <= set(arguments) <= set(schema["properties"]), step


def test_a_conversation_takes_one_step_after_the_other_and_ends() -> None:
    with serving(knowing(till.STEPS)) as address:
        client = OpenAI(base_url=address, api_key="none")
        messages: list[Any] = [{"role": "user", "content": till.INSTRUCTIONS}]
        called = []
        for _ in till.STEPS:
            told = client.chat.completions.create(model=MODEL, messages=messages, tools=offered())
            message = told.choices[0].message
            assert message.tool_calls
            call: Any = message.tool_calls[0]
            called.append((call.function.name, json.loads(call.function.arguments)))
            result = {"role": "tool", "tool_call_id": call.id, "content": "as told"}
            messages += [message.model_dump(exclude_none=True), result]
        last = client.chat.completions.create(model=MODEL, messages=messages, tools=offered())
        assert last.choices[0].message.content == "Done."
        assert called == [call_of(step) for step in till.STEPS]
        assert [model.id for model in client.models.list()] == [MODEL]


def test_a_stream_says_the_same() -> None:
    with serving(knowing(till.STEPS)) as address:
        client = OpenAI(base_url=address, api_key="none")
        stream = client.chat.completions.create(
            model=MODEL, messages=[{"role": "user", "content": "Mend it."}], tools=offered(),
            stream=True,
        )  # fmt: skip
        pieces = list(stream)
    calls = [call for piece in pieces for c in piece.choices for call in c.delta.tool_calls or ()]
    [call] = calls
    assert call.function is not None
    assert json.loads(call.function.arguments or "") == {"path": "till/report.py"}
    assert pieces[-1].usage is not None
