"""Errors as pages: what happened, what to do next, and the way back."""

from __future__ import annotations

import logging

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import PlainTextResponse, Response
from starlette.exceptions import HTTPException

from hub.frontends.web import cookie
from hub.frontends.web.render import page
from hub.frontends.web.toast import BELL
from hub.frontends.web.visitor import Visitor, look, setting_of
from shared.errors import (
    AppError,
    BadInput,
    Conflict,
    LimitReached,
    NotAllowed,
    NotFound,
    Unavailable,
)

logger = logging.getLogger(__name__)

NEEDED = "sign_in_needed"
_STATUS: dict[type[AppError], int] = {
    BadInput: 422,
    NotAllowed: 403,
    NotFound: 404,
    Conflict: 409,
    LimitReached: 429,
    Unavailable: 503,
}
_LAST_WORDS = "The hub made a mistake, and could not even write a page about it. Try again.\n"


def install(site: FastAPI) -> None:
    site.add_exception_handler(AppError, _failed)
    site.add_exception_handler(HTTPException, _http_failed)
    site.add_exception_handler(RequestValidationError, _unknown)
    site.add_exception_handler(Exception, _bug)


async def _failed(request: Request, error: Exception) -> Response:
    assert isinstance(error, AppError)
    if error.code == NEEDED:
        return await _ask_to_sign_in(request)
    return await _told(request, error, _STATUS.get(type(error), 400))


async def _ask_to_sign_in(request: Request) -> Response:
    """Say how to get in, at the address where somebody wanted to go."""
    response = await page(request, None, "sign_in.html", status=401, error=None)
    if request.method == "GET" and BELL not in request.headers and not _is_part(request):
        query = f"?{request.url.query}" if request.url.query else ""
        cookie.note_next(response, f"{request.url.path}{query}")
    return response


def _is_part(request: Request) -> bool:
    return request.headers.get("sec-fetch-dest", "document") != "document"


async def _http_failed(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if error.status_code in (404, 405):
        return await _unknown(request, error)
    if error.status_code == 413:
        told = BadInput("form_too_large", "That was too much text for a form.", "Shorten it.")
    else:
        told = BadInput("request_unreadable", f"{error.detail}.", "Go back and try again.")
    return await _told(request, told, error.status_code)


async def _unknown(request: Request, error: Exception) -> Response:
    del error
    told = NotFound(
        "page_unknown",
        "There is no such page.",
        "The address may be cut off; or what was here belongs to somebody else.",
    )
    return await _told(request, told, 404)


async def _bug(request: Request, error: Exception) -> Response:
    logger.error("A page met a bug.", exc_info=error)
    told = Unavailable(
        "hub_bug",
        "The hub made a mistake.",
        "Try again. If it stays, report it with what the hub's log says.",
    )
    try:
        return await _told(request, told, 500)
    except Exception:
        return PlainTextResponse(_LAST_WORDS, status_code=500)


async def _told(request: Request, error: AppError, status: int) -> Response:
    visitor = await _visitor(request)
    response = await page(request, visitor, "error.html", status=status, error=error)
    if error.retry_after_seconds is not None:
        response.headers["Retry-After"] = str(int(error.retry_after_seconds) + 1)
    return response


async def _visitor(request: Request) -> Visitor | None:
    """Who it happens to, if that can be told: the bar then stays where it was."""
    try:
        return await look(request, setting_of(request))
    except AppError:
        return None
