"""Requests of agents through a real socket to a scripted provider, in four APIs."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import httpx
import pytest

from desktop.core.code.budget import BudgetLimits, Limit, Spent
from desktop.core.llm.types import Format
from shared.kinds.llm import UsageFacts
from tests.desktop.jobs.code.gateway.stand import KEY, Job, endpoint_at, events, stand
from tests.llm_servers.scripted import running

CHAT = "/v1/chat/completions"
RESPONSES = "/v1/responses"
MESSAGES = "/v1/messages"
GEMINI = "/v1beta/models/gemini-pro:generateContent"
GEMINI_STREAM = "/v1beta/models/gemini-pro:streamGenerateContent?alt=sse"
SAID = [{"role": "user", "content": "Hi"}]
BODIES: dict[str, dict[str, object]] = {
    CHAT: {"model": "own", "messages": SAID},
    RESPONSES: {"model": "own", "input": SAID},
    MESSAGES: {"model": "own", "max_tokens": 50, "messages": SAID},
    GEMINI: {"contents": [{"role": "user", "parts": [{"text": "Hi"}]}]},
}
FORMATS = {
    CHAT: Format.OPENAI,
    RESPONSES: Format.OPENAI,
    MESSAGES: Format.ANTHROPIC,
    GEMINI: Format.GOOGLE,
}
TOOLS: dict[str, object] = {
    CHAT: [{"type": "function", "function": {"name": "submit", "parameters": {"type": "object"}}}],
    RESPONSES: [{"type": "function", "name": "submit", "parameters": {"type": "object"}}],
    MESSAGES: [{"name": "submit", "input_schema": {"type": "object"}}],
    GEMINI: [{"functionDeclarations": [{"name": "submit", "parameters": {"type": "object"}}]}],
}
APIS = list(BODIES)
NAMES = ["chat", "responses", "messages", "gemini"]


def address(path: str, *, stream: bool) -> str:
    return GEMINI_STREAM if stream and path == GEMINI else path


def body(path: str, *, stream: bool = False, **more: object) -> dict[str, object]:
    told = {**BODIES[path], "tools": TOOLS[path], **more}
    return told | ({"stream": True} if stream and path != GEMINI else {})


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("path", APIS, ids=NAMES)
async def test_a_request_reaches_the_orders_model_with_its_key_and_is_counted(
    path: str, stream: bool, tmp_path: Path
) -> None:
    with running({"say": "All is well."}, key=KEY) as model:
        async with stand(tmp_path, endpoint_at(model.address, FORMATS[path])) as here:
            sent = body(path, stream=stream)
            headers = {"authorization": "Bearer dummy", "x-api-key": "dummy"}
            reply = await here.client.post(address(path, stream=stream), json=sent, headers=headers)
            assert reply.status_code == 200, reply.text
            told = reply.text
            spent = here.gateway.spent
    got = model.requests[-1]
    assert "All is" in told
    assert "dummy" not in got.text
    assert spent.calls == 1
    assert spent.usage.input_tokens > 0
    assert spent.usage.output_tokens > 0
    assert not spent.usage.is_estimated
    if path == GEMINI:
        assert "/models/scripted:" in got.path
    else:
        assert got.body["model"] == "scripted"


@pytest.mark.parametrize("path", APIS, ids=NAMES)
async def test_tokens_are_those_the_provider_tells_whole_or_in_a_stream(
    path: str, tmp_path: Path
) -> None:
    counted: list[UsageFacts] = []
    for stream in (False, True):
        with running({"say": "All is well."}) as model:
            endpoint = endpoint_at(model.address, FORMATS[path], local=True)
            async with stand(tmp_path, endpoint) as here:
                sent = body(path, stream=stream)
                await here.client.post(address(path, stream=stream), json=sent)
                counted.append(here.gateway.spent.usage)
    assert counted[0].output_tokens == counted[1].output_tokens


async def test_the_piece_with_the_tokens_comes_only_to_who_asked_for_it(tmp_path: Path) -> None:
    with running({"say": "Hello."}) as model:
        async with stand(tmp_path, endpoint_at(model.address, local=True)) as here:
            quiet = await here.chat(stream=True)
            loud = await here.chat(stream=True, stream_options={"include_usage": True})
            spent = here.gateway.spent
    without, with_it = events(quiet.text), events(loud.text)
    assert len(with_it) == len(without) + 1
    assert all(one == "[DONE]" or one["choices"] for one in without)  # type: ignore[index]
    assert spent.usage.output_tokens == 2 * (spent.usage.output_tokens // 2) > 0


async def test_a_stream_is_passed_on_piece_by_piece(tmp_path: Path) -> None:
    go = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n")
        writer.write(b'data: {"choices":[{"delta":{"content":"a"}}]}\n\n')
        await writer.drain()
        await go.wait()
        writer.write(b"data: [DONE]\n\n")
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        endpoint = endpoint_at(f"http://127.0.0.1:{port}", local=True)
        async with stand(tmp_path, endpoint) as here:
            asked = {"messages": SAID, "stream": True}
            async with here.client.stream("POST", CHAT, json=asked) as reply:
                pieces = reply.aiter_raw()
                assert b'"a"' in await anext(pieces)
                go.set()
                assert b"[DONE]" in b"".join([piece async for piece in pieces])


async def test_who_hangs_up_ends_the_call_and_pays_for_it(tmp_path: Path) -> None:
    gone = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n")
        writer.write(b'data: {"choices":[{"delta":{"content":"a"}}]}\n\n' * 40)
        await writer.drain()
        while await reader.read(65536):
            pass
        gone.set()
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        patient = {"timeout_seconds": 600.0}
        endpoint = endpoint_at(f"http://127.0.0.1:{port}", local=True).model_copy(update=patient)
        async with stand(tmp_path, endpoint) as here:
            asked = {"messages": [{"role": "user", "content": "x" * 4000}], "stream": True}
            async with here.client.stream("POST", CHAT, json=asked) as reply:
                await anext(reply.aiter_raw())
            await gone.wait()
            await here.job.was_told.wait()
            usage = here.gateway.spent.usage
    assert usage.is_estimated
    assert usage.input_tokens >= 1000
    assert usage.output_tokens >= 40


@pytest.mark.parametrize("path", APIS, ids=NAMES)
async def test_an_answer_that_is_cut_is_cut_for_the_agent_too(path: str, tmp_path: Path) -> None:
    with running({"say": "All is well."}) as model:
        endpoint = endpoint_at(model.address, FORMATS[path], local=True)
        async with stand(tmp_path, endpoint) as here:
            model.fail("cut")
            with pytest.raises(httpx.RemoteProtocolError):
                await here.client.post(address(path, stream=True), json=body(path, stream=True))
            model.fail()
            again = await here.client.post(path, json=body(path))
    assert again.status_code == 200


@pytest.mark.parametrize("status", ["400", "404", "429", "500", "529"])
@pytest.mark.parametrize("path", APIS, ids=NAMES)
async def test_an_error_comes_as_the_provider_told_it(
    path: str, status: str, tmp_path: Path
) -> None:
    with running({"say": "x"}) as model:
        endpoint = endpoint_at(model.address, FORMATS[path], local=True)
        async with stand(tmp_path, endpoint) as here:
            model.fail(status)
            reply = await here.client.post(path, json=body(path))
            spent = here.gateway.spent
    assert reply.status_code == int(status)
    assert "error" in reply.json()
    assert reply.headers.get("retry-after") == ("1" if status == "429" else None)
    assert spent.calls == 0


async def test_what_a_provider_says_about_the_key_is_said_in_our_words(tmp_path: Path) -> None:
    with running({"say": "x"}, key="another") as model:
        async with stand(tmp_path, endpoint_at(model.address)) as here:
            reply = await here.chat()
            fault = here.gateway.fault
    assert reply.status_code == 401
    assert "Incorrect API key" not in reply.text
    assert "'house'" in reply.json()["error"]["message"]
    assert reply.headers["x-should-retry"] == "false"
    assert fault is not None
    assert fault.code == "auth_error"


async def test_one_bad_request_is_the_agents_matter_once_the_model_has_answered(
    tmp_path: Path,
) -> None:
    with running({"say": "x"}) as model:
        async with stand(tmp_path, endpoint_at(model.address, local=True)) as here:
            codes: list[str] = []
            for way in ("400", "", "400", "500", "401", ""):
                model.fail(*([way] if way else []))
                await here.chat()
                codes.append(here.gateway.fault.code if here.gateway.fault else "")
    assert codes == ["bad_request", "", "", "server", "auth_error", ""]


async def test_a_count_that_is_not_to_be_had_says_nothing_of_the_model(tmp_path: Path) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        endpoint = endpoint_at(f"http://127.0.0.1:{port}", Format.ANTHROPIC, local=True)
        async with stand(tmp_path, endpoint) as here:
            reply = await here.client.post(f"{MESSAGES}/count_tokens", json=body(MESSAGES))
            assert here.gateway.fault is None
    assert reply.status_code == 404


async def test_without_a_key_nothing_is_sent(tmp_path: Path) -> None:
    with running({"say": "x"}) as model:
        async with stand(tmp_path, endpoint_at(model.address), job=Job(key_now="")) as here:
            reply = await here.chat()
    assert reply.status_code == 401
    assert reply.json()["error"]["code"] == "missing_api_key"
    assert model.requests == []


async def test_a_server_that_is_away_is_a_fault_that_may_pass(tmp_path: Path) -> None:
    async with stand(tmp_path, endpoint_at("http://127.0.0.1:9", local=True)) as here:
        reply = await here.chat()
    assert reply.status_code == 502
    assert reply.json()["error"]["code"] == "network"


@pytest.mark.parametrize(
    "head",
    ["302 Found\r\nLocation: http://127.0.0.1:9/", "200 OK\r\nContent-Encoding: gzip"],
    ids=["elsewhere", "packed"],
)
async def test_what_is_not_followed_or_unpacked_is_told(head: str, tmp_path: Path) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(f"HTTP/1.1 {head}\r\nContent-Length: 0\r\n\r\n".encode())
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        endpoint = endpoint_at(f"http://127.0.0.1:{port}", local=True)
        async with stand(tmp_path, endpoint) as here:
            reply = await here.chat()
    assert reply.status_code == 502
    assert reply.json()["error"]["code"] == "endpoint_elsewhere"


async def test_links_and_tools_of_the_providers_stay_inside(tmp_path: Path) -> None:
    link = {"type": "image_url", "image_url": {"url": "https://evil.example.org/?secret"}}
    with running({"say": "x"}) as model:
        async with stand(tmp_path, endpoint_at(model.address, local=True)) as here:
            refused = await here.chat(messages=[{"role": "user", "content": [link]}])
            hosted = [{"type": "web_search"}, {"type": "mcp", "server_url": "https://evil"}]
            sent = {"model": "x", "input": "Hi", "tools": hosted, "background": True}
            await here.client.post(RESPONSES, json=sent)
    assert refused.status_code == 400
    assert refused.json()["error"]["code"] == "request_links"
    assert len(model.requests) == 1
    assert set(model.requests[0].body) == {"model", "input"}
    (line,) = here.job.lines
    assert "background, web_search, mcp" in line


LIMITS = [
    (BudgetLimits(tokens_max=1000), Spent(usage=UsageFacts(input_tokens=990)), Limit.TOKENS),
    (BudgetLimits(cost_usd_max=1.0), Spent(cost_usd=1.0), Limit.MONEY),
    (BudgetLimits(minutes_max=1.0), Spent(seconds=60.0), Limit.MINUTES),
]


@pytest.mark.parametrize(
    ("limits", "spent", "limit"), LIMITS, ids=[str(limit) for *_, limit in LIMITS]
)
async def test_over_the_budget_nothing_is_asked_and_the_job_knows(
    limits: BudgetLimits, spent: Spent, limit: Limit, tmp_path: Path
) -> None:
    with running({"say": "Hello."}) as model:
        endpoint = endpoint_at(model.address, local=True)
        async with stand(tmp_path, endpoint, limits=limits, spent=spent) as here:
            await here.chat()
            before = len(model.requests)
            replies = [await here.client.post(path, json=body(path)) for path in (CHAT, RESPONSES)]
            turn = {"messages": [{"role": "user", "text": "Hi"}]}
            replies.append(await here.client.post("/deskhand/turn", json=turn))
            over = await here.gateway.over()
    assert over.limit is limit
    assert len(model.requests) == before
    assert {reply.status_code for reply in replies} == {402}
    assert all(reply.json()["error"]["code"] == "budget_used" for reply in replies)


async def test_minutes_end_by_themselves(tmp_path: Path) -> None:
    limits = BudgetLimits(minutes_max=1.0)
    endpoint = endpoint_at("http://127.0.0.1:9", local=True)
    async with stand(tmp_path, endpoint, limits=limits, spent=Spent(seconds=59.2)) as here:
        assert (await here.gateway.over()).limit is Limit.MINUTES


async def test_a_turn_of_the_built_in_agent_is_taken_and_counted(tmp_path: Path) -> None:
    with running({"say": "Hello."}, key=KEY) as model:
        async with stand(tmp_path, endpoint_at(model.address)) as here:
            turn = {"messages": [{"role": "user", "text": "Hi"}]}
            good = await here.client.post("/deskhand/turn", json=turn)
            spent = here.gateway.spent
            odd = await here.client.post("/deskhand/turn", json={"messages": []})
            model.fail("401")
            bad = await here.client.post("/deskhand/turn", json=turn)
            fault = here.gateway.fault
    assert good.status_code == 200
    assert good.json()["message"]["text"]
    assert spent.calls == 1
    assert spent.tokens == good.json()["input_tokens"] + good.json()["output_tokens"]
    assert (odd.status_code, odd.json()["error"]["code"]) == (400, "turn_invalid")
    assert (bad.status_code, bad.json()["error"]["code"]) == (400, "auth_error")
    assert fault is not None


async def test_models_are_listed_without_asking_anybody(tmp_path: Path) -> None:
    async with stand(tmp_path, endpoint_at("http://127.0.0.1:9", local=True)) as here:
        openai = await here.client.get("/v1/models")
        google = await here.client.get("/v1beta/models")
    assert [one["id"] for one in openai.json()["data"]] == ["scripted"]
    assert [one["name"] for one in google.json()["models"]] == ["models/scripted"]


async def test_large_requests_pass_and_larger_ones_do_not(tmp_path: Path) -> None:
    with running({"say": "x"}) as model:
        async with stand(tmp_path, endpoint_at(model.address, local=True)) as here:
            text = "ä" * 4_000_000
            good = await here.chat(messages=[{"role": "user", "content": text}])
            size = 64 * 1024 * 1024 + 1
            head = f"POST {CHAT} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {size}\r\n\r\n"
            refused = await here.raw(head.encode() + b"x" * size)
    assert good.status_code == 200
    assert model.requests[0].body["messages"][0]["content"] == text
    assert refused.startswith(b"HTTP/1.1 413 ")
    assert len(model.requests) == 1


async def test_thirty_calls_at_once_are_all_answered(tmp_path: Path) -> None:
    with running({"say": "x"}) as model:
        async with stand(tmp_path, endpoint_at(model.address, local=True)) as here:
            replies = await asyncio.gather(*(here.chat() for _ in range(30)))
            spent = here.gateway.spent
    assert {reply.status_code for reply in replies} == {200}
    assert spent.calls == 30


async def test_odd_json_is_told_in_the_shape_of_the_api(tmp_path: Path) -> None:
    async with stand(tmp_path, endpoint_at("http://127.0.0.1:9", local=True)) as here:
        for content in (b"", b"[]", b"{", b"[" * 100_000, json.dumps("x").encode()):
            reply = await here.client.post(CHAT, content=content)
            assert (reply.status_code, reply.json()["error"]["code"]) == (400, "request_invalid")
