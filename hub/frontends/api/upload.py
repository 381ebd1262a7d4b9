"""Where workers bring the files that a result of theirs announced: `HEAD` asks, `PUT` brings.

    HEAD /api/v1/files/{sha256}   204 bring it · 200 it is here · 404 unannounced · 410 unwanted
    PUT  /api/v1/files/{sha256}   201 taken · 200 it was here · 422 not what was announced · …

Bare ASGI beside the API, whose bodies are small and read whole: these are streamed to the disk.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from hub.core.access import Access, machine_of
from hub.frontends.api.problems import problem
from hub.services import Services
from shared.errors import AppError, Unavailable

PATH = re.compile(r"/api/v1/files/(?P<sha256>[0-9a-f]{64})")


class Uploads:
    """Serves a worker's requests about files; passes all others on."""

    def __init__(self, services: Services, app: ASGIApp) -> None:
        self._services = services
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        found = PATH.fullmatch(scope.get("path", ""))
        if found is None or scope.get("method") not in ("HEAD", "PUT"):
            return await self._app(scope, receive, send)
        try:
            access = await self._admit(scope)
            if scope["method"] == "HEAD":
                wanted = await self._services.files.wanted(access.person_id, found["sha256"])
                response = Response(status_code=200 if wanted is None else 204)
            else:
                content = _content(receive)
                is_new = await self._services.files.take(access.person_id, found["sha256"], content)
                response = Response(status_code=201 if is_new else 200)
        except AppError as error:
            response = problem(error, status=410 if error.code == "file_unwanted" else None)
            # Whatever else is on its way is not read: an upload may be without end.
            response.headers["Connection"] = "close"
        return await response(scope, receive, send)

    async def _admit(self, scope: Scope) -> Access:
        headers = dict(scope.get("headers", ()))
        bearer = headers.get(b"authorization", b"").decode("latin-1")
        access = await self._services.keys.check(bearer)
        machine_of(access)
        return access


async def _content(receive: Receive) -> AsyncIterator[bytes]:
    """Read a request's body piece by piece.

    Raises:
        Unavailable: `upload_cut`, the other side went away.
    """
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Unavailable("upload_cut", "The upload was cut off.", retryable=True)
        yield message.get("body", b"")
        if not message.get("more_body", False):
            return
