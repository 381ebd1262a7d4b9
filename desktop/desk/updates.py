"""Looks once a day whether there is a newer version, unless the person does not want that."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime

import structlog
from pydantic import ValidationError

from desktop.core.run_policy import seconds_between
from desktop.core.update import (
    UpdateFound,
    UpdateSource,
    is_newer,
    newer,
    next_check_at,
    no_source,
    parse_source,
)
from desktop.store import facts
from desktop.system import power
from desktop.system.program import version
from desktop.system.updates import Fetched, built_in_source, fetch
from shared.database import Database
from shared.environment import Environment
from shared.errors import AppError, ErrorBody

log = structlog.get_logger(__name__)
WAIT_SECONDS_MAX = 3600.0
"""A computer that sleeps stops the clock that waits are measured by."""
FIRST_SECONDS = 60.0
"""After a start there is more pressing work than this."""
OFF = "off"
SWITCH, SOURCE, ETAG, CHECKED, FOUND = (
    "updates", "update_source", "update_etag", "update_checked_at", "update_found",
)  # fmt: skip
"""Names of facts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateState:
    """How looking for updates stands."""

    is_on: bool
    source: str
    """Empty when this build names none."""
    checked_at: datetime | None
    found: UpdateFound | None
    error: ErrorBody | None


class Updates:
    """`run` it until cancelled; `changed` is called when something was found, or is gone."""

    def __init__(
        self,
        database: Database,
        environment: Environment,
        changed: Callable[[], None],
        *,
        ask: Callable[[UpdateSource, str], Awaitable[Fetched]] = fetch,
        is_metered: Callable[[], bool | None] = power.is_metered,
        running: str = "",
    ) -> None:
        self.found: UpdateFound | None = None
        self.error: ErrorBody | None = None
        """Why the last look failed."""
        self._database = database
        self._environment = environment
        self._changed = changed
        self._ask = ask
        self._is_metered = is_metered
        self._running = running or version()
        self._bell = asyncio.Event()

    async def state(self) -> UpdateState:
        return UpdateState(
            is_on=await self._fact(SWITCH) != OFF,
            source=await self._source(),
            checked_at=_moment(await self._fact(CHECKED)),
            found=self.found,
            error=self.error,
        )

    async def switch(self, *, is_on: bool) -> None:
        """Look once a day, or never by itself."""
        await self._database.write(lambda c: facts.put(c, SWITCH, "" if is_on else OFF))
        self._bell.set()

    async def look(self) -> UpdateFound | None:
        """Look now, whatever the switch says.

        Raises:
            BadInput: no source, or one that told something odd.
            Unavailable: it did not answer.
        """
        text = await self._source()
        try:
            if not text:
                raise no_source()
            fetched = await self._ask(parse_source(text), await self._fact(ETAG))
        except AppError as error:
            self.error = error.body
            await self._checked({})
            raise
        self.error = None
        if fetched.manifest is not None:
            self.found = newer(fetched.manifest, self._running)
        told = self.found.model_dump_json() if self.found else ""
        await self._checked({ETAG: fetched.etag, FOUND: told})
        return self.found

    async def load(self) -> None:
        """Take up what was found before, unless it is what runs now."""
        try:
            found = UpdateFound.model_validate_json(await self._fact(FOUND))
        except ValidationError:
            return
        if is_newer(found.version, self._running):
            self.found = found
            self._changed()

    async def run(self) -> None:
        """Look when it is due, until cancelled."""
        await self.load()
        wait = FIRST_SECONDS
        while True:
            self._bell.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait):
                    await self._bell.wait()
            wait = await self.look_if_due()

    async def look_if_due(self) -> float:
        """Look when a day has gone by; return how many seconds to wait."""
        if await self._fact(SWITCH) == OFF or not await self._source():
            return WAIT_SECONDS_MAX
        now = self._environment.now()
        is_metered = await asyncio.to_thread(self._is_metered)
        due = next_check_at(_moment(await self._fact(CHECKED)), now, is_metered=is_metered)
        if due <= now:
            try:
                await self.look()
            except AppError as error:
                log.info("no word of updates", code=error.code)
            return WAIT_SECONDS_MAX
        return min(WAIT_SECONDS_MAX, seconds_between(now, due))

    async def _source(self) -> str:
        return await self._fact(SOURCE) or await asyncio.to_thread(built_in_source)

    async def _fact(self, name: str) -> str:
        return await self._database.read(lambda c: facts.get(c, name))

    async def _checked(self, told: dict[str, str]) -> None:
        stamps = {**told, CHECKED: self._environment.now().isoformat()}

        def put(connection: sqlite3.Connection) -> None:
            for name, value in stamps.items():
                facts.put(connection, name, value)

        await self._database.write(put)
        self._changed()


def _moment(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text) if text else None
    except ValueError:
        return None
