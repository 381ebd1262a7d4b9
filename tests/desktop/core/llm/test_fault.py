"""A fault tells a person what happened, and nobody a key."""

from __future__ import annotations

import asyncio
import json
import re
import socket
import ssl
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop.core.llm.broken import Break, break_of, fault_of_break, invalid_response, missing_key
from desktop.core.llm.classify import Answer, fault_of_answer
from desktop.core.llm.endpoints import BUILT_IN
from desktop.core.llm.error_body import read_error
from desktop.core.llm.fault import QUOTE_CHARS_MAX, FaultClass, LlmFault, quoted
from shared.errors import AppError
from shared.plain_text import plain_line

NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
ENDPOINTS = {endpoint.name: endpoint for endpoint in BUILT_IN}
OPENAI = ENDPOINTS["openai"]
LOCAL = ENDPOINTS["local"]


@pytest.mark.parametrize(
    "key",
    [
        "sk-proj-abcdefghijklmnop1234",
        "AIzaSyA1234567890abcdefghijklmnopqrstuv",
        "AQ.Ab8RN6KqwertyuiopASDFGHJKL123",
        "xai-0123456789abcdefghij",
        "9f8a7b6c5d4e3f2a1b0c9d8e7f6a5b4c",
        "sk-a***************xyz",
        "****abcd",
    ],
)
def test_a_key_that_a_provider_sends_back_is_not_told_on(key: str) -> None:
    for text in (
        f"Incorrect API key provided: {key}. Get one.",
        f"key={key} is wrong",
        f"bad {key}",
        f"https://example.org/v1?key={key}&x=1",
    ):
        assert key not in quoted(text)


def test_the_very_key_that_was_sent_is_blotted_out_whatever_it_looks_like() -> None:
    key = "open sesame"
    answer = Answer(
        status=401,
        headers={"x-request-id": f"req-{key}"},
        body=f'{{"error": {{"message": "No: {key}!", "code": "{key}"}}}}'.encode(),
    )

    told = fault_of_answer(OPENAI, answer, now=NOON, secrets=(key,))

    assert key not in f"{told} {told!r} {told.body} {told.request_id} {told.provider_code}"
    assert "No: [redacted]!" in told.message


@pytest.mark.parametrize(
    "text", ["model: claude-3-5-sonnet-20241022", "The model `gpt-5-mini-2026-07-01` is gone"]
)
def test_a_models_name_is_no_key(text: str) -> None:
    assert quoted(text) == text


@given(text=st.text(max_size=5000))
def test_a_quotation_is_short_plain_and_on_one_line(text: str) -> None:
    told = quoted(text)

    assert len(told) <= QUOTE_CHARS_MAX
    assert told == plain_line(told)
    assert "\n" not in told


@given(body=st.binary(max_size=2000), status=st.integers(400, 599))
def test_no_body_breaks_the_reading(body: bytes, status: int) -> None:
    told = fault_of_answer(OPENAI, Answer(status=status, body=body), now=NOON)

    assert told.http_status == status


FIELDS = (
    *("error", "code", "type", "status", "message", "details", "detail", "violations"),
    *("quotaId", "retryDelay", "reason", "error_code", "request_id"),
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                [
                    "error",
                    "code",
                    "type",
                    "status",
                    "message",
                    "details",
                    "detail",
                    "violations",
                    "quotaId",
                    "retryDelay",
                    "reason",
                    "error_code",
                    "request_id",
                ]
            ),
            inner,
            max_size=6,
        )
    ),
    max_leaves=30,
)


@given(value=JSON)
def test_no_shape_breaks_the_reading(value: object) -> None:
    reading = read_error(json.dumps({"error": value}).encode())

    assert all(isinstance(code, str) for code in reading.codes)


def test_a_very_deep_body_is_text() -> None:
    assert read_error(b"[" * 60_000).codes == ()


def test_an_error_in_a_stream_that_began_well_is_told_by_its_type() -> None:
    event = b'event: error\ndata: {"type":"error","error":{"type":"%s","message":"no"}}\n\n'
    seen = {
        type_: fault_of_answer(
            ENDPOINTS["anthropic"], Answer(status=None, body=event % type_), now=NOON
        ).fault
        for type_ in (b"overloaded_error", b"api_error", b"rate_limit_error", b"never_heard_of")
    }

    assert list(seen.values()) == [
        FaultClass.OVERLOADED,
        FaultClass.SERVER,
        FaultClass.RATE_LIMIT,
        FaultClass.SERVER,
    ]


def test_money_and_keys_are_never_tried_again_whatever_a_header_says() -> None:
    answer = Answer(status=402, headers={"X-Should-Retry": "true", "Retry-After": "3"})

    told = fault_of_answer(OPENAI, answer, now=NOON)

    assert not told.retryable
    assert told.wait_seconds is None


def test_a_provider_that_says_no_to_another_try_is_heard() -> None:
    told = fault_of_answer(
        OPENAI, Answer(status=500, headers={"x-should-retry": "false"}), now=NOON
    )

    assert told.fault is FaultClass.SERVER
    assert not told.retryable


def test_a_fault_crosses_the_wire_as_any_error() -> None:
    answer = Answer(status=429, headers={"retry-after": "20", "x-request-id": "req_1"})
    told = fault_of_answer(OPENAI, answer, now=NOON)

    assert told.request_id == "req_1"
    assert isinstance(told, AppError)
    assert told.body.code == "rate_limit"
    assert told.body.retryable
    assert told.body.retry_after_seconds == 20.0
    assert told.body.message == "'openai' asks us to go slower (HTTP 429)."
    assert "20 s" in told.body.hint


def raised(error: BaseException, cause: BaseException | None = None) -> BaseException:
    error.__cause__ = cause
    return error


class APIConnectionError(Exception):
    """As the libraries of OpenAI and Anthropic name theirs."""


class ConnectTimeout(Exception):
    """As httpx2 names its own."""


class ReadError(OSError):
    """As httpx2 names its own."""


@pytest.mark.parametrize(
    ("error", "kind", "fault"),
    [
        (
            raised(APIConnectionError("Connection error."), ConnectionRefusedError(111, "no")),
            Break.REFUSED,
            FaultClass.NETWORK,
        ),
        (
            raised(APIConnectionError("x"), raised(OSError("x"), socket.gaierror(-2, "x"))),
            Break.NO_SUCH_NAME,
            FaultClass.NETWORK,
        ),
        (
            raised(APIConnectionError("x"), ssl.SSLCertVerificationError("x")),
            Break.CERTIFICATE,
            FaultClass.NETWORK,
        ),
        (
            raised(APIConnectionError("x"), ConnectTimeout("x")),
            Break.CONNECT_TIMEOUT,
            FaultClass.TIMEOUT,
        ),
        (TimeoutError(), Break.ANSWER_TIMEOUT, FaultClass.TIMEOUT),
        (raised(APIConnectionError("x"), ReadError("x")), Break.CUT, FaultClass.NETWORK),
        (asyncio.CancelledError(), Break.CANCELLED, FaultClass.CANCELLED),
    ],
    ids=["refused", "name", "certificate", "connect", "answer", "cut", "cancelled"],
)
def test_a_call_without_an_answer_is_told_by_how_it_ended(
    error: BaseException, kind: Break, fault: FaultClass
) -> None:
    told = fault_of_break(OPENAI, kind)

    assert break_of(error) is kind
    assert told.fault is fault
    assert told.retryable is (fault.is_retryable and kind is not Break.CERTIFICATE)


def test_what_is_no_break_is_left_alone() -> None:
    assert break_of(ValueError("a bug of ours")) is None


def test_a_local_server_that_is_off_is_told_with_its_address() -> None:
    told = fault_of_break(LOCAL, Break.REFUSED)

    assert told.message == "'local' could not be reached: nothing listens there."
    assert "http://127.0.0.1:8080/v1" in told.hint


def test_a_missing_key_is_named_with_the_place_where_it_belongs() -> None:
    told = missing_key(OPENAI)

    assert told.fault is FaultClass.MISSING_API_KEY
    assert "OPENAI_API_KEY" in told.message
    assert "Settings" in told.hint
    assert "environment" in told.hint
    assert not told.retryable


def test_an_answer_that_is_none_may_be_asked_again() -> None:
    told = invalid_response(LOCAL, "the reply is empty")

    assert told.retryable
    assert "the reply is empty" in told.message


def test_every_class_can_be_worded() -> None:
    for fault in FaultClass:
        assert fault.code == fault.value.lower()
        assert LlmFault(fault, "x").code == fault.code


def test_the_page_about_faults_knows_every_class_and_whether_it_is_tried_again() -> None:
    page = (Path(__file__).parents[4] / "docs" / "llm-errors.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `([A-Z_]+)` \| [^|]+ \| (yes|no)", page, re.MULTILINE))

    assert rows == {fault.value: "yes" if fault.is_retryable else "no" for fault in FaultClass}


def test_what_is_for_good_promises_no_further_try() -> None:
    faults = [fault_of_break(LOCAL, Break.REFUSED), fault_of_break(OPENAI, Break.ANSWER_TIMEOUT)]
    limit = Answer(status=429, headers={"retry-after": "12"}, body=b"")
    faults += [fault_of_answer(OPENAI, limit, now=NOON), invalid_response(OPENAI, "it is empty")]
    for fault in faults:
        assert "by itself" in fault.hint
        ended = fault.for_good()
        assert "by itself" not in str(ended)
        assert ended.hint


def test_a_timeout_says_after_how_long() -> None:
    assert "600 s" in fault_of_break(OPENAI, Break.ANSWER_TIMEOUT).message


@pytest.mark.parametrize("room", [3, 9, 20, 60])
def test_no_part_of_a_key_is_told_where_a_text_was_cut(room: int) -> None:
    # Given bodies that are cut somewhere, with a key that begins before the cut.
    key = "Canary.openai.sings.in.the.morning"
    said = [
        json.dumps({"error": {"message": " " * (2000 - room) + key, "code": key}}),
        json.dumps({"error": {"message": "no", "code": "c" * (64 - room) + key}}),
        f"<p>{' ' * (1997 - room)}{key}",
    ]
    for body in said:
        answer = Answer(status=500, headers={}, body=body.encode())
        told = fault_of_answer(OPENAI, answer, now=NOON, secrets=(key,))
        assert "canary" not in f"{told.message} {told.provider_code} {told.request_id}".lower()
