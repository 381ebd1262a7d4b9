"""The dashboard at `/`: pages written on the server, kept fresh by one stream."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.types import ASGIApp

    from hub.frontends.web.visitor import Setting


def make_web(setting: Setting) -> ASGIApp:
    """Build the ASGI application of the dashboard."""
    from hub.frontends.web.site import build

    return build(setting)
