"""What the codec of ACP v1 makes of lines, and of our wishes."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop.core.code.acp import rpc
from desktop.core.code.acp.events import (
    AgentUsage,
    ContextTold,
    Done,
    FormWanted,
    Initialized,
    OptionKind,
    PermissionWanted,
    Planned,
    PlanStep,
    Refused,
    Said,
    SessionReady,
    StopReason,
    ToolTold,
    TurnEnded,
    Withdrawn,
)
from desktop.core.code.acp.v1 import OPEN_MAX, TOOLS_MAX, Codec, McpServer

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                ["id", "method", "params", "result", "error", "update", "sessionUpdate", "content",
                 "toolCall", "options", "requestedSchema", "properties", "type", "oneOf", "enum",
                 "rawInput", "locations", "entries", "modes", "configOptions", "toolCallId"]
            ),
            inner,
            max_size=6,
        )
    ),
    max_leaves=30,
)  # fmt: skip
METHODS = ["session/update", "session/request_permission", "elicitation/create", "$/cancel_request"]


@pytest.fixture
def codec() -> Codec:
    return Codec("1.0")


def lines(codec: Codec) -> list[dict[str, Any]]:
    return [json.loads(line) for line in codec.data_to_send().splitlines()]


def line(**message: Any) -> bytes:
    return json.dumps({"jsonrpc": "2.0", **message}).encode() + b"\n"


def update(**facts: Any) -> bytes:
    return line(method="session/update", params={"sessionId": "s", "update": facts})


def test_a_call_is_answered_by_its_number(codec: Codec) -> None:
    first, second = codec.initialize(), codec.new_session("/clone", ())
    answers = codec.receive_line(line(id=second, result={"sessionId": "s1"}))
    answers += codec.receive_line(
        line(
            id=first,
            result={
                "protocolVersion": 1,
                "agentInfo": {"name": "x", "title": "X", "version": "2"},
                "agentCapabilities": {"loadSession": True, "sessionCapabilities": {"resume": {}}},
                "authMethods": [{"id": "key", "name": "A key"}],
            },
        )
    )

    assert answers == [
        SessionReady(call=second, session_id="s1"),
        Initialized(
            call=first,
            protocol=1,
            name="X",
            version="2",
            can_load=True,
            can_resume=True,
            sign_ins=("A key",),
        ),
    ]


def test_an_answer_counts_once_and_only_for_who_asked(codec: Codec) -> None:
    call = codec.initialize()
    assert codec.receive_line(line(id=call + 1, result={})) == []
    assert len(codec.receive_line(line(id=call, result={}))) == 1
    assert codec.receive_line(line(id=call, result={})) == []


def test_a_session_names_its_folder_and_its_servers(codec: Codec) -> None:
    server = McpServer(name="deskhand", command="python", args=("-I",), env=(("A", "b"),))
    codec.new_session("/clone", (server,))

    assert lines(codec)[0]["params"] == {
        "cwd": "/clone",
        "mcpServers": [
            {
                "name": "deskhand",
                "command": "python",
                "args": ["-I"],
                "env": [{"name": "A", "value": "b"}],
            }
        ],
    }


def test_a_session_tells_its_modes_and_options(codec: Codec) -> None:
    call = codec.new_session("/clone", ())
    option = {
        "id": "m",
        "category": "mode",
        "type": "select",
        "currentValue": "a",
        "options": [{"value": "a"}, {"group": "g", "options": [{"value": "b"}]}],
    }
    (ready,) = codec.receive_line(
        line(
            id=call,
            result={
                "sessionId": "s",
                "modes": {"currentModeId": "ask", "availableModes": [{"id": "ask"}, {}, 7]},
                "configOptions": [option, {"id": "on", "type": "boolean"}, None],
            },
        )
    )

    assert isinstance(ready, SessionReady)
    assert (ready.modes, ready.mode) == (("ask",), "ask")
    assert [(o.id, o.category, o.value, o.values) for o in ready.options] == [
        ("m", "mode", "a", ("a", "b"))
    ]


@pytest.mark.parametrize(
    ("told", "reason"),
    [
        ("end_turn", StopReason.END_TURN),
        ("max_tokens", StopReason.MAX_TOKENS),
        ("cancelled", StopReason.CANCELLED),
        ("bored", StopReason.UNKNOWN),
        (None, StopReason.UNKNOWN),
    ],
)
def test_a_turn_ends_for_a_reason(codec: Codec, told: str | None, reason: StopReason) -> None:
    call = codec.prompt("s", "x")
    usage = {"inputTokens": 5, "outputTokens": -1, "cachedReadTokens": True}
    (ended,) = codec.receive_line(line(id=call, result={"stopReason": told, "usage": usage}))

    assert ended == TurnEnded(call=call, reason=reason, usage=AgentUsage(input_tokens=5))


def test_an_error_is_told_with_what_is_in_its_data(codec: Codec) -> None:
    calls = [codec.set_mode("s", "m"), codec.set_option("s", "o", "v"), codec.initialize()]
    errors = [
        {"code": -32601, "message": "Method not found"},
        {"code": -32000, "message": "Internal", "data": {"details": "no key"}},
        "odd",
    ]
    told = [
        event
        for call, error in zip(calls, errors, strict=True)
        for event in codec.receive_line(line(id=call, error=error))
    ]

    assert [
        (e.message, e.is_unknown_method, e.is_sign_in) for e in told if isinstance(e, Refused)
    ] == [
        ("Method not found", True, False),
        ("Internal: no key", False, True),
        ("no reason given", False, False),
    ]


def test_a_mode_that_is_set_is_done(codec: Codec) -> None:
    call = codec.set_mode("s", "m")
    assert codec.receive_line(line(id=call, result=None)) == [Done(call)]


def test_updates_of_a_tool_are_laid_over_each_other(codec: Codec) -> None:
    codec.receive_line(
        update(
            sessionUpdate="tool_call",
            toolCallId="1",
            title="Run tests",
            kind="execute",
            rawInput={"command": ["pytest", "-q"]},
        )
    )
    (told,) = codec.receive_line(
        update(sessionUpdate="tool_call_update", toolCallId="1", title=None, status="completed")
    )

    assert isinstance(told, ToolTold)
    assert not told.is_new
    tool = told.tool
    assert (tool.title, tool.kind, tool.status) == ("Run tests", "execute", "completed")
    assert tool.command == "pytest -q"


def test_a_permission_request_without_a_title_has_that_of_the_tool(codec: Codec) -> None:
    codec.receive_line(
        update(sessionUpdate="tool_call", toolCallId="1", title="Edit a.py", kind="edit")
    )
    (wanted,) = codec.receive_line(
        line(
            id=7,
            method="session/request_permission",
            params={
                "sessionId": "s",
                "toolCall": {
                    "toolCallId": "1",
                    "title": None,
                    "content": [{"type": "diff", "path": "/clone/a.py", "newText": "x"}],
                },
                "options": [
                    {"optionId": "y", "kind": "allow_once"},
                    {"optionId": "z", "kind": "allow_forever"},
                    {"kind": "reject_once"},
                ],
            },
        )
    )

    assert isinstance(wanted, PermissionWanted)
    assert (wanted.tool.title, wanted.tool.paths) == ("Edit a.py", ("/clone/a.py",))
    assert [(o.id, o.kind) for o in wanted.options] == [("y", OptionKind.ALLOW_ONCE)]

    codec.choose(wanted.asked, "y")
    chosen = {"outcome": {"outcome": "selected", "optionId": "y"}}
    assert lines(codec) == [{"jsonrpc": "2.0", "id": 7, "result": chosen}]


def test_two_tools_that_begin_alike_are_told_apart(codec: Codec) -> None:
    tools = []
    for end in "ab":
        (told,) = codec.receive_line(
            update(
                sessionUpdate="tool_call", toolCallId=end, rawInput={"content": "x" * 5000 + end}
            )
        )
        assert isinstance(told, ToolTold)
        tools.append(told.tool)

    assert tools[0].given == tools[1].given
    assert tools[0].digest != tools[1].digest


def test_a_cancelled_turn_answers_all_that_is_open_once(codec: Codec) -> None:
    codec.receive_line(permission(1))
    codec.receive_line(form(2))
    codec.cancel("s")
    codec.choose(1, "late")
    codec.fill_in(2, {})

    assert [(m.get("method"), m.get("id"), m.get("result")) for m in lines(codec)] == [
        ("session/cancel", None, None),
        (None, 1, {"outcome": {"outcome": "cancelled"}}),
        (None, 2, {"action": "cancel"}),
    ]


def test_a_request_that_is_taken_back_is_answered_as_cancelled(codec: Codec) -> None:
    codec.receive_line(form("f"))
    events = codec.receive_line(line(method="$/cancel_request", params={"requestId": "f"}))

    assert events == [Withdrawn(1)]
    assert lines(codec)[0]["error"]["code"] == rpc.REQUEST_CANCELLED
    codec.decline(1)
    assert lines(codec) == []


def test_more_open_requests_than_anybody_answers_are_refused(codec: Codec) -> None:
    events = [event for n in range(OPEN_MAX + 3) for event in codec.receive_line(permission(n))]

    assert len(events) == OPEN_MAX
    assert [m["error"]["code"] for m in lines(codec)] == [rpc.INTERNAL_ERROR] * 3


@pytest.mark.parametrize("mode", ["url", "telepathy"])
def test_what_is_no_form_is_declined(codec: Codec, mode: str) -> None:
    assert codec.receive_line(form(1, mode=mode)) == []
    assert lines(codec)[0]["result"] == {"action": "decline"}


def test_a_form_is_read_with_its_fields(codec: Codec) -> None:
    (wanted,) = codec.receive_line(form(1))
    assert isinstance(wanted, FormWanted)
    assert [(f.name, [o.label for o in f.options]) for f in wanted.fields] == [
        ("size", ["Small", "l"])
    ]


def test_history_that_is_told_again_is_not_heard(codec: Codec) -> None:
    call = codec.load_session("s", "/clone", ())
    said = update(sessionUpdate="agent_message_chunk", content={"type": "text", "text": "old"})

    assert codec.receive_line(said) == []
    assert codec.receive_line(line(id=call, result=None)) == [
        SessionReady(call=call, session_id="s")
    ]
    assert codec.receive_line(said) == [Said("old")]


def test_plan_and_context_are_told(codec: Codec) -> None:
    entries = [{"content": "a", "status": "completed"}, {"content": "b", "status": "pending"}]
    assert codec.receive_line(update(sessionUpdate="plan", entries=entries)) == [
        Planned((PlanStep("a", is_done=True), PlanStep("b", is_done=False)))
    ]
    assert codec.receive_line(update(sessionUpdate="usage_update", used=5, size=10)) == [
        ContextTold(used_tokens=5, size_tokens=10)
    ]


def test_tools_are_remembered_within_a_bound(codec: Codec) -> None:
    for number in range(TOOLS_MAX + 50):
        codec.receive_line(update(sessionUpdate="tool_call", toolCallId=str(number), title="x"))

    assert len(codec._tools) == TOOLS_MAX


def test_an_unknown_method_is_not_left_waiting(codec: Codec) -> None:
    codec.receive_line(line(id="a", method="terminal/create", params={}))
    assert lines(codec) == [
        {
            "jsonrpc": "2.0",
            "id": "a",
            "error": {"code": -32601, "message": "Method not found: terminal/create"},
        }
    ]


@given(
    method=st.none() | st.sampled_from(METHODS),
    body=st.dictionaries(st.sampled_from(["id", "result", "error", "params"]), JSON),
)
def test_no_message_of_an_agent_breaks_the_codec(method: str | None, body: dict[str, Any]) -> None:
    codec = Codec("1.0")
    codec.initialize()
    codec.new_session("/clone", ())
    codec.prompt("s", "x")
    message = body | ({"method": method} if method else {})
    codec.receive_line(json.dumps(message).encode())
    codec.cancel("s")

    for sent in codec.data_to_send().splitlines():
        json.loads(sent)


@given(st.binary(max_size=200))
def test_no_noise_breaks_the_codec(noise: bytes) -> None:
    Codec("1.0").receive_line(noise)


@pytest.mark.parametrize(
    "noise",
    [b"", b"\n", b"[1]", b'{"id": 1' + b"0" * 5000 + b', "result": 1}', b"{" * 100_000, b'{"a":1}'],
    ids=["empty", "newline", "list", "long number", "deep", "neither"],
)
def test_what_is_no_message_is_nothing(noise: bytes) -> None:
    assert rpc.read(noise) is None


def permission(number: int | str) -> bytes:
    params = {"sessionId": "s", "toolCall": {"toolCallId": "1"}, "options": []}
    return line(id=number, method="session/request_permission", params=params)


def form(number: int | str, *, mode: str = "form") -> bytes:
    options = [{"const": "s", "title": "Small"}, {"const": "l"}]
    schema = {"type": "object", "properties": {"size": {"type": "string", "oneOf": options}}}
    params = {"sessionId": "s", "mode": mode, "message": "Which?", "requestedSchema": schema}
    return line(id=number, method="elicitation/create", params=params)
