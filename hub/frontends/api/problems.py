"""Errors as problem documents (RFC 9457), the framework's own ones included."""

from __future__ import annotations

import logging
import math
from collections.abc import Sequence

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Receive, Scope, Send

from shared.api.problem import MEDIA_TYPE, FieldFault, Problem
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

BODY_BYTES_MAX = 1024 * 1024
FAULTS_SHOWN_MAX = 10
RETRY_SECONDS = 60.0
"""When a limit is worth another try, where nothing better is known."""

STATUS_BY_CLASS: Sequence[tuple[type[AppError], int, str]] = (
    (BadInput, 422, "Bad input"),
    (NotAllowed, 403, "Not allowed"),
    (NotFound, 404, "Not found"),
    (Conflict, 409, "Conflict"),
    (LimitReached, 429, "Limit reached"),
    (Unavailable, 503, "Unavailable"),
)
UNPROVEN = frozenset({"key_missing", "key_invalid", "pairing_signature_wrong"})
"""Codes that mean "who are you?" (401) and not "you may not" (403)."""


class DeclaredLength:
    """Refuses a body by its Content-Length; the framework would, but not as a problem document.

    A body that does not tell its length is counted by the framework while it comes in.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = dict(scope.get("headers", ()))
        length = headers.get(b"content-length", b"0")
        if length.isdigit() and int(length) > BODY_BYTES_MAX:
            await problem(body_too_large())(scope, receive, send)
        else:
            await self.app(scope, receive, send)


def body_too_large() -> LimitReached:
    return LimitReached(
        "body_too_large",
        f"The body is larger than {BODY_BYTES_MAX // 1024} KiB.",
        "Files stay on your computers: name them instead of sending them.",
    )


def install(api: FastAPI) -> None:
    """Answer every error with a problem document."""
    api.add_exception_handler(AppError, _app_error)
    api.add_exception_handler(RequestValidationError, _invalid)
    api.add_exception_handler(HTTPException, _http_error)
    api.add_exception_handler(Exception, _bug)


def problem(
    error: AppError, *, status: int | None = None, faults: Sequence[FieldFault] = ()
) -> JSONResponse:
    """Write an error as a response."""
    code, title = _status_of(error)
    body = Problem(
        type=f"urn:deskhand:problem:{error.code}",
        title=title,
        status=status or code,
        detail=error.message,
        code=error.code,
        hint=error.hint,
        errors=tuple(faults),
    )
    headers: dict[str, str] = {}
    wait = error.retry_after_seconds
    if wait is None and body.status == 429:
        wait = RETRY_SECONDS
    if wait is not None:
        headers["Retry-After"] = str(math.ceil(wait))
    if body.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    return JSONResponse(
        body.model_dump(), status_code=body.status, media_type=MEDIA_TYPE, headers=headers
    )


def _status_of(error: AppError) -> tuple[int, str]:
    if error.code in UNPROVEN:
        return 401, "Who are you?"
    if error.code == "body_too_large":
        return 413, "Too large"
    if error.code == "pairing_expired":
        return 410, "Gone"
    if error.code in ("task_changed", "webhook_changed"):
        return 412, "Changed meanwhile"
    if error.code == "version_missing":
        return 428, "Say which version"
    if error.code == "dedupe_reused":
        # draft-ietf-httpapi-idempotency-key-header: the same key with another body.
        return 422, "Bad input"
    for kind, status, title in STATUS_BY_CLASS:
        if isinstance(error, kind):
            return status, title
    return 400, "Bad request"


async def _app_error(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, AppError)
    return problem(error)


async def _invalid(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    if _is_named(request):
        # "/dead-letters/purge" is no dead letter called "purge".
        return await _http_error(request, HTTPException(405))
    found = error.errors()
    if any(fault["type"] == "json_invalid" for fault in found):
        return problem(
            BadInput("json_invalid", "The body is no JSON.", "Send application/json."), status=400
        )
    faults = [
        FieldFault(
            field=".".join(str(p) for p in f["loc"][1:]) or str(f["loc"][0]), message=f["msg"]
        )
        for f in found[:FAULTS_SHOWN_MAX]
    ]
    first = faults[0]
    told = BadInput(
        "request_invalid",
        f"{first.field}: {first.message}.",
        "The schema is at /api/v1/openapi.json.",
    )
    return problem(told, faults=faults)


async def _http_error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    match error.status_code:
        case 404:
            told: AppError = NotFound(
                "path_unknown",
                f"There is nothing at {request.url.path[:200]}.",
                "What there is stands in /api/v1/openapi.json.",
            )
        case 405:
            told = BadInput(
                "method_unknown",
                f"{request.url.path[:200]} does not take {request.method[:20]}.",
                "The Allow header names what it takes.",
            )
        case 413:
            told = body_too_large()
        case _:
            told = BadInput("request_unreadable", f"{error.detail}.", "")
    response = problem(told, status=error.status_code)
    response.headers.update(error.headers or {})
    if error.status_code == 405:
        response.headers["Allow"] = _allowed(request) or response.headers.get("Allow", "")
    return response


def _is_named(request: Request) -> bool:
    """Whether a path stands word for word in the document, for other methods than this one."""
    named = request.app.openapi()["paths"].get(request.url.path)
    return named is not None and request.method.lower() not in named


def _allowed(request: Request) -> str:
    """What a path takes; the framework names the methods of one of its routes alone."""
    paths: dict[str, dict[str, object]] = request.app.openapi()["paths"]
    path = request.url.path
    found = [path] if path in paths else [known for known in paths if _is_of(known, path)]
    return ", ".join(sorted({method.upper() for known in found for method in paths[known]}))


def _is_of(template: str, path: str) -> bool:
    parts, told = template.split("/"), path.split("/")
    return len(parts) == len(told) and all(
        part == one or part.startswith("{") for part, one in zip(parts, told, strict=True)
    )


async def _bug(_request: Request, error: Exception) -> JSONResponse:
    return bug(error)


def bug(error: Exception) -> JSONResponse:
    """Log what must not happen, and say that it did."""
    logger.error("A request met a bug.", exc_info=error)
    told = Unavailable(
        "hub_bug",
        "The hub made a mistake; it is in its log.",
        "Try again; if it stays, report it with that log entry.",
    )
    return problem(told, status=500)
