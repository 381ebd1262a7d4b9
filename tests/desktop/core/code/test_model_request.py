"""What leaves the box in a request: the work order's model, and no way out through a provider."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop.core.code.model_apis import Route, route_of
from desktop.core.code.model_request import outgoing
from shared.errors import BadInput


def route(target: str) -> Route:
    found = route_of("POST", target)
    assert found is not None
    return found


CHAT = route("/v1/chat/completions")
RESPONSES = route("/v1/responses")
MESSAGES = route("/v1/messages")
GEMINI = route("/v1beta/models/x:generateContent")
COUNT = route("/v1beta/models/x:countTokens")


def sent(way: Route, **body: object) -> dict[str, object]:
    told: dict[str, object] = json.loads(outgoing(way, "ours", json.dumps(body).encode()).body)
    return told


@pytest.mark.parametrize("way", [CHAT, RESPONSES, MESSAGES], ids=["chat", "responses", "messages"])
def test_the_model_is_the_orders(way: Route) -> None:
    assert sent(way, model="dear-one")["model"] == "ours"
    assert sent(way)["model"] == "ours"


def test_gemini_has_its_model_in_the_path() -> None:
    assert "model" not in sent(GEMINI, contents=[])
    counted = sent(COUNT, generateContentRequest={"model": "models/dear", "contents": []})
    assert counted["generateContentRequest"] == {"model": "models/ours", "contents": []}


def test_a_stream_of_chat_completions_tells_its_tokens() -> None:
    plain = outgoing(CHAT, "m", b'{"stream": true}')
    asked = outgoing(CHAT, "m", b'{"stream": true, "stream_options": {"include_usage": true}}')
    more = outgoing(CHAT, "m", b'{"stream": true, "stream_options": {"x": 1}}')
    assert (plain.hides_usage, asked.hides_usage, more.hides_usage) == (True, False, True)
    assert json.loads(more.body)["stream_options"] == {"x": 1, "include_usage": True}
    assert "stream_options" not in json.loads(outgoing(CHAT, "m", b"{}").body)


def test_mistral_is_not_told_what_it_refuses() -> None:
    raw = b'{"stream": true, "stream_options": {"include_usage": true}, "max_completion_tokens": 9}'
    going = outgoing(CHAT, "m", raw, host="api.mistral.ai")
    assert json.loads(going.body) == {"stream": True, "max_tokens": 9, "model": "m"}
    assert not going.hides_usage
    assert b"stream_options" in outgoing(CHAT, "m", raw, host="api.openai.com").body


@pytest.mark.parametrize(
    ("way", "tool"),
    [
        (CHAT, {"type": "function", "function": {"name": "f"}}),
        (CHAT, {"type": "custom", "custom": {"name": "f"}}),
        (RESPONSES, {"type": "function", "name": "f"}),
        (RESPONSES, {"type": "local_shell"}),
        (RESPONSES, {"type": "namespace", "name": "n", "tools": [{"type": "function"}]}),
        (MESSAGES, {"name": "f", "input_schema": {}}),
        (MESSAGES, {"type": "custom", "name": "f"}),
        (MESSAGES, {"type": "bash_20250124", "name": "bash"}),
        (MESSAGES, {"type": "text_editor_20250728", "name": "edit"}),
        (GEMINI, {"functionDeclarations": [{"name": "f"}]}),
    ],
)
def test_tools_that_the_agent_runs_itself_stay(way: Route, tool: object) -> None:
    assert sent(way, tools=[tool])["tools"] == [tool]


@pytest.mark.parametrize(
    ("way", "tool"),
    [
        (RESPONSES, {"type": "web_search"}),
        (RESPONSES, {"type": "web_search_preview"}),
        (RESPONSES, {"type": "code_interpreter", "container": {"type": "auto"}}),
        (RESPONSES, {"type": "mcp", "server_url": "https://evil.example.org"}),
        (RESPONSES, {"type": "function", "server_url": "https://evil.example.org"}),
        (RESPONSES, {"type": "file_search"}),
        (RESPONSES, {"type": "image_generation"}),
        (RESPONSES, {"type": "shell", "environment": {"type": "container_auto"}}),
        (RESPONSES, {"type": "something_new"}),
        (RESPONSES, {"type": ["function"]}),
        (RESPONSES, {"type": 5}),
        (MESSAGES, {"type": "web_search_20250305", "name": "web_search"}),
        (MESSAGES, {"type": "web_fetch_20250910", "name": "web_fetch"}),
        (MESSAGES, {"type": "code_execution_20250825", "name": "code_execution"}),
        (MESSAGES, {"type": "mcp_toolset", "mcp_server_name": "x"}),
        (MESSAGES, {"type": 5, "name": "x"}),
        (GEMINI, {"googleSearch": {}}),
        (GEMINI, {"urlContext": {}}),
        (GEMINI, {"codeExecution": {}}),
        (CHAT, {"type": "web_search"}),
        (CHAT, "web_search"),
    ],
)
def test_tools_that_a_provider_runs_are_taken_out(way: Route, tool: object) -> None:
    told = sent(way, tools=[tool], tool_choice="auto")
    assert "tools" not in told
    assert "tool_choice" not in told
    own: dict[str, object]
    own = {"functionDeclarations": []} if way is GEMINI else {"type": "function", "name": "f"}
    own = {"name": "f"} if way is MESSAGES else own
    assert sent(way, tools=[tool, own])["tools"] == [own]


def test_a_namespace_holds_no_tool_of_a_providers() -> None:
    inner = [{"type": "function"}, {"type": "web_search"}, 5]
    told = sent(RESPONSES, tools=[{"type": "namespace", "tools": inner}])
    assert told["tools"] == [{"type": "namespace", "tools": [{"type": "function"}]}]


@pytest.mark.parametrize(
    ("way", "name"),
    [
        (CHAT, "web_search_options"),
        (CHAT, "service_tier"),
        (CHAT, "search_parameters"),
        (CHAT, "enable_search"),
        (CHAT, "search_settings"),
        (RESPONSES, "search_parameters"),
        (RESPONSES, "background"),
        (RESPONSES, "prompt"),
        (RESPONSES, "conversation"),
        (MESSAGES, "mcp_servers"),
        (MESSAGES, "container"),
        (GEMINI, "cachedContent"),
    ],
)
def test_work_elsewhere_is_left_out_and_told(way: Route, name: str) -> None:
    going = outgoing(way, "m", json.dumps({name: {"a": 1}}).encode())
    assert name not in json.loads(going.body)
    assert going.left_out == (name,)


LINK = "https://evil.example.org/?q=secret"
DATA = "data:image/png;base64,AAAA"


@pytest.mark.parametrize(
    ("way", "field", "part"),
    [
        (CHAT, "messages", {"type": "image_url", "image_url": {"url": "@"}}),
        (CHAT, "messages", {"type": "image_url", "image_url": "@"}),
        (CHAT, "messages", {"type": "video_url", "video_url": {"url": "@"}}),
        (RESPONSES, "input", {"type": "input_image", "image_url": "@"}),
        (RESPONSES, "input", {"type": "input_file", "file_url": "@"}),
        (RESPONSES, "input", {"type": "computer_screenshot", "image_url": "@"}),
    ],
)
def test_a_link_is_refused_and_what_is_in_the_text_itself_is_not(
    way: Route, field: str, part: object
) -> None:
    told = json.dumps({field: [{"role": "user", "content": [part]}]})
    with pytest.raises(BadInput) as caught:
        outgoing(way, "m", told.replace("@", LINK).encode())
    assert caught.value.code == "request_links"
    assert DATA.encode() in outgoing(way, "m", told.replace("@", DATA).encode()).body


@pytest.mark.parametrize("kind", ["image", "document"])
def test_anthropics_links_are_refused(kind: str) -> None:
    for where in ({"content": [{"type": kind, "source": {"type": "url", "url": LINK}}]},):
        result = {"content": [{"type": "tool_result", "content": where["content"]}]}
        for message in (where, result):
            with pytest.raises(BadInput):
                sent(MESSAGES, messages=[{"role": "user", **message}])


def test_geminis_links_are_refused() -> None:
    part = {"fileData": {"fileUri": LINK, "mimeType": "text/html"}}
    with pytest.raises(BadInput):
        sent(GEMINI, contents=[{"role": "user", "parts": [part]}])


def test_a_link_that_nobody_fetches_passes() -> None:
    text = [{"role": "user", "content": f"See {LINK}"}]
    assert sent(CHAT, messages=text)["messages"] == text
    call = {"type": "tool_use", "id": "1", "name": "f", "input": {"type": "url", "url": LINK}}
    said = [{"role": "assistant", "content": [call]}]
    assert sent(MESSAGES, messages=said)["messages"] == said
    args = {"functionCall": {"name": "f", "args": {"fileData": {"fileUri": LINK}}}}
    parts = [{"role": "model", "parts": [args]}]
    assert sent(GEMINI, contents=parts)["contents"] == parts


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=10),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["type", "tools", "url", "model", "input", "x"]), inner)
    ),
    max_leaves=20,
)


@pytest.mark.parametrize("way", [CHAT, RESPONSES, MESSAGES, GEMINI], ids=["c", "r", "m", "g"])
@given(told=st.dictionaries(st.sampled_from(["tools", "messages", "input", "stream"]), JSON))
def test_whatever_comes_is_sent_or_refused(way: Route, told: dict[str, object]) -> None:
    try:
        going = outgoing(way, "ours", json.dumps(told).encode())
    except BadInput:
        return
    assert isinstance(json.loads(going.body), dict)


@pytest.mark.parametrize("raw", [b"", b"[]", b"5", b"{", b"\xff", b"[" * 100_000])
def test_what_is_no_object_is_told(raw: bytes) -> None:
    with pytest.raises(BadInput) as caught:
        outgoing(CHAT, "m", raw)
    assert caught.value.code == "request_invalid"
