"""Finds out which forge a host is, by what only one sort of them answers; no token goes along."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

from desktop.core.code.forge import ForgeSort, web_base
from desktop.core.code.repository import Repository
from desktop.system.way import Way
from shared.errors import AppError

if TYPE_CHECKING:
    import httpx

LOOK_SECONDS = 5.0
ANSWER_BYTES_MAX = 64 * 1024
_PLACES = (
    (ForgeSort.GITEA, "/api/v1/version"),
    (ForgeSort.GITLAB, "/api/v4/version"),
    (ForgeSort.GITHUB, "/api/v3/meta"),
)


async def detected(repository: Repository, way: Way) -> ForgeSort:
    """Return which forge a host is; PLAIN when it does not say, or does not answer."""
    import httpx

    base = web_base(repository)
    try:
        trust = await asyncio.to_thread(way.trust)
        async with (
            asyncio.timeout(LOOK_SECONDS),
            httpx.AsyncClient(
                verify=trust, proxy=way.proxy_for(base), trust_env=False, timeout=LOOK_SECONDS
            ) as client,
        ):
            for sort, path in _PLACES:
                if await _is_it(client, sort, base + path):
                    return sort
    except (httpx.HTTPError, httpx.InvalidURL, OSError, AppError):
        return ForgeSort.PLAIN
    return ForgeSort.PLAIN


async def _is_it(client: httpx.AsyncClient, sort: ForgeSort, url: str) -> bool:
    async with client.stream("GET", url) as response:
        content = b""
        async for chunk in response.aiter_bytes():
            content += chunk
            if len(content) > ANSWER_BYTES_MAX:
                return False
    try:
        told = json.loads(content)
    except (ValueError, RecursionError):
        return False
    if not isinstance(told, dict):
        return False
    match sort:
        case ForgeSort.GITEA:
            return response.status_code == 200 and "version" in told
        case ForgeSort.GITLAB:
            # It answers 401 to who shows no token, in its own words.
            return response.status_code == 401 and str(told.get("message")) == "401 Unauthorized"
        case _:
            return "x-github-request-id" in response.headers or "installed_version" in told
