"""Serves `GET /metrics` to whoever has a key for it; bare ASGI, beside all that people look at."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from hub.core import access as core
from hub.core.access import Access
from hub.frontends.door import bearer_in
from hub.frontends.metrics.readings import read_all
from hub.frontends.metrics.sources import Sources
from hub.services.keys import Keys
from shared.errors import AppError, NotAllowed

if TYPE_CHECKING:
    from hub.frontends.metrics.exposition import Exposition

METHODS = ("GET", "HEAD")


class MetricsSite:
    def __init__(self, keys: Keys, sources: Sources) -> None:
        self._keys = keys
        self._sources = sources
        self._exposition: Exposition | None = None
        self._seconds = 0.0
        """How long the last scrape took."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        response: ASGIApp
        if scope["method"] not in METHODS:
            response = Response(status_code=405, headers={"Allow": ", ".join(METHODS)})
        else:
            try:
                headers = dict(scope.get("headers", ()))
                bearer = headers.get(b"authorization", b"").decode("latin-1")
                check_may_read(await self._keys.check(bearer_in(bearer)))
                response = await self._scraped()
            except AppError as error:
                response = _refused(error)
        await response(scope, receive, send)

    async def _scraped(self) -> Response:
        sources = self._sources
        census = await sources.watch.census.counted()
        fleet = await sources.fleet()
        began = time.perf_counter()
        if self._exposition is None:
            from hub.frontends.metrics.exposition import Exposition

            self._exposition = Exposition()
        from hub.frontends.metrics.exposition import CONTENT_TYPE

        body = self._exposition.write(read_all(sources, census, fleet, self._seconds))
        self._seconds = time.perf_counter() - began
        return Response(body, headers={"Content-Type": CONTENT_TYPE, "Cache-Control": "no-store"})


def check_may_read(access: Access) -> None:
    """Let keys for figures pass, and the operator's own; nobody else's: it is all people's work.

    Raises:
        NotAllowed: `key_scope`.
    """
    if access.is_machine or access.scope not in (core.Scope.METRICS, core.Scope.ADMIN):
        raise NotAllowed(
            "key_scope",
            "This key does not open the hub's figures.",
            "Make one: `deskhand-hub keys create prometheus --scope metrics`.",
        )


def _refused(error: AppError) -> ASGIApp:
    from hub.frontends.api.problems import problem

    return problem(error)
