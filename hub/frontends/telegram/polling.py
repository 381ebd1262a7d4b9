"""Asks Telegram for updates, and confirms each only after the hub has dealt with it.

Telegram repeats what is not confirmed by a higher offset. So a hub that dies loses nothing: the
inbox knows by the update's id what it has dealt with before.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable

from telegram import Update

from hub.frontends.telegram.client import POLL_SECONDS, Client
from hub.frontends.telegram.hearing import UPDATES
from shared.errors import AppError, Unavailable

logger = logging.getLogger(__name__)

Take = Callable[[Update], Awaitable[None]]
"""Deals with an update; what it raises brings the update again."""


class Polling:
    """One question after the other; Telegram gives updates to one asker alone."""

    def __init__(self, client: Client, take: Take) -> None:
        self._client = client
        self._take = take
        self._offset: int | None = None
        """The first update not yet confirmed; None: whatever Telegram still holds."""

    async def run_once(self, wait_seconds: int = POLL_SECONDS) -> None:
        """Ask once, and deal with what comes.

        Args:
            wait_seconds: how long Telegram may hold the question open; 0 to learn at once
                whether it answers at all.

        Raises:
            AppError: when Telegram, or the store, does not take part. The update at hand comes
                again.
        """
        updates = await self._client.call(
            "getUpdates",
            lambda bot: bot.get_updates(
                offset=self._offset, timeout=wait_seconds, allowed_updates=UPDATES
            ),
        )
        for update in updates:
            try:
                await self._take(update)
            except AppError:
                raise
            except Exception:
                logger.exception("An update broke us and is tried again.")
                raise Unavailable(
                    "update_unread", "An update could not be dealt with.", retryable=True
                ) from None
            self._offset = update.update_id + 1
