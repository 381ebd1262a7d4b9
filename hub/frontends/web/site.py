"""The dashboard's application: its pages, its static files, and what every answer carries."""

from __future__ import annotations

from collections.abc import Sequence

from fastapi import APIRouter, FastAPI
from starlette.middleware.gzip import GZipMiddleware
from starlette.types import ASGIApp

from hub.frontends.web import failing, live
from hub.frontends.web.pages import (
    activity,
    audit,
    change,
    chat,
    dead,
    hub_state,
    jobs,
    keys,
    me,
    new_task,
    pair,
    people,
    questions,
    queue,
    runs,
    schedules,
    sessions,
    shell,
    sign_in,
    tasks,
    webhooks,
    workers,
)
from hub.frontends.web.rules import Guarded
from hub.frontends.web.static_files import Files
from hub.frontends.web.visitor import Setting

ROUTERS: Sequence[APIRouter] = (
    live.router,
    shell.router,
    sign_in.router,
    me.router,
    people.router,
    # Before the tasks, whose addresses have an id where this has a word.
    new_task.router,
    tasks.router,
    jobs.router,
    change.router,
    questions.router,
    chat.router,
    workers.router,
    pair.router,
    runs.router,
    queue.router,
    dead.router,
    schedules.router,
    sessions.router,
    activity.router,
    audit.router,
    keys.router,
    webhooks.router,
    hub_state.router,
)
FORM_BYTES_MAX = 256 * 1024


def build(setting: Setting) -> ASGIApp:
    site = FastAPI(openapi_url=None, docs_url=None, redoc_url=None, max_body_size=FORM_BYTES_MAX)
    site.state.setting = setting
    for router in ROUTERS:
        site.include_router(router)
    site.mount("/static", GZipMiddleware(Files(), minimum_size=500), name="static")
    failing.install(site)
    return Guarded(site, setting.hub_url)
