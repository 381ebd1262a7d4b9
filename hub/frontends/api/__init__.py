"""The REST API, `/api/v1`; `build` puts it together. Nothing heavy is imported here."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.types import ASGIApp

    from hub.frontends.api.parts import ChatLinks, Statuses
    from hub.services import Services
    from hub.services.snapshots import Snapshots


def make_api(
    *,
    services: Services,
    snapshots: Snapshots,
    hub_name: str,
    hub_epoch: str,
    version: str,
    hub_url: str,
    frontends: Statuses,
    chat_links: ChatLinks,
) -> ASGIApp:
    """Build the ASGI application of the API."""
    from hub.frontends.api.build import build
    from hub.frontends.api.parts import About
    from hub.frontends.api.problems import DeclaredLength
    from hub.frontends.api.snapshot import SnapshotRoute
    from hub.frontends.api.upload import Uploads

    about = About(
        hub_name=hub_name,
        hub_epoch=hub_epoch,
        version=version,
        hub_url=hub_url,
        frontends=frontends,
        chat_links=chat_links,
    )
    app = Uploads(services, DeclaredLength(build(services, about)))
    return SnapshotRoute(services, snapshots, app)
