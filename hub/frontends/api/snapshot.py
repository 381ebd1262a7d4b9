"""Where a worker fetches the log at once: `GET /api/v1/worker/snapshot?hub_epoch=…&hub_seq=…`.

Bare ASGI beside the API, whose keys are those of people: this is for workers' tokens.
"""

from __future__ import annotations

from urllib.parse import parse_qs

from starlette.responses import FileResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from hub.core.access import machine_of
from hub.frontends.api.problems import problem
from hub.services import Services
from hub.services.snapshots import Snapshots
from shared.errors import AppError, BadInput
from shared.ids import COUNT_MAX, PersonId
from shared.snapshot import SNAPSHOT_PATH


class SnapshotRoute:
    """Serves a worker's request for a snapshot; passes all others on."""

    def __init__(self, services: Services, snapshots: Snapshots, app: ASGIApp) -> None:
        self._services = services
        self._snapshots = snapshots
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope.get("path") != SNAPSHOT_PATH or scope.get("method") != "GET":
            return await self._app(scope, receive, send)
        response: Response
        try:
            person_id = await self._admit(scope)
            hub_epoch, hub_seq = _place(scope)
            path = await self._snapshots.snapshot(person_id, hub_epoch, hub_seq)
            response = FileResponse(path, media_type="application/gzip")
        except AppError as error:
            response = problem(error)
        return await response(scope, receive, send)

    async def _admit(self, scope: Scope) -> PersonId:
        headers = dict(scope.get("headers", ()))
        bearer = headers.get(b"authorization", b"").decode("latin-1")
        access = await self._services.keys.check(bearer)
        machine_of(access)
        return access.person_id


def _place(scope: Scope) -> tuple[str, int]:
    """Read where the worker's copy ends.

    Raises:
        BadInput: `place_invalid`.
    """
    asked = parse_qs(scope.get("query_string", b"").decode("latin-1"), max_num_fields=10)
    hub_epoch, hub_seq = asked.get("hub_epoch", [""])[0], asked.get("hub_seq", ["0"])[0]
    is_number = hub_seq.isascii() and hub_seq.isdigit() and len(hub_seq) <= len(str(COUNT_MAX))
    if not is_number or len(hub_epoch) > 64:
        raise BadInput("place_invalid", "hub_seq is a number, hub_epoch an id of this hub's.")
    return hub_epoch, min(int(hub_seq), COUNT_MAX)
