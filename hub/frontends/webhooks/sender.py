"""Keeps a lane for every webhook that is on; a lane that waits delays no other.

Nothing of HTTP is imported before the first webhook is there.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import structlog

from hub.frontends.webhooks.lane import Lane
from hub.frontends.webhooks.posting import Post
from hub.services import Services
from shared.environment import Environment
from shared.errors import AppError, NotFound
from shared.ids import WebhookId

log = structlog.get_logger()

STORE_SECONDS = 5.0


class WebhookSender:
    """The way out to webhooks; `run` it."""

    def __init__(
        self,
        services: Services,
        environment: Environment,
        *,
        version: str,
        post: Callable[[], Post] | None = None,
    ) -> None:
        self._services = services
        self._environment = environment
        self._version = version
        self._make_post = post or self._http
        self._lanes: dict[WebhookId, Lane] = {}
        self._changed = asyncio.Event()
        services.webhooks.listeners.append(self._ring)

    async def run(self) -> None:
        """Send until cancelled."""
        await self._until_there_is_one()
        post = self._make_post()
        try:
            async with asyncio.TaskGroup() as tasks:
                while True:
                    self._changed.clear()
                    await self._open_lanes(post, tasks)
                    await self._changed.wait()
        finally:
            await post.close()

    async def _until_there_is_one(self) -> None:
        while True:
            # Before looking: what is made while we look must not be forgotten.
            self._changed.clear()
            if await self._told():
                return
            await self._changed.wait()

    async def _told(self) -> list[WebhookId]:
        while True:
            try:
                return await self._services.webhook_lanes.told()
            except AppError as error:
                log.warning("webhooks_rest", code=error.code)
                await asyncio.sleep(STORE_SECONDS)

    async def _open_lanes(self, post: Post, tasks: asyncio.TaskGroup) -> None:
        for webhook_id in await self._told():
            if webhook_id not in self._lanes:
                lane = self._lanes[webhook_id] = Lane(webhook_id, self._services, post)
                tasks.create_task(self._go(webhook_id, lane))

    async def _go(self, webhook_id: WebhookId, lane: Lane) -> None:
        try:
            webhook = await self._services.webhooks.webhook(None, webhook_id)
            await lane.run(webhook.person_id)
        except NotFound:
            return  # deleted in the same moment
        except AppError as error:
            log.warning("webhook_rests", code=error.code, webhook_id=webhook_id)
            await asyncio.sleep(STORE_SECONDS)
        finally:
            del self._lanes[webhook_id]
            # It may have been turned on again while its lane ended.
            self._changed.set()

    def _ring(self, webhook_id: WebhookId) -> None:
        lane = self._lanes.get(webhook_id)
        if lane is not None:
            lane.ring()
        self._changed.set()

    def _http(self) -> Post:
        from hub.frontends.webhooks.post import HttpPost

        return HttpPost(self._environment, self._services.webhooks.allowed, version=self._version)
