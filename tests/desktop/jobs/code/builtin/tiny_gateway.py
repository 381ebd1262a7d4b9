"""The least of a gateway: `POST /deskhand/turn`, answered by a model of a test's choice."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from desktop.core.code.turn import (
    PATH,
    Turn,
    TurnFault,
    TurnReply,
    fault_json,
    read_turn,
    reply_json,
)
from desktop.core.llm.fault import LlmFault
from desktop.core.llm.types import Endpoint, Format, Model
from desktop.jobs.llm.house import House
from desktop.jobs.llm.speaker import Speaker
from desktop.jobs.llm.turns import take_turn

Answers = Callable[[Turn], Awaitable[TurnReply]]


class Fault(Exception):
    def __init__(self, fault: TurnFault) -> None:
        super().__init__(fault.message)
        self.fault = fault


@dataclass(slots=True)
class TinyGateway:
    answers: Answers
    address: str = ""
    turns: list[Turn] = field(default_factory=list)
    heads: list[str] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            size = re.search(r"content-length: (\d+)", head, re.IGNORECASE)
            assert size
            turn = read_turn(await reader.readexactly(int(size[1])))
            assert head.startswith(f"POST {PATH} ")
            self.heads.append(head)
            self.turns.append(turn)
            try:
                status, body = 200, reply_json(await self.answers(turn))
            except Fault as fault:
                status, body = 400, fault_json(fault.fault)
            except LlmFault as fault:
                told = TurnFault(code=fault.code, message=fault.message, hint=fault.hint)
                status, body = 502, fault_json(told)
            writer.write(
                b"HTTP/1.1 %d -\r\nContent-Length: %d\r\n\r\n" % (status, len(body)) + body
            )
            await writer.drain()
        writer.close()


@asynccontextmanager
async def gateway(answers: Answers) -> AsyncIterator[TinyGateway]:
    made = TinyGateway(answers)
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0, limit=2**20)
    made.address = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server:
        yield made


@asynccontextmanager
async def gateway_to(
    address: str, format_: Format = Format.OPENAI, name: str = "scripted"
) -> AsyncIterator[TinyGateway]:
    """Ask a model server, through the house and the speaker."""
    url = f"{address}/v1" if format_ is Format.OPENAI else address
    place = Endpoint(name="here", base_url=url, format=format_, is_local=True)
    house = House(dict, Speaker())

    async def answers(turn: Turn) -> TurnReply:
        return (await take_turn(house, Model(place, name), turn)).reply

    try:
        async with gateway(answers) as made:
            yield made
    finally:
        await house.aclose()
