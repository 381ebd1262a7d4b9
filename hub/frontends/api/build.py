"""The REST API, `/api/v1`: the same services for programs, scripts and the hub's own commands.

Every error is a problem document (RFC 9457), whoever raised it. Lists are pages with an opaque
cursor. A POST that makes something takes an Idempotency-Key, so that a retry harms nothing.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute

from hub.frontends.api import (
    artifacts,
    chat,
    dead_letters,
    docs,
    events,
    files,
    fleet,
    job_log,
    jobs,
    keys,
    pairings,
    people,
    questions,
    queue,
    schedules,
    sessions,
    sign_ins,
    standing,
    status,
    tasks,
    webhooks,
    workers,
)
from hub.frontends.api.document import completed
from hub.frontends.api.parts import About
from hub.frontends.api.problems import BODY_BYTES_MAX, install
from hub.services import Services

PREFIX = "/api/v1"
PARTS = (
    tasks,
    jobs,
    job_log,
    dead_letters,
    queue,
    fleet,
    artifacts,
    files,
    questions,
    chat,
    sessions,
    schedules,
    events,
    workers,
    pairings,
    people,
    sign_ins,
    keys,
    webhooks,
    status,
    standing,
    docs,
)
"""Modules with a `router`, in the order of the document; one a line."""


def build(services: Services, about: About) -> FastAPI:
    """Build the ASGI application of the API."""
    api = FastAPI(
        title="Deskhand hub",
        version=about.version,
        openapi_url=f"{PREFIX}/openapi.json",
        docs_url=None,
        redoc_url=None,
        generate_unique_id_function=_operation_id,
        max_body_size=BODY_BYTES_MAX,
    )
    api.state.services = services
    api.state.about = about
    for part in PARTS:
        api.include_router(part.router, prefix=PREFIX)
    install(api)
    made = api.openapi

    @cache
    def document() -> dict[str, Any]:
        return completed(made(), services.intake.kinds)

    # FastAPI's documented way to extend the schema.
    api.openapi = document  # type: ignore[method-assign]
    return api


def _operation_id(route: APIRoute) -> str:
    """Name an operation as its function: `create_task`."""
    return route.name
