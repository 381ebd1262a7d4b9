"""Applications that are made when they are first wanted."""

from __future__ import annotations

import asyncio
import threading
import time

from hub.engines.sockets import Receive, Scopes, Send
from hub.server import App, LateApi

LONG_ENOUGH_SECONDS = 0.05
"""For the other thread to come in, if it may."""


async def app(scope: Scopes, receive: Receive, send: Send) -> None:
    """Serve nothing."""


async def test_an_application_is_made_once_however_many_want_it() -> None:
    made: list[App] = []

    def make() -> App:
        made.append(app)
        return app

    late = LateApi(make)
    await asyncio.gather(*(late.ready() for _ in range(5)))
    assert made == [app]


async def test_two_applications_are_never_made_at_the_same_time() -> None:
    at_work: set[int] = set()
    most = 0

    def make() -> App:
        nonlocal most
        at_work.add(threading.get_ident())
        most = max(most, len(at_work))
        time.sleep(LONG_ENOUGH_SECONDS)
        at_work.discard(threading.get_ident())
        return app

    await asyncio.gather(*(LateApi(make).ready() for _ in range(3)))
    assert most == 1
