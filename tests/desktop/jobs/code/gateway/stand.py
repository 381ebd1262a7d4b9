"""A gateway on a stand: a job that answers what it is told to, and a client at the socket."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from desktop.core.code.budget import BudgetLimits, Spent
from desktop.core.code.human_question import AGENT_ASKS
from desktop.core.llm.types import Endpoint, Format, Model
from desktop.jobs.code.gateway.gateway import Gateway, GatewayWants
from desktop.jobs.code.gateway.outside import OpenHost
from desktop.jobs.llm.house import House
from desktop.jobs.llm.speaker import Speaker
from shared.questions import Asking
from tests.desktop.jobs.code.test_relay import argv, free_port

BOUND_SECONDS = 40.0
KEY = "sk-canary-0123456789abcdef"
KEY_NAME = "TEST_API_KEY"


@dataclass
class Job:
    """Answers what it is told to; questions without an answer stay open."""

    key_now: str = KEY
    answers: dict[str, str] = field(default_factory=dict)
    """By the first words of the question."""
    lines: list[str] = field(default_factory=list)
    asked: list[Asking] = field(default_factory=list)
    told: list[Spent] = field(default_factory=list)
    news: asyncio.Event = field(default_factory=asyncio.Event)
    was_told: asyncio.Event = field(default_factory=asyncio.Event)
    was_asked: asyncio.Event = field(default_factory=asyncio.Event)
    houses: list[House] = field(default_factory=list)

    def house(self) -> House:
        if not self.houses:
            self.houses.append(House(lambda: {KEY_NAME: self.key_now}, Speaker()))
        return self.houses[0]

    def key(self) -> str:
        return self.key_now

    async def ask(self, asking: Asking) -> str:
        self.asked.append(asking)
        self.was_asked.set()
        while True:
            for start, answer in self.answers.items():
                if asking.text.removeprefix(AGENT_ASKS).startswith(start):
                    return answer
            self.news.clear()
            await self.news.wait()

    def answer(self, start: str, answer: str) -> None:
        self.answers[start] = answer
        self.news.set()

    def used(self, spent: Spent) -> None:
        self.told.append(spent)
        self.was_told.set()

    def log(self, line: str) -> None:
        self.lines.append(line)


def endpoint_at(address: str, format_: Format = Format.OPENAI, *, local: bool = False) -> Endpoint:
    path = "/v1" if format_ is Format.OPENAI else ""
    return Endpoint(
        name="house",
        base_url=f"{address}{path}",
        format=format_,
        key_name="" if local else KEY_NAME,
        is_local=local,
        timeout_seconds=10.0,
    )


@dataclass
class Stand:
    gateway: Gateway
    job: Job
    client: httpx.AsyncClient

    async def chat(self, *, stream: bool = False, **more: object) -> httpx.Response:
        body = {"model": "gpt-own", "messages": [{"role": "user", "content": "Hi"}], **more}
        if stream:
            body["stream"] = True
        return await self.client.post("/v1/chat/completions", json=body)

    async def raw(self, said: bytes) -> bytes:
        """Say something at the socket, and return all that comes until it is closed."""
        reader, writer = await asyncio.open_unix_connection(self.gateway.socket)
        try:
            writer.write(said)
            await writer.drain()
            return await reader.read(-1)
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()


@contextlib.asynccontextmanager
async def stand(
    folder: Path,
    endpoint: Endpoint,
    *,
    model: str = "scripted",
    limits: BudgetLimits | None = None,
    spent: Spent | None = None,
    registries: tuple[str, ...] = (),
    ask_seconds_max: float = 30.0,
    beat_seconds: float = 0.02,
    is_alone: bool = True,
    open_host: OpenHost | None = None,
    job: Job | None = None,
    bound_seconds: float | None = BOUND_SECONDS,
) -> AsyncIterator[Stand]:
    job = job or Job()
    wants = GatewayWants(
        model=Model(endpoint, model),
        folder=folder,
        limits=limits or BudgetLimits(),
        spent=spent or Spent(),
        registries=registries,
        ask_seconds_max=ask_seconds_max,
        beat_seconds=beat_seconds,
        is_alone=is_alone,
        open_host=open_host,
    )
    async with asyncio.timeout(bound_seconds), Gateway(wants, job) as gateway:
        transport = httpx.AsyncHTTPTransport(uds=str(gateway.socket))
        async with httpx.AsyncClient(
            transport=transport, base_url="http://127.0.0.1:4141", timeout=BOUND_SECONDS
        ) as client:
            yield Stand(gateway, job, client)
        for house in job.houses:
            await house.aclose()


@contextlib.asynccontextmanager
async def reached(here: Stand) -> AsyncIterator[int]:
    """Have the gateway at a port of this machine, by the relay."""
    port = free_port()
    process = await asyncio.create_subprocess_exec(
        *argv(port, here.gateway.socket, "sh", "-c", "echo up; exec cat"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        await process.stdout.readline()
        yield port
    finally:
        process.stdin.close()
        await process.wait()


def events(text: str) -> list[object]:
    """Read the data of server-sent events; "[DONE]" as itself."""
    told = [line[5:].strip() for line in text.splitlines() if line.startswith("data:")]
    return [one if one == "[DONE]" else json.loads(one) for one in told]
