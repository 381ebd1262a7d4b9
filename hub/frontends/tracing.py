"""Every request over HTTP belongs to a trace: its caller's, or a new one; the answer names it.

Source: https://www.w3.org/TR/trace-context/, sections 3.2 and 4.3. `tracestate` is for others, and
is passed on to nobody.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from shared import spans, trace
from shared.environment import Environment
from shared.spans import Span

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

API = "/api/v1/"
SERVER_FAULT = 500
_HEADER = trace.HEADER.encode()


class Traced:
    """An ASGI application whose requests are traced; sockets pass by."""

    def __init__(self, app: App, environment: Environment) -> None:
        self._app = app
        self._environment = environment

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        told, began = _told(scope), self._environment.now()
        place = trace.continued(told, self._environment.id_entropy)
        status = 0

        async def named(message: MutableMapping[str, Any]) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = [*message.get("headers", ()), (_HEADER, str(place).encode())]
                message = {**message, "headers": headers}
            await send(message)

        with trace.carried(place):
            await self._app(scope, receive, named)
        if spans.is_wanted():
            spans.tell(
                Span(
                    name=f"{scope['method']} {_area(scope['path'])}",
                    place=place,
                    parent=parent.span_id if (parent := trace.parse(told)) else "",
                    start=began,
                    end=self._environment.now(),
                    facts={
                        "http.request.method": scope["method"],
                        "http.response.status_code": status,
                    },
                    failed=str(status) if status >= SERVER_FAULT else "",
                    sort="server",
                )
            )


def _area(path: str) -> str:
    """Name what a path is about, without what follows: that may be a name of somebody's file."""
    first = path.removeprefix(API).partition("/")[0]
    is_word = path.startswith(API) and first.isascii() and first.replace("-", "").isalpha()
    return API + first if is_word else "/"


def _told(scope: Scope) -> str:
    """Return what a caller names as its trace; more than one name is none (section 3.2)."""
    told = [value for name, value in scope["headers"] if name.lower() == _HEADER]
    return told[0].decode("latin-1") if len(told) == 1 else ""
