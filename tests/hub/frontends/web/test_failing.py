"""A page that meets a bug, or a hub that cannot: told as a page, without what is inside."""

from __future__ import annotations

import logging
from types import SimpleNamespace

import httpx
import pytest
from fastapi import FastAPI

from hub.core.sign_in import needed
from hub.frontends.web import failing
from shared.environment import Environment
from shared.errors import AppError, Conflict, LimitReached, Unavailable


async def nobody(secret: str, *, is_use: bool = True) -> None:
    raise needed()


@pytest.fixture
def site() -> FastAPI:
    site = FastAPI()
    site.state.setting = SimpleNamespace(
        environment=Environment(),
        hub_name="test hub",
        services=SimpleNamespace(
            feed=SimpleNamespace(position=lambda: 0), sign_ins=SimpleNamespace(check=nobody)
        ),
    )
    failing.install(site)
    return site


async def get(site: FastAPI, error: Exception) -> httpx.Response:
    @site.get("/it")
    async def it() -> None:
        raise error

    transport = httpx.ASGITransport(app=site, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://hub") as client:
        return await client.get("/it")


async def test_a_bug_is_told_without_what_is_inside(
    site: FastAPI, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR):
        answer = await get(site, ValueError("the secret is swordfish"))
    assert answer.status_code == 500
    assert "<h1>The hub made a mistake.</h1>" in answer.text
    assert "swordfish" not in answer.text
    assert "the secret is swordfish" in caplog.text


async def test_a_bug_in_the_page_about_the_bug_is_told_all_the_same(site: FastAPI) -> None:
    del site.state.setting.hub_name
    answer = await get(site, ValueError("x"))
    assert (answer.status_code, "Try again" in answer.text) == (500, True)


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (Conflict("x", "Somebody was first.", "Look."), 409),
        (LimitReached("x", "Too often.", "Wait.", retry_after_seconds=1.5), 429),
        (Unavailable("disk_full", "The hub's disk is full.", "Make room."), 503),
    ],
)
async def test_what_cannot_be_done_is_told_with_the_next_step(
    site: FastAPI, error: AppError, status: int
) -> None:
    answer = await get(site, error)
    assert answer.status_code == status
    assert error.message in answer.text.replace("&#39;", "'")
    assert error.hint in answer.text
    assert answer.headers.get("retry-after") == ("2" if status == 429 else None)
