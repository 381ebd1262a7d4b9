"""A turn travels as JSON between the built-in agent and the gateway, which believes none of it."""

from __future__ import annotations

import json

import pytest

from desktop.core.code.turn import (
    Turn,
    TurnFault,
    TurnReply,
    fault_json,
    read_fault,
    read_reply,
    read_turn,
    reply_json,
    turn_json,
)
from desktop.core.llm.message import Message, Thought, Tool, ToolCall

CALL = ToolCall(id="1", name="read", arguments='{"path": "a"}', mark='{"x": 1}', provider="google")
SAID = Message("assistant", "I look.", calls=(CALL,), thoughts=(Thought(text="Hm.", id="r"),))
RESULT = Message("tool", "pass", call_id="1", name="read", is_error=True)
TOOL = Tool(name="read", description="Reads.", schema={"type": "object"})


def test_a_turn_is_read_as_it_was_written() -> None:
    turn = Turn(messages=(Message("user", "Gö 🙂"), SAID, RESULT), tools=(TOOL,), tokens_max=9)
    assert read_turn(turn_json(turn)) == turn


def test_a_reply_is_read_as_it_was_written() -> None:
    reply = TurnReply(
        message=SAID, stop="calls", model="m", input_tokens=3, cost_usd=0.5, window_tokens=100
    )
    assert read_reply(reply_json(reply)) == reply


def test_a_text_that_is_no_unicode_does_not_stop_a_turn() -> None:
    turn = Turn(messages=(Message("user", "a file called \udcff"),))
    assert read_turn(turn_json(turn)).messages[0].text == "a file called ?"


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\xff\xfe",
        b"[]",
        b"{}",
        b'{"messages": []}',
        b'{"messages": {}}',
        b'{"messages": [1]}',
        b'{"messages": [{"role": "root", "text": "x"}]}',
        b'{"messages": [{"role": "user", "text": 1}]}',
        b'{"messages": [{"role": "user", "text": "x", "calls": [{"id": 1}]}]}',
        b'{"messages": [{"role": "user", "text": "x"}], "tokens_max": -1}',
        b'{"messages": [{"role": "user", "text": "x"}], "tokens_max": "9"}',
        b'{"messages": [{"role": "user", "text": "x"}], "tools": [{"name": "x"}]}',
        b"[" * 100_000,
    ],
    ids=range(14),
)
def test_what_is_no_turn_is_refused(raw: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - whatever is wrong, it is told as this
        read_turn(raw)


def test_a_fault_is_told_in_words_whatever_came() -> None:
    fault = TurnFault(code="quota", message="Used up.", hint="Wait.")
    assert read_fault(fault_json(fault), 402) == fault
    for raw in (b"", b"<html>", b'{"error": "x"}', json.dumps({"error": {}}).encode()):
        assert "502" in read_fault(raw, 502).message
