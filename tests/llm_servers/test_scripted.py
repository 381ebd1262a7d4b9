"""The scripted model is understood by the libraries of the three providers, and fails as told."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import anthropic
import httpx2
import openai
import pytest
from google import genai

from tests.llm_servers import scripted
from tests.llm_servers.scripted import ScriptedModel

STEPS = (
    {"read": "a.py"},
    {"ask": "Which?", "options": ["x", "y"]},
    {"say": "It is {last_result}."},
)
PATH = {
    "type": "object",
    "properties": {"path": {"type": "string"}, "limit": {"type": "integer"}},
    "required": ["path"],
}
QUESTION = {
    "type": "object",
    "properties": {
        "question": {"type": "string"},
        "options": {"type": "array", "items": {"type": "string"}},
    },
    "required": ["question"],
}
TOOLS = (("read_file", PATH), ("mcp__desk__ask_human", QUESTION))
EXPECTED = [
    ("read_file", {"path": "a.py"}),
    ("mcp__desk__ask_human", {"question": "Which?", "options": ["x", "y"]}),
    "It is y.",
]
RESULTS = ["1: pass", "y"]


@pytest.fixture
def model() -> Iterator[ScriptedModel]:
    with scripted.running(*STEPS) as server:
        yield server


def by_chat(model: ScriptedModel, *, stream: bool) -> list[Any]:
    client = openai.OpenAI(api_key="k", base_url=model.openai_url, max_retries=0)
    tools: Any = [
        {"type": "function", "function": {"name": name, "parameters": schema}}
        for name, schema in TOOLS
    ]
    said: list[Any] = [{"role": "user", "content": "Go."}]
    made: list[Any] = []
    with client:
        for result in [*RESULTS, ""]:
            told: Any
            if stream:
                with client.chat.completions.stream(
                    model="m", messages=said, tools=tools, stream_options={"include_usage": True}
                ) as coming:
                    told = coming.get_final_completion()
            else:
                told = client.chat.completions.create(model="m", messages=said, tools=tools)
            assert told.usage
            assert told.usage.total_tokens > 2
            message = told.choices[0].message
            if not message.tool_calls:
                made.append(message.content)
                break
            call: Any = message.tool_calls[0]
            made.append((call.function.name, json.loads(call.function.arguments)))
            function = {"name": call.function.name, "arguments": call.function.arguments}
            kept = {"id": call.id, "type": "function", "function": function}
            said += [
                {"role": "assistant", "content": None, "tool_calls": [kept]},
                {"role": "tool", "tool_call_id": call.id, "content": result},
            ]
    return made


def by_responses(model: ScriptedModel, *, stream: bool) -> list[Any]:
    client = openai.OpenAI(api_key="k", base_url=model.openai_url, max_retries=0)
    functions = [{"type": "function", "name": name, "parameters": s} for name, s in TOOLS]
    tools: Any = [functions[0], {"type": "namespace", "name": "mcp__desk", "tools": functions[1:]}]
    said: list[Any] = [{"role": "user", "content": "Go."}]
    made: list[Any] = []
    with client:
        for result in [*RESULTS, ""]:
            if stream:
                told: Any = None
                for event in client.responses.create(
                    model="m", input=said, tools=tools, stream=True
                ):
                    if event.type == "response.completed":
                        told = event.response
            else:
                told = client.responses.create(model="m", input=said, tools=tools)
            assert told.usage.total_tokens > 2
            item = told.output[0]
            if item.type != "function_call":
                made.append(told.output_text)
                break
            made.append((item.name, json.loads(item.arguments)))
            if item.name.endswith("ask_human"):
                assert item.model_dump()["namespace"] == "mcp__desk"
            output = {"type": "function_call_output", "call_id": item.call_id, "output": result}
            said += [item.model_dump(exclude_none=True), output]
    return made


def by_messages(model: ScriptedModel, *, stream: bool) -> list[Any]:
    client = anthropic.Anthropic(api_key="k", base_url=model.address, max_retries=0)
    tools: Any = [{"name": name, "input_schema": schema} for name, schema in TOOLS]
    said: list[Any] = [{"role": "user", "content": "Go."}]
    made: list[Any] = []
    with client:
        for result in [*RESULTS, ""]:
            asked: Any = {"model": "m", "messages": said, "tools": tools, "max_tokens": 100}
            if stream:
                with client.messages.stream(**asked) as coming:
                    told = coming.get_final_message()
            else:
                told = client.messages.create(**asked)
            assert told.usage.input_tokens > 1
            block: Any = told.content[0]
            if block.type == "text":
                made.append(block.text)
                break
            made.append((block.name, block.input))
            kept = {"type": "tool_use", "id": block.id, "name": block.name, "input": block.input}
            back = {"type": "tool_result", "tool_use_id": block.id, "content": result}
            said += [{"role": "assistant", "content": [kept]}, {"role": "user", "content": [back]}]
    return made


def by_gemini(model: ScriptedModel, *, stream: bool) -> list[Any]:
    client = genai.Client(api_key="k", http_options=genai.types.HttpOptions(base_url=model.address))
    declared: Any = [{"name": name, "parameters_json_schema": schema} for name, schema in TOOLS]
    config: Any = {
        "tools": [{"function_declarations": declared}],
        "automatic_function_calling": {"disable": True},
    }
    said: list[Any] = [{"role": "user", "parts": [{"text": "Go."}]}]
    made: list[Any] = []
    with client:
        for result in [*RESULTS, ""]:
            if stream:
                told = list(
                    client.models.generate_content_stream(model="m", contents=said, config=config)
                )
            else:
                told = [client.models.generate_content(model="m", contents=said, config=config)]
            assert told[-1].usage_metadata
            parts: Any = [p for one in told for p in one.candidates[0].content.parts]  # type: ignore[index,union-attr]
            call = parts[0].function_call
            if call is None:
                made.append("".join(part.text for part in parts))
                break
            made.append((call.name, call.args))
            back = {"name": call.name, "response": {"output": result}}
            said += [
                {"role": "model", "parts": [{"function_call": {"name": call.name, "args": {}}}]},
                {"role": "user", "parts": [{"function_response": back}]},
            ]
    return made


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
@pytest.mark.parametrize("drive", [by_chat, by_responses, by_messages, by_gemini])
def test_the_script_is_done_in_every_format(model: ScriptedModel, drive: Any, stream: bool) -> None:
    assert drive(model, stream=stream) == EXPECTED


def ask(model: ScriptedModel, **more: Any) -> httpx2.Response:
    function = {"name": "read", "parameters": PATH}
    body = {
        "model": "m",
        "messages": [{"role": "user", "content": "Go."}],
        "tools": [{"type": "function", "function": function}],
    }
    return httpx2.post(f"{model.openai_url}/chat/completions", json=body | more, timeout=5)


def test_a_request_without_tools_gets_a_title(model: ScriptedModel) -> None:
    told = ask(model, tools=[]).json()
    assert told["choices"][0]["message"]["content"] == "Scripted work"


def test_a_request_for_json_gets_what_fits_its_schema(model: ScriptedModel) -> None:
    schema = {
        "type": "object",
        "properties": {"next": {"enum": ["user", "model"]}, "why": {"type": "string"}},
        "required": ["next"],
    }
    config = {"responseMimeType": "application/json", "responseJsonSchema": schema}
    body = {"contents": [], "generationConfig": config}
    told = httpx2.post(f"{model.address}/v1beta/models/m:generateContent", json=body).json()
    text = told["candidates"][0]["content"]["parts"][0]["text"]
    assert json.loads(text) == {"next": "user"}


def test_each_failure_hits_one_request_in_its_turn(model: ScriptedModel) -> None:
    model.fail("429", "500", "garbage")
    statuses = [ask(model).status_code for _ in range(4)]
    assert statuses == [429, 500, 200, 200]
    assert ask(model).json()["choices"][0]["message"]["tool_calls"]


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
def test_an_answer_can_be_cut(model: ScriptedModel, stream: bool) -> None:
    model.fail("cut")
    with pytest.raises(httpx2.RemoteProtocolError):
        ask(model, stream=stream)


def test_a_wrong_key_is_refused_and_kept_among_the_requests() -> None:
    with scripted.running({"say": "Hello."}, key="right") as model:
        assert ask(model).status_code == 401
        assert model.requests[-1].headers["host"] in model.address
        assert len(model.asked) == 1


def test_a_script_goes_on_after_its_own_words() -> None:
    with scripted.running({"say": "One."}, {"read": "b.py"}) as model:
        messages = [
            {"role": "user", "content": "Go."},
            {"role": "assistant", "content": "One."},
            {"role": "user", "content": "And now?"},
        ]
        told = ask(model, messages=messages).json()["choices"][0]["message"]
        assert json.loads(told["tool_calls"][0]["function"]["arguments"]) == {"path": "b.py"}


def test_an_agent_with_nothing_but_a_shell_edits_by_it() -> None:
    with scripted.running({"edit": "a.py", "old": "1", "new": "2"}) as model:
        schema = {
            "type": "object",
            "properties": {"command": {"type": "array", "items": {"type": "string"}}},
            "required": ["command"],
        }
        tools = [{"type": "function", "function": {"name": "shell", "parameters": schema}}]
        told = ask(model, tools=tools).json()["choices"][0]["message"]["tool_calls"][0]
        command = json.loads(told["function"]["arguments"])["command"]
        assert command[:2] == ["bash", "-lc"]
        assert "replace" in command[2]
