"""The dashboard's application: its pages, its static files, and what every answer carries."""

from __future__ import annotations

from collections.abc import Sequence

from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import Response
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hub.frontends.web import live
from hub.frontends.web.everyone import keep_in_location
from hub.frontends.web.pages import (
    dead,
    jobs,
    pair,
    questions,
    queue,
    sessions,
    shell,
    tasks,
    workers,
)
from hub.frontends.web.render import page
from hub.frontends.web.static_files import Files
from hub.frontends.web.visitor import Setting
from shared.errors import AppError, NotAllowed, NotFound

ROUTERS: Sequence[APIRouter] = (
    live.router,
    shell.router,
    tasks.router,
    jobs.router,
    questions.router,
    workers.router,
    pair.router,
    queue.router,
    dead.router,
    sessions.router,
)
CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self' data:; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
HEADERS = {
    "Content-Security-Policy": CSP,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


def build(setting: Setting) -> ASGIApp:
    site = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    site.state.setting = setting
    for router in ROUTERS:
        site.include_router(router)
    site.mount("/static", Files(), name="static")
    site.add_exception_handler(AppError, _failed)
    return Guarded(site)


async def _failed(request: Request, error: Exception) -> Response:
    """Tell an error as a page."""
    assert isinstance(error, AppError)
    status = {NotFound: 404, NotAllowed: 403}.get(type(error), 400)
    return await page(request, None, "error.html", status=status, error=error)


class Guarded:
    """Puts the rules for browsers on every answer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
                keep_in_location(headers, scope.get("query_string", b""))
            await send(message)

        await self._app(scope, receive, guarded)
