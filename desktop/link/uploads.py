"""Brings the files that were asked for to the hub: over HTTPS, by their hash, until it has them.

    HEAD asks whether the hub waits for it ── 204 ──▶ PUT brings it ── 201 ──▶ the copy is removed
          200 it has it, 410 or 404 it does not want it ─────────────────────────▲

What fails is tried again with growing waits, also after a restart, for a day. Without a parcel
nothing here runs, and the HTTP client is not even imported.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import timedelta
from enum import Enum, auto
from http import HTTPStatus
from typing import TYPE_CHECKING

import structlog

from desktop.core.sending import KEPT_SECONDS
from desktop.link.hub_post import client_options
from desktop.store import outbox, outgoing
from desktop.store.outgoing import Waiting
from desktop.system.outgoing_folder import OutgoingFolder
from desktop.system.way import Way
from shared.backoff import Backoff
from shared.database import Database
from shared.environment import Environment
from shared.errors import AppError

if TYPE_CHECKING:
    import httpx

log = structlog.get_logger(__name__)

AGAIN = Backoff(first_seconds=0.5, max_seconds=60.0)
STEP_SECONDS = 60.0
"""How long connecting, one write, or the answer may take."""
BLOCK_BYTES = 256 * 1024


class Delivery(Enum):
    """What came of one try."""

    DONE = auto()
    UNWANTED = auto()
    LATER = auto()


class Uploads:
    """All parcels of this worker. `run` until cancelled."""

    def __init__(
        self,
        base: str,
        token: str,
        database: Database,
        folder: OutgoingFolder,
        environment: Environment,
        way: Way | None = None,
    ) -> None:
        self._base = base
        self._token = token
        self._database = database
        self._folder = folder
        self._environment = environment
        self._way = way or Way()
        self._bell = asyncio.Event()
        self._failures = 0

    def ring(self) -> None:
        """There is something new to bring, or the hub is there again."""
        self._failures = 0
        self._bell.set()

    async def run(self) -> None:
        """Bring parcels until cancelled; what the last run left comes first."""
        is_tidy = False
        while True:
            self._bell.clear()
            try:
                if not is_tidy:
                    await self._tidy()
                    is_tidy = True
                wait = await self.run_once()
            except AppError as error:
                log.warning("uploads rest for a moment", code=error.code)
                wait = AGAIN.max_seconds
            # None: nothing waits, and whoever adds something rings.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait):
                    await self._bell.wait()

    async def _tidy(self) -> None:
        """Remove the copies that no parcel is left of."""
        waiting = await self._database.read(outgoing.waiting)
        known = frozenset(parcel.copy for parcel in waiting)
        await asyncio.to_thread(self._folder.tidy, known)

    async def run_once(self) -> float | None:
        """Try each parcel once; return after how many seconds to try again, None for never."""
        waiting = await self._database.read(outgoing.waiting)
        if not waiting:
            return None
        is_left = False
        async with await self._client() as client:
            for parcel in waiting:
                if self._is_too_old(parcel):
                    log.warning("file given up", sha256=parcel.sha256)
                    await self._drop(parcel)
                    continue
                match await self._deliver(client, parcel):
                    case Delivery.DONE | Delivery.UNWANTED as delivery:
                        log.info("file brought", sha256=parcel.sha256, how=delivery.name.lower())
                        await self._drop(parcel)
                    case Delivery.LATER:
                        is_left = True
        if not is_left:
            self._failures = 0
            return None if not await self._database.read(outgoing.waiting) else 0.0
        self._failures += 1
        return AGAIN.wait_seconds(self._failures, self._environment.random())

    async def _deliver(self, client: httpx.AsyncClient, parcel: Waiting) -> Delivery:
        import httpx

        # Read first: what the hub has acknowledged before it is asked, it knows when it answers.
        is_told = await self._database.read(outbox.waiting) == 0
        url = f"{self._base}/api/v1/files/{parcel.sha256}"
        try:
            # The answers' bodies are not read: a hub could send one without end.
            async with client.stream("HEAD", url) as asked:
                status_code = asked.status_code
            if status_code == HTTPStatus.NO_CONTENT:
                headers = {"Content-Length": str(parcel.size_bytes)}
                content = self._content(parcel)
                async with client.stream("PUT", url, content=content, headers=headers) as answer:
                    status_code = answer.status_code
        except (httpx.HTTPError, OSError) as error:
            log.info("file not brought yet", sha256=parcel.sha256, why=type(error).__name__)
            return Delivery.LATER
        match status_code:
            case HTTPStatus.OK | HTTPStatus.CREATED:
                return Delivery.DONE
            case HTTPStatus.GONE | HTTPStatus.UNPROCESSABLE_ENTITY:
                return Delivery.UNWANTED
            case HTTPStatus.NOT_FOUND if is_told:
                # It has heard of the result and announces nothing: it came too late to count.
                return Delivery.UNWANTED
            case status:
                log.info("file not brought yet", sha256=parcel.sha256, why=f"HTTP {status}")
                return Delivery.LATER

    async def _content(self, parcel: Waiting) -> AsyncIterator[bytes]:
        # Opened and read beside the loop: a disk may be slow, and the line must not wait for it.
        stream = await asyncio.to_thread(self._folder.place_of(parcel.copy).open, "rb")
        try:
            while block := await asyncio.to_thread(stream.read, BLOCK_BYTES):
                yield block
        finally:
            stream.close()

    async def _drop(self, parcel: Waiting) -> None:
        await self._database.write(lambda c: outgoing.remove(c, parcel.copy))
        await asyncio.to_thread(self._folder.remove, parcel.copy)

    def _is_too_old(self, parcel: Waiting) -> bool:
        is_old = self._environment.now() - parcel.since > timedelta(seconds=KEPT_SECONDS)
        return is_old or not self._folder.place_of(parcel.copy).is_file()

    def go(self, way: Way) -> None:
        """Go another way from the next delivery on."""
        self._way = way

    async def _client(self) -> httpx.AsyncClient:
        import httpx

        options = await asyncio.to_thread(client_options, self._way, self._base)
        return httpx.AsyncClient(
            headers={"Authorization": f"Bearer {self._token}"},
            timeout=STEP_SECONDS,
            follow_redirects=False,
            **options,
        )
