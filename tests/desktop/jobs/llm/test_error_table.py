"""Documented errors, over a real socket and through the providers' own libraries."""

from __future__ import annotations

import json
import socket
from collections.abc import AsyncIterator

import pytest

from desktop.core.llm.endpoints import BUILT_IN
from desktop.core.llm.fault import FaultClass, LlmFault
from desktop.core.llm.types import Endpoint, Format, Message, Model, Sampling
from desktop.jobs.llm.speaker import Speaker
from tests.desktop.core.llm.error_table import CASES
from tests.desktop.jobs.llm.error_server import failing

KEY = "canary-key-0123456789"
ENDPOINTS = {endpoint.name: endpoint for endpoint in BUILT_IN}
ASKED = (Message("user", "Do you pull the lever?"),)


@pytest.fixture
async def speaker() -> AsyncIterator[Speaker]:
    made = Speaker()
    yield made
    await made.aclose()


async def fault_of(speaker: Speaker, endpoint: Endpoint, model: str, *, stream: bool) -> LlmFault:
    with pytest.raises(LlmFault) as caught:
        await speaker.say(Model(endpoint, model), ASKED, Sampling(), key=KEY, stream=stream)
    return caught.value


def served_at(address: str, provider: str) -> Endpoint:
    endpoint = ENDPOINTS[provider]
    path = "/v1" if endpoint.format is Format.OPENAI else ""
    return endpoint.model_copy(update={"base_url": f"{address}{path}", "timeout_seconds": 20.0})


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("provider", list(ENDPOINTS))
async def test_documented_errors_are_told_apart_over_a_socket(
    speaker: Speaker, provider: str, stream: bool
) -> None:
    cases = {case.id: case for case in CASES if case.provider == provider}
    wrong = []
    async with failing(cases) as address:
        endpoint = served_at(address, provider)
        for case in cases.values():
            told = await fault_of(speaker, endpoint, case.id, stream=stream)
            assert KEY not in f"{told} {told!r} {told.body}"
            # Resets told as moments depend on the clock; the pure table has them.
            waits = case.wait is None or told.wait_seconds is not None
            right = told.fault is case.fault and told.http_status == case.status
            if not (right and waits and told.retryable is case.fault.is_retryable):
                wrong.append(f"{case.id}: {told!r}, not {case.fault}")

    assert wrong == []


def event(error: dict[str, str]) -> bytes:
    body = f"data: {json.dumps({'error': error})}\n\n"
    head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n"
    return f"{head}{body}".encode()


BROKEN = {
    "cut-before": (b"", FaultClass.NETWORK),
    "cut-inside": (
        b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 900\r\n\r\n{",
        FaultClass.NETWORK,
    ),
    "no-http": (b"SSH-2.0-OpenSSH_9.2\r\n\r\n", FaultClass.NETWORK),
    "no-json": (
        b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\nnot json!",
        FaultClass.INVALID_RESPONSE,
    ),
    "a-page": (
        b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 13\r\n\r\n<html></html>",
        FaultClass.INVALID_RESPONSE,
    ),
    "nothing": (
        b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}",
        FaultClass.INVALID_RESPONSE,
    ),
}
IN_STREAM = {
    "overloaded": (
        event({"message": "Overloaded", "type": "overloaded_error"}),
        FaultClass.OVERLOADED,
    ),
    "rate": (
        event({"message": "Slow down", "type": "rate_limit_error", "code": "rate_limit_exceeded"}),
        FaultClass.RATE_LIMIT,
    ),
    "quota": (
        event({"message": "No credit", "type": "insufficient_quota", "code": "insufficient_quota"}),
        FaultClass.QUOTA,
    ),
    "server": (
        event({"message": "It broke", "type": "server_error"}),
        FaultClass.SERVER,
    ),
}


@pytest.mark.parametrize("name", list(BROKEN))
async def test_an_answer_that_is_none_is_told_by_what_it_is(speaker: Speaker, name: str) -> None:
    answer, fault = BROKEN[name]
    async with failing({name: answer}) as address:
        told = await fault_of(speaker, served_at(address, "local"), name, stream=False)

    assert told.fault is fault, told
    assert told.retryable


@pytest.mark.parametrize("name", list(IN_STREAM))
async def test_an_error_in_a_stream_that_began_well_has_its_class(
    speaker: Speaker, name: str
) -> None:
    answer, fault = IN_STREAM[name]
    async with failing({name: answer}) as address:
        told = await fault_of(speaker, served_at(address, "local"), name, stream=True)

    assert told.fault is fault, told


async def test_a_server_that_is_off_could_not_be_reached(speaker: Speaker) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{free.getsockname()[1]}"
        told = await fault_of(speaker, served_at(address, "local"), "tiny", stream=False)

    assert told.fault is FaultClass.NETWORK
    assert "nothing listens there" in told.message
    assert address in told.hint


async def test_a_name_that_nobody_knows_could_not_be_reached(speaker: Speaker) -> None:
    endpoint = served_at("http://no-such-host.invalid", "local")

    told = await fault_of(speaker, endpoint, "tiny", stream=False)

    assert told.fault is FaultClass.NETWORK
    assert "name is not known" in told.message
