"""Lines between workers and the hub: slow, cut one way or both, broken, or leading nowhere.

What is sent on a way that is cut is not lost but late, as TCP resends it; it is lost when the
line breaks. A side that is gone answers what still reaches it by breaking the line.
"""

from __future__ import annotations

import asyncio
import json
import random
import re
from collections import deque
from collections.abc import Awaitable, Callable, MutableMapping
from enum import StrEnum
from types import TracebackType
from typing import Any, Protocol, Self

from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosedError, ConnectionClosedOK, InvalidStatus
from websockets.frames import Close
from websockets.http11 import Response

OPEN_SECONDS = 10.0
"""How long dialling may take, as `desktop.link.dialling`."""
CLOSE_SECONDS = 2.0
_TYPE = re.compile(r'"type":\s*"(\w+)"')

Scopes = MutableMapping[str, Any]
Application = Callable[
    [Scopes, Callable[[], Awaitable[Scopes]], Callable[[Scopes], Awaitable[None]]], Awaitable[None]
]


class Way(StrEnum):
    UP = "up"
    """From the worker to the hub."""
    DOWN = "down"


class Server(Protocol):
    """The hub as the network sees it."""

    @property
    def listens(self) -> bool: ...

    def answer(self, line: Line) -> None:
        """Serve a line that was opened."""


class Watcher(Protocol):
    def sent(self, line: Line, way: Way, frame: str) -> None:
        """Told of each frame when it is handed to the network."""


class Route:
    """Between one worker and the hub, for all lines there ever are."""

    def __init__(self, loop: asyncio.AbstractEventLoop, chance: random.Random) -> None:
        self.loop = loop
        self.chance = chance
        self.slowest_seconds = 0.08
        self._cut_until = {Way.UP: 0.0, Way.DOWN: 0.0}
        self._pipes: list[Pipe] = []

    def cut(self, way: Way, seconds: float) -> None:
        until = self.loop.time() + seconds
        self._cut_until[way] = max(self._cut_until[way], until)
        self.loop.call_at(until, self._flow)

    def heal(self) -> None:
        self._cut_until = {Way.UP: 0.0, Way.DOWN: 0.0}
        self.slowest_seconds = 0.08
        self._flow()

    def is_cut(self, way: Way) -> bool:
        return self.loop.time() < self._cut_until[way]

    def latency(self) -> float:
        return self.chance.uniform(0.002, self.slowest_seconds)

    def pipe(self, way: Way, sink: Callable[[Item], None]) -> Pipe:
        pipe = Pipe(self, way, sink)
        self._pipes.append(pipe)
        return pipe

    def _flow(self) -> None:
        for pipe in list(self._pipes):
            pipe.flow()


Item = tuple[str, str]
"""What it is ("open", "accept", "refuse", "text", "close", "reset") and what it says."""


class Pipe:
    """One way of one line: in order, late, held while its way is cut."""

    def __init__(self, route: Route, way: Way, sink: Callable[[Item], None]) -> None:
        self._route, self._way, self._sink = route, way, sink
        self._under_way: deque[tuple[float, Item]] = deque()
        self._timer: asyncio.TimerHandle | None = None
        self._last = 0.0
        self.is_dead = False
        """Nothing arrives any more, and nobody is told."""

    def put(self, item: Item) -> None:
        due = max(self._last, self._route.loop.time() + self._route.latency())
        self._last = due
        self._under_way.append((due, item))
        self.flow()

    def lose(self) -> None:
        """What is under way is lost."""
        self._under_way.clear()

    def flow(self) -> None:
        is_still = self._timer is not None or not self._under_way
        if is_still or self.is_dead or self._route.is_cut(self._way):
            return
        due = max(self._under_way[0][0], self._route.loop.time())
        self._timer = self._route.loop.call_at(due, self._deliver)

    def _deliver(self) -> None:
        self._timer = None
        if self._under_way and not (self.is_dead or self._route.is_cut(self._way)):
            _, item = self._under_way.popleft()
            self._sink(item)
        self.flow()


class Line:
    """A WebSocket between a worker and the hub: a `desktop.link.dialling.Line` at one end, an
    ASGI connection at the other."""

    def __init__(
        self, route: Route, name: str, token: str, server: Server, watcher: Watcher
    ) -> None:
        self.name = name
        """The worker's."""
        self.token = token
        self._server, self._watcher = server, watcher
        self._up = route.pipe(Way.UP, self._arrive_at_hub)
        self._down = route.pipe(Way.DOWN, self._arrive_at_worker)
        self.is_worker_there = True
        self.is_hub_there = False
        self._for_worker: deque[Item] = deque()
        self._for_hub: deque[Item] = deque()
        self._worker_bell = asyncio.Event()
        self._hub_bell = asyncio.Event()
        self.close_code: int | None = None

    # The worker's end.

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    async def open(self) -> None:
        """Dial. Raises as websockets does."""
        self._up.put(("open", ""))
        try:
            async with asyncio.timeout(OPEN_SECONDS):
                what, said = await self._next_for_worker()
        except BaseException:
            self.abort()
            raise
        if what == "refuse":
            self.abort()
            raise InvalidStatus(Response(int(said), "", Headers()))
        if what != "accept":
            self.abort()
            raise ConnectionRefusedError("nothing answers at that port")

    async def recv(self) -> str | bytes:
        if self.close_code is None:
            what, said = await self._next_for_worker()
            if what == "text":
                return said
            self._end_worker(int(said) if what == "close" else 1006)
        raise self._closed()

    async def send(self, frame: str, /) -> None:
        if self.close_code is not None or not self.is_worker_there:
            raise self._closed()
        self._up.put(("text", frame))
        self._watcher.sent(self, Way.UP, frame)

    async def close(self, code: int = 1000) -> None:
        if self.close_code is not None or not self.is_worker_there:
            return
        self._up.put(("close", str(code)))
        try:
            async with asyncio.timeout(CLOSE_SECONDS):
                while self.close_code is None:
                    what, said = await self._next_for_worker()
                    if what != "text":
                        self._end_worker(int(said) if what == "close" else 1006)
        except TimeoutError:
            self._end_worker(1006)

    def abort(self) -> None:
        if self.is_worker_there:
            self._up.put(("reset", ""))
            self._end_worker(1006)

    @property
    def own_address(self) -> str:
        return "192.0.2.7"

    async def _next_for_worker(self) -> Item:
        while not self._for_worker:
            self._worker_bell.clear()
            await self._worker_bell.wait()
        return self._for_worker.popleft()

    def _end_worker(self, code: int) -> None:
        self.close_code = code if self.close_code is None else self.close_code
        self.is_worker_there = False
        self._for_worker.append(("reset", ""))
        self._worker_bell.set()

    def _closed(self) -> ConnectionClosedOK | ConnectionClosedError:
        if self.close_code == 1000:
            return ConnectionClosedOK(Close(1000, ""), None)
        code = self.close_code or 1006
        return ConnectionClosedError(None if code == 1006 else Close(code, ""), None)

    # The hub's end, as an ASGI server gives it.

    @property
    def scope(self) -> Scopes:
        return {
            "type": "websocket",
            "path": "/api/v1/worker",
            "headers": [(b"authorization", f"Bearer {self.token}".encode())],
        }

    async def receive(self) -> Scopes:
        while not self._for_hub:
            self._hub_bell.clear()
            await self._hub_bell.wait()
        what, said = self._for_hub.popleft()
        match what:
            case "open":
                return {"type": "websocket.connect"}
            case "text":
                return {"type": "websocket.receive", "text": said}
            case _:
                self._for_hub.append((what, said))
                return {"type": "websocket.disconnect", "code": 1006}

    async def answer(self, event: Scopes) -> None:
        """Take what the application sends."""
        if not self.is_hub_there:
            raise OSError("the other side is gone")
        match event["type"]:
            case "websocket.accept":
                self._down.put(("accept", ""))
            case "websocket.send":
                self._down.put(("text", event["text"]))
                self._watcher.sent(self, Way.DOWN, event["text"])
            case "websocket.close":
                self._down.put(("close", str(event["code"])))
                self.is_hub_there = False
            case "websocket.http.response.start":
                self._down.put(("refuse", str(event["status"])))
            case _:
                self.is_hub_there = False

    # What happens to it.

    def _arrive_at_hub(self, item: Item) -> None:
        if item[0] == "open":
            if not self._server.listens:
                self._down.put(("reset", ""))
                return
            self.is_hub_there = True
            self._for_hub.append(item)
            self._server.answer(self)
            return
        if not self.is_hub_there:
            if item[0] == "text":
                self._down.put(("reset", ""))
            return
        if item[0] in ("close", "reset"):
            self.is_hub_there = False
            if item[0] == "close":
                self._down.put(item)
        self._for_hub.append(item)
        self._hub_bell.set()

    def _arrive_at_worker(self, item: Item) -> None:
        if not self.is_worker_there:
            if item[0] == "text":
                self._up.put(("reset", ""))
            return
        self._for_worker.append(item)
        self._worker_bell.set()

    def breaks(self) -> None:
        """Both sides notice; what is under way is lost."""
        self._up.lose()
        self._down.lose()
        if self.is_hub_there:
            self._arrive_at_hub(("reset", ""))
        if self.is_worker_there:
            self._for_worker.append(("reset", ""))
            self._worker_bell.set()

    def leads_nowhere(self) -> None:
        """Neither side notices anything but silence."""
        self._up.is_dead = self._down.is_dead = True

    def loses_worker(self, *, silently: bool) -> None:
        """The worker's program is gone; its machine says so, unless that is gone, too."""
        if self.is_worker_there:
            if not silently:
                self._up.put(("reset", ""))
            self._end_worker(1006)

    def loses_hub(self, *, silently: bool) -> None:
        if self.is_hub_there:
            self.is_hub_there = False
            if not silently:
                self._down.put(("reset", ""))


def type_of(frame: str) -> str:
    found = _TYPE.search(frame)
    assert found is not None
    return found[1]


def told(frame: str) -> dict[str, Any]:
    message: dict[str, Any] = json.loads(frame)
    return message
