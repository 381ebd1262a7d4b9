"""The REST API, `/api/v1`; `build` puts it together. Nothing heavy is imported here."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.types import ASGIApp

    from hub.frontends.api.parts import About
    from hub.services import Services
    from hub.services.snapshots import Snapshots


def make_api(services: Services, snapshots: Snapshots, about: About) -> ASGIApp:
    """Build the ASGI application of the API."""
    from hub.frontends.api.build import build
    from hub.frontends.api.once import OnceOnly
    from hub.frontends.api.problems import DeclaredLength
    from hub.frontends.api.short_way import ShortWay
    from hub.frontends.api.snapshot import SnapshotRoute
    from hub.frontends.api.upload import Uploads

    api = OnceOnly(services, build(services, about))
    app = Uploads(services, DeclaredLength(api))
    return ShortWay(services, SnapshotRoute(services, snapshots, app))
