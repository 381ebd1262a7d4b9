"""The hub's one server: its port, its event loop, signals, and the API that is made late.

What it serves is put together in `hub.app`.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import signal
import socket
import sys
import threading
from collections.abc import Awaitable, Callable, Generator

import uvicorn

from hub.engines.sockets import Receive, Scopes, Send
from hub.lean_socket import LeanSocket
from hub.settings import Settings
from shared.errors import Unavailable
from shared.protocol import FRAME_BYTES_MAX

GRACE_SECONDS = 3
"""How long requests under way may take at the end."""
BACKLOG = 1024
YOUNG_OBJECTS = 10_000
YOUNG_ROUNDS = 20
MIDDLE_ROUNDS = 50
"""The collector's thresholds: new containers before a look, young looks before a middle one,
middle ones before a full one."""

_ONE_AT_A_TIME = threading.Lock()
"""Two applications that are made at once, in two threads, leave pydantic's models half built."""

App = Callable[[Scopes, Receive, Send], Awaitable[None]]


class LateApi:
    """The REST API, made when it is first wanted, or as soon as the sockets are up.

    FastAPI takes half of a hub's start; workers and chats need not wait for it.
    """

    def __init__(self, make: Callable[[], App]) -> None:
        self._make = make
        self._app: App | None = None
        self._making = asyncio.Lock()

    async def ready(self) -> App:
        async with self._making:
            if self._app is None:
                self._app = await asyncio.to_thread(self._make_alone)
            return self._app

    def _make_alone(self) -> App:
        with _ONE_AT_A_TIME:
            return self._make()

    async def __call__(self, scope: Scopes, receive: Receive, send: Send) -> None:
        app = self._app or await self.ready()
        await app(scope, receive, send)


class Server(uvicorn.Server):
    """uvicorn that tells when it is up, and leaves signals to the hub, which drains first."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.is_up = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.is_up.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        yield


def server_of(settings: Settings, app: App) -> Server:
    config = uvicorn.Config(
        app,
        ws=LeanSocket,
        ws_max_size=FRAME_BYTES_MAX,
        # Beats of the protocol find silent peers; deflate costs 35 KiB for each connection.
        ws_ping_interval=None,
        ws_per_message_deflate=False,
        lifespan="off",
        loop="none",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=True,
        forwarded_allow_ips=settings.trusted_proxies,
        timeout_graceful_shutdown=GRACE_SECONDS,
        backlog=BACKLOG,
    )
    return Server(config)


def listen(settings: Settings) -> socket.socket:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        if sys.platform != "win32":
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((settings.host, settings.port))
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise Unavailable(
            "port_taken",
            f"The hub cannot listen on {settings.host} port {settings.port}: {error.strerror}.",
            "Stop the program that has it, or choose another with HUB_PORT.",
        ) from error
    listener.setblocking(False)  # noqa: FBT003 - its only form
    return listener


def loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """Use uvloop where it exists: a third less CPU for each message."""
    try:
        import uvloop
    except ImportError:
        return None
    factory: Callable[[], asyncio.AbstractEventLoop] = uvloop.new_event_loop
    return factory


def spare_collector() -> None:
    """Let the garbage collector look less often; for a process that is a hub and nothing else.

    Almost nothing here is part of a circle, and every job leaves some hundred objects on the
    board, in the feed and in the futures between two threads: with Python's own thresholds a
    fifth of the hub's time went into walking them.
    """
    gc.set_threshold(YOUNG_OBJECTS, YOUNG_ROUNDS, MIDDLE_ROUNDS)


def on_signals(stop: Callable[[], None]) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        try:
            loop.add_signal_handler(number, stop)
        except NotImplementedError:
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(stop))


def stop_with_input(descriptor: int) -> None:
    """Take the end of an input for SIGTERM: it comes whichever way the other end has died."""

    def watch() -> None:
        # Not through `sys.stdin`: a thread that holds its buffer breaks the interpreter's end.
        while os.read(descriptor, 4096):
            pass
        signal.raise_signal(signal.SIGTERM)

    threading.Thread(target=watch, name="until-input-ends", daemon=True).start()
