"""The short way to a task: what is plain to read is asked for without the framework.

Programs ask for work more often than for anything else, and most of what that costs is the way:
a dozen layers, dependencies, models made twice. Here the same key is checked, the same model read
and the same function called. Whatever is out of the ordinary takes the long way from the start,
with all that was read of it; so there is one place that says what is wrong with a request.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from pydantic import ValidationError
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hub.core.answer import KEY
from hub.frontends.api import tasks
from hub.frontends.api.parts import enqueuer_of
from hub.frontends.api.problems import BODY_BYTES_MAX, bug, problem
from hub.services import Services
from shared.api.tasks import NewTask
from shared.errors import AppError

PATHS = frozenset({"/api/v1/tasks", "/api/v1/queue/jobs"})
BEARER = "Bearer "
JSON = "application/json"
Object = dict[str, object]


class ShortWay:
    """Serves requests for tasks that are plain; passes all others on."""

    def __init__(self, services: Services, app: ASGIApp) -> None:
        self._services = services
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = _plain_headers(scope) if scope["path"] in PATHS else None
        if headers is None:
            await self._app(scope, receive, send)
            return
        heard = await _heard(receive)
        told = _read(heard)
        try:
            response = None if told is None else await self._made(headers, told)
        except Exception as error:
            # As the framework does: the server logs it, too.
            await bug(error)(scope, receive, send)
            raise
        if response is None:
            await self._app(scope, _again(heard, receive), send)
        else:
            await response(scope, receive, send)

    async def _made(self, headers: Mapping[str, str], told: Object) -> Response | None:
        """Make a task, or say why not; None for the long way: nothing was made."""
        try:
            # In the framework's order: a key that is none is told before a body that is none.
            caller = await enqueuer_of(self._services, headers["authorization"][len(BEARER) :])
            if (new := _new_task(told)) is None:
                return None
            task = await tasks.make(new, caller, self._services, headers.get("idempotency-key"))
        except AppError as error:
            return problem(error)
        body = task.__pydantic_serializer__.to_json(task)
        response = Response(body, status_code=201, media_type=JSON)
        response.headers["location"] = tasks.address(task)
        return response


def _plain_headers(scope: Scope) -> dict[str, str] | None:
    """Return the headers of a request for a task that is as programs send it; else None."""
    if scope["type"] != "http" or scope["method"] != "POST" or scope["query_string"]:
        return None
    pairs: Sequence[tuple[bytes, bytes]] = scope["headers"]
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in pairs}
    length, once = headers.get("content-length", ""), headers.get("idempotency-key")
    is_plain = (
        len(headers) == len(pairs)
        and headers.get("content-type") == JSON
        and headers.get("authorization", "").startswith(BEARER)
        and length.isdecimal()
        and int(length) <= BODY_BYTES_MAX
        and (once is None or KEY.fullmatch(once) is not None)
    )
    return headers if is_plain else None


async def _heard(receive: Receive) -> list[Message]:
    """Hear a request to its end."""
    heard = [await receive()]
    while heard[-1].get("more_body", False):
        heard.append(await receive())
    return heard


def _read(heard: Sequence[Message]) -> Object | None:
    """Read a body as the framework does; None when it is cut off, or holds no JSON object."""
    if heard[-1]["type"] != "http.request":
        return None
    try:
        told = json.loads(b"".join(message.get("body", b"") for message in heard))
    except (ValueError, RecursionError):
        return None
    return told if isinstance(told, dict) else None


def _new_task(told: Object) -> NewTask | None:
    try:
        return NewTask.model_validate(told)
    except ValidationError:
        return None


def _again(heard: Sequence[Message], receive: Receive) -> Receive:
    """Let what was heard be heard again, and then what is still to come."""
    left = iter(heard)

    async def again() -> Message:
        return next(left, None) or await receive()

    return again
