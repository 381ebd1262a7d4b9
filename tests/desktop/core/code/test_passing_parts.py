"""What is done to answers on their way: an event taken out, keys blotted, faults put in shape."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop.core.code.agent_profiles import GatewayApi
from desktop.core.code.api_fault import (
    fault_of,
    fault_of_budget,
    fault_of_provider,
    words_for,
)
from desktop.core.code.blotter import Blotter
from desktop.core.code.budget import Excess, Limit
from desktop.core.code.event_stream import Pieces
from desktop.core.llm.fault import FaultClass, LlmFault

KEY = "sk-canary-0123456789"
APIS = (GatewayApi.CHAT, GatewayApi.RESPONSES, GatewayApi.MESSAGES, GatewayApi.GEMINI)


def fault(class_: FaultClass, words: str = "Provider says a lot.") -> LlmFault:
    return LlmFault(class_, words, endpoint="house")


def cut(raw: bytes, size: int) -> list[bytes]:
    return [raw[place : place + size] for place in range(0, len(raw), size)]


def event(told: object) -> bytes:
    return b"data: " + json.dumps(told).encode() + b"\n\n"


USAGE = event({"choices": [], "usage": {"prompt_tokens": 1}})
WORD = event({"choices": [{"delta": {"content": "a"}}], "usage": None})


@given(size=st.integers(1, 150))
def test_only_the_event_with_the_tokens_is_taken_out(size: int) -> None:
    last = event({"choices": [{"delta": {}}], "usage": {"prompt_tokens": 1}})
    stream = WORD + b": comment\n\n" + USAGE + last + b"data: [DONE]\n\n" + b"data: cut"
    pieces = Pieces()
    told = b"".join(pieces.feed(part) for part in cut(stream, size)) + pieces.end()
    assert told == stream.replace(USAGE, b"")


@given(st.lists(st.binary(max_size=50), max_size=20))
def test_everything_else_passes_as_it_came(chunks: list[bytes]) -> None:
    pieces = Pieces()
    assert b"".join(map(pieces.feed, chunks)) + pieces.end() == b"".join(chunks)


@given(
    before=st.binary(max_size=30),
    after=st.binary(max_size=30),
    size=st.integers(1, 40),
    count=st.integers(0, 3),
)
def test_a_key_is_blotted_wherever_the_pieces_are_cut(
    before: bytes, after: bytes, size: int, count: int
) -> None:
    stream = before + KEY.encode() * count + after
    blotter = Blotter(KEY)
    told = b"".join(blotter.feed(part) for part in cut(stream, size)) + blotter.end()
    assert told == stream.replace(KEY.encode(), b"[redacted]")


def test_what_begins_no_key_is_not_held_back() -> None:
    blotter = Blotter(KEY)
    assert blotter.feed(b"data: x\n\n") == b"data: x\n\n"
    assert blotter.feed(b"data: sk-cana") == b"data: "
    assert blotter.feed(b"da\n\n") == b"sk-canada\n\n"


def test_a_key_that_is_cut_off_is_blotted() -> None:
    blotter = Blotter(KEY)
    assert blotter.feed(b"a" + KEY[:-1].encode()) + blotter.end() == b"a[redacted]"


@pytest.mark.parametrize("api", APIS)
def test_a_fault_of_ours_has_the_shape_of_the_api(api: GatewayApi) -> None:
    made = fault_of(api, 404, "path_unknown", "There is no such path.")
    error = json.loads(made.body)["error"]
    assert error["message"] == "There is no such path."
    assert (error.get("type") or error["status"]) in ("not_found_error", "NOT_FOUND")
    assert (json.loads(made.body).get("type") == "error") is (api is GatewayApi.MESSAGES)


@pytest.mark.parametrize("api", APIS)
def test_a_used_up_budget_is_not_tried_again(api: GatewayApi) -> None:
    made = fault_of_budget(api, Excess(Limit.MONEY, "This job has cost $1.00."))
    assert made.status == 402
    assert made.headers["x-should-retry"] == "false"
    assert b"$1.00" in made.body


@pytest.mark.parametrize(
    "class_", [FaultClass.AUTH_ERROR, FaultClass.QUOTA, FaultClass.MISSING_API_KEY]
)
@pytest.mark.parametrize("api", APIS)
def test_nothing_that_a_provider_says_of_key_or_account_is_told(
    api: GatewayApi, class_: FaultClass
) -> None:
    body = json.dumps({"error": {"message": "org-123 of anna@example.org owes money"}}).encode()
    made = fault_of_provider(api, 401, body, fault(class_, body.decode()), (KEY,))
    assert b"anna" not in made.body
    assert b"org-123" not in made.body
    assert b"'house'" in made.body
    assert "anna" not in words_for(fault(class_, "anna"))


def test_another_error_keeps_its_shape_without_the_key() -> None:
    told = {"error": {"message": f"Bad {KEY} {KEY.upper()}", KEY: [KEY], "n": 5}, "x": None}
    made = fault_of_provider(
        GatewayApi.CHAT, 400, json.dumps(told).encode(), fault(FaultClass.BAD_REQUEST), (KEY,)
    )
    assert KEY.lower() not in made.body.decode().lower()
    error = json.loads(made.body)["error"]
    assert error["n"] == 5
    assert error["message"].startswith("Bad ")


@pytest.mark.parametrize("body", [b"", b"<html>Bad gateway</html>", b"\xff", b"5", b"[" * 10**5])
@pytest.mark.parametrize("api", APIS)
def test_an_error_of_no_shape_gets_one(api: GatewayApi, body: bytes) -> None:
    made = fault_of_provider(api, 502, body, fault(FaultClass.SERVER), (KEY,))
    assert json.loads(made.body)["error"]["message"]
