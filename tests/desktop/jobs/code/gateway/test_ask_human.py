"""The tool `ask_human`, run as an agent runs it, with the official MCP client as its peer."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from mcp import StdioServerParameters
from mcp.client.client import Client
from mcp.client.stdio import stdio_client

from tests.desktop.jobs.code.gateway.stand import Job, Stand, endpoint_at, reached, stand
from tests.desktop.jobs.code.test_relay import free_port

NOWHERE = endpoint_at("http://127.0.0.1:9", local=True)


@contextlib.asynccontextmanager
async def client(here: Stand, mode: str) -> AsyncIterator[Client]:
    async with reached(here) as port:
        program, *words = here.gateway.ask_server(port)
        env = dict(here.gateway.ask_env())
        server = StdioServerParameters(command=program, args=words, env=env)
        async with Client(stdio_client(server), mode=mode) as made:
            yield made


@pytest.mark.parametrize("is_alone", [True, False], ids=["alone", "shown"])
@pytest.mark.parametrize("mode", ["legacy", "auto"])
async def test_an_agent_asks_and_hears_the_answer(
    mode: str, is_alone: bool, tmp_path: Path
) -> None:
    beats: list[float] = []

    async def beat(progress: float, total: float | None, message: str | None) -> None:
        beats.append(progress)
        if len(beats) == 3:
            here.job.answer("Which", "the red one")

    async with stand(tmp_path, NOWHERE, is_alone=is_alone) as here, client(here, mode) as peer:
        version = peer.protocol_version
        (tool,) = (await peer.list_tools()).tools
        told = await peer.call_tool("ask_human", {"question": "Which one?"}, progress_callback=beat)
    assert version == {"legacy": "2025-11-25", "auto": "2026-07-28"}[mode]
    assert tool.name == "ask_human"
    assert [part.text for part in told.content] == ["the red one"]  # type: ignore[union-attr]
    assert not told.is_error
    assert beats == sorted(beats)


async def test_two_questions_at_once_get_their_own_answers(tmp_path: Path) -> None:
    job = Job(answers={"First": "1", "Second": "2"})
    async with stand(tmp_path, NOWHERE, job=job) as here, client(here, "auto") as peer:
        told = await asyncio.gather(
            peer.call_tool("ask_human", {"question": "First?"}),
            peer.call_tool("ask_human", {"question": "Second?"}),
        )
    assert [one.content[0].text for one in told] == ["1", "2"]  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "arguments", [{}, {"question": ""}, {"question": 5}, {"question": "a", "options": "b"}]
)
async def test_what_is_no_question_is_an_error_of_the_tool(
    arguments: dict[str, object], tmp_path: Path
) -> None:
    async with stand(tmp_path, NOWHERE) as here, client(here, "auto") as peer:
        told = await peer.call_tool("ask_human", arguments)
    assert told.is_error
    assert here.job.asked == []


class Agent:
    """Says lines to the server, and reads what it says."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    def say(self, *messages: object) -> None:
        assert self._process.stdin is not None
        for message in messages:
            raw = message if isinstance(message, bytes) else json.dumps(message).encode()
            self._process.stdin.write(raw + b"\n")

    async def hear(self) -> dict[str, object]:
        assert self._process.stdout is not None
        told: dict[str, object] = json.loads(await self._process.stdout.readline())
        return told

    async def ask(self, method: str, **params: object) -> dict[str, object]:
        self.say({"jsonrpc": "2.0", "id": 7, "method": method, "params": params})
        return await self.hear()


@contextlib.asynccontextmanager
async def agent(here: Stand, port: int) -> AsyncIterator[Agent]:
    process = await asyncio.create_subprocess_exec(
        *here.gateway.ask_server(port),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        env={},
    )
    assert process.stdin is not None
    yield Agent(process)
    process.stdin.close()
    assert await process.wait() == 0


@pytest.mark.parametrize(
    ("wanted", "given"),
    [
        ("2024-11-05", "2024-11-05"),
        ("2025-03-26", "2025-03-26"),
        ("2025-06-18", "2025-06-18"),
        ("2025-11-25", "2025-11-25"),
        ("2031-01-01", "2025-11-25"),
        ("x", "2025-11-25"),
    ],
)
async def test_the_agents_version_is_spoken_if_it_is_known(
    wanted: str, given: str, tmp_path: Path
) -> None:
    async with stand(tmp_path, NOWHERE) as here, agent(here, 9) as peer:
        told = await peer.ask("initialize", protocolVersion=wanted)
    assert told["result"]["protocolVersion"] == given  # type: ignore[index]


async def test_what_is_unknown_or_broken_is_answered_and_the_next_is_served(
    tmp_path: Path,
) -> None:
    async with stand(tmp_path, NOWHERE) as here, agent(here, 9) as peer:
        assert (await peer.ask("resources/list"))["error"]["code"] == -32601  # type: ignore[index]
        unknown = await peer.ask("tools/call", name="rm", arguments={})
        assert unknown["error"]["code"] == -32602  # type: ignore[index]
        peer.say(b"{", b"5", {"method": "notifications/odd"}, {"id": 1, "result": {}}, b"")
        assert (await peer.hear())["error"]["code"] == -32700  # type: ignore[index]
        assert (await peer.hear())["error"]["code"] == -32600  # type: ignore[index]
        meta = {"io.modelcontextprotocol/protocolVersion": "2030-01-01"}
        odd = await peer.ask("tools/list", _meta=meta)
        assert odd["error"]["code"] == -32022  # type: ignore[index]
        assert (await peer.ask("ping"))["result"] == {}


async def test_a_question_that_is_cancelled_has_no_answer(tmp_path: Path) -> None:
    async with (
        stand(tmp_path, NOWHERE) as here,
        reached(here) as port,
        agent(here, port) as peer,
    ):
        params = {"name": "ask_human", "arguments": {"question": "Which one?"}}
        peer.say({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params})
        await here.job.was_asked.wait()
        cancel = {"method": "notifications/cancelled", "params": {"requestId": 1}}
        peer.say({"jsonrpc": "2.0", **cancel})
        assert (await peer.ask("ping"))["id"] == 7
        here.job.answer("Which", "red")
        again = await peer.ask("tools/call", **params)
    assert again["id"] == 7
    assert again["result"]["content"] == [{"type": "text", "text": "red"}]  # type: ignore[index]


async def test_without_a_gateway_the_agent_decides_by_itself(tmp_path: Path) -> None:
    async with stand(tmp_path, NOWHERE) as here, agent(here, free_port()) as peer:
        told = await peer.ask("tools/call", name="ask_human", arguments={"question": "a?"})
    assert told["result"]["isError"] is True  # type: ignore[index]
    assert "Decide by yourself" in json.dumps(told)


async def test_nothing_is_written_to_the_error_output(tmp_path: Path) -> None:
    async with stand(tmp_path, NOWHERE) as here:
        process = await asyncio.create_subprocess_exec(
            *here.gateway.ask_server(9),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        _, errors = await process.communicate(b'{"jsonrpc":"2.0","id":1,"method":"ping"}\n')
    assert errors == b""
