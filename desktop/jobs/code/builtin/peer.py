"""One end of a line of JSON-RPC: requests both ways, answers found again by their number."""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from desktop.core.code.acp import rpc

if TYPE_CHECKING:
    from pydantic import JsonValue

    from shared.kinds import JsonObject


class Refusal(Exception):
    """The other end answers with an error, or is to be answered with one."""

    def __init__(self, message: str, code: int = rpc.INTERNAL_ERROR) -> None:
        super().__init__(message)
        self.code = code


class Peer:
    """Sends and takes messages; what comes is served in tasks of a group."""

    def __init__(
        self,
        send: Callable[[bytes], None],
        serve: Callable[[str, JsonObject], Awaitable[JsonObject]],
        notice: Callable[[str, JsonObject], None],
        group: asyncio.TaskGroup,
    ) -> None:
        """Begin with nothing said.

        Args:
            send: writes one line.
            serve: answers a request; raises Refusal.
            notice: hears what wants no answer.
            group: for what is under way.
        """
        self._send = send
        self._serve = serve
        self._notice = notice
        self._group = group
        self._asked: dict[int, asyncio.Future[JsonValue]] = {}
        self._count = 0

    def take(self, line: bytes) -> None:
        """Take one line; what is no message is passed over."""
        match rpc.read(line):
            case rpc.Request() as request:
                self._group.create_task(self._answer(request))
            case rpc.Notice(method=method, params=params):
                self._notice(method, params)
            case rpc.Returned(id=int(number), result=result) if number in self._asked:
                self._settle(number, result)
            case rpc.Failed(id=int(number), code=code, message=message) if number in self._asked:
                waiting = self._asked.pop(number)
                if not waiting.done():
                    waiting.set_exception(Refusal(message, code))
            case _:
                pass

    async def request(self, method: str, params: JsonObject) -> JsonObject:
        """Ask the other end, and wait for however long it takes.

        Raises:
            Refusal: it answers with an error.
        """
        self._count += 1
        number = self._count
        self._asked[number] = asyncio.get_running_loop().create_future()
        self._send(rpc.request(number, method, params))
        try:
            return rpc.record(await self._asked[number])
        finally:
            self._asked.pop(number, None)

    def notify(self, method: str, params: JsonObject) -> None:
        self._send(rpc.notice(method, params))

    def _settle(self, number: int, result: JsonValue) -> None:
        waiting = self._asked.pop(number)
        if not waiting.done():
            waiting.set_result(result)

    async def _answer(self, request: rpc.Request) -> None:
        try:
            result = await self._serve(request.method, request.params)
        except Refusal as refusal:
            self._send(rpc.failure(request.id, refusal.code, str(refusal)))
        except Exception as error:
            # Whatever it is, whoever asked must not wait for ever, and the next may be served.
            traceback.print_exc()
            self._send(rpc.failure(request.id, rpc.INTERNAL_ERROR, type(error).__name__))
        else:
            self._send(rpc.result(request.id, result))
