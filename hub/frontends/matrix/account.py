"""Keeps the bot logged in: once, as one device, for as long as the homeserver lets it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from pathlib import Path

from hub.frontends.matrix.client import Client
from hub.frontends.matrix.options import Options
from hub.frontends.matrix.refusals import LOGIN_REFUSED, TOKEN_WRONG, login_refused
from hub.frontends.matrix.session import (
    Session,
    forget_session,
    load_session,
    new_pickle_key,
    save_session,
)
from shared.errors import AppError

logger = logging.getLogger(__name__)

NO_PASSWORD = "the session has ended, and there is no HUB_MATRIX_PASSWORD"  # noqa: S105 - a sentence
UNVERIFIED = (
    "Matrix: encrypted rooms are read and written for every session of their members, verified "
    "or not. The bot's own session is '%s' (%s)."
)


class Account:
    """Logs in where that is needed."""

    def __init__(self, client: Client, options: Options, folder: Path) -> None:
        self._client = client
        self._options = options
        self._folder = folder

    async def enter(self) -> Session:
        """Take up the session that is kept, or begin one; what is known of it is kept before use.

        Raises:
            AppError: `matrix_login_refused`, `matrix_unreachable` and the like.
        """
        session = await asyncio.to_thread(load_session, self._folder, self._options)
        if session is None:
            session = await self._logged_in()
            await asyncio.to_thread(save_session, self._folder, session)
            logger.info(UNVERIFIED, self._options.device_name, session.device_id)
        await self._client.open(session)
        with contextlib.suppress(AppError):
            await self._client.learn_limits()
        return session

    async def leave(self) -> None:
        """The homeserver does not know the session any more: the next one is a new device.

        A device's name must not be used again: others would encrypt for its old keys.
        """
        await self._client.close()
        await asyncio.to_thread(forget_session, self._folder)

    async def _logged_in(self) -> Session:
        if not (self._options.password or self._options.token):
            raise login_refused(NO_PASSWORD)
        try:
            return await self._client.log_in("", new_pickle_key())
        except AppError as error:
            if error.code in ("chat_blocked", TOKEN_WRONG, LOGIN_REFUSED):
                raise login_refused(
                    "the token is not known" if self._options.token else "wrong name or password"
                ) from None
            raise
