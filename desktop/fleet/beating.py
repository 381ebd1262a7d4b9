"""A node's beats: the hub hears that it is here and what it has, and says what is to be stopped."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Protocol

import structlog

from desktop.fleet.reports import AGAIN
from shared.api.fleet import FleetBeat, FleetHeard
from shared.environment import Environment
from shared.errors import AppError, NotAllowed

log = structlog.get_logger(__name__)

COME_SECONDS = 20.0
"""How long a hub that does not answer is called when a node starts."""
BEAT_SECONDS = 5.0
"""Until the hub has said how often."""


class Calls(Protocol):
    """What a beat is told through."""

    async def beat(self, beat: FleetBeat) -> FleetHeard:
        """Tell the hub.

        Raises:
            AppError: as the hub says.
        """


class Floor(Protocol):
    """Whose beats these are."""

    def now(self) -> FleetBeat:
        """Tell how it is now."""

    def heard(self, heard: FleetHeard) -> None:
        """Take in what the hub says."""

    def is_back(self) -> None:
        """The hub answers again after it did not."""

    def give_up(self, error: AppError) -> None:
        """The hub lets the node in no more."""


class Beating:
    """One for each node. `run` until cancelled, or until the hub lets it in no more."""

    def __init__(self, calls: Calls, floor: Floor, environment: Environment) -> None:
        self._calls, self._floor, self._environment = calls, floor, environment
        self._bell = asyncio.Event()
        self._failures = 0
        self.reconnects = 0
        """How often the hub answered again after it did not."""
        self._every_seconds = BEAT_SECONDS

    @property
    def is_reached(self) -> bool:
        """Whether the hub has answered the last beat."""
        return self._failures == 0

    def ring(self) -> None:
        """Something is new that the hub is to hear soon."""
        self._bell.set()

    async def come(self) -> None:
        """Beat for the first time.

        Raises:
            NotAllowed: `key_invalid`, `key_scope`.
            Unavailable: `hub_unreachable`, after COME_SECONDS of trying.
        """
        ends_at = self._environment.monotonic() + COME_SECONDS
        while True:
            try:
                await self.run_once()
            except AppError as error:
                if not error.retryable or self._environment.monotonic() >= ends_at:
                    raise
                await asyncio.sleep(self._wait_seconds())
            else:
                return

    async def run(self) -> None:
        """Beat as often as the hub says; faster while it does not answer."""
        while True:
            seconds = self._every_seconds
            try:
                await self.run_once()
            except NotAllowed as error:
                self._floor.give_up(error)
                return
            except AppError as error:
                if self._failures == 1:
                    log.warning("the hub is not reached", code=error.code, error=str(error))
                seconds = min(seconds, self._wait_seconds())
            # Not `wait_for`: in Python 3.11 it loses a cancellation that comes with the bell.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._bell.wait()
            self._bell.clear()

    async def run_once(self) -> None:
        """Beat once.

        Raises:
            AppError: as the hub says.
        """
        try:
            heard = await self._calls.beat(self._floor.now())
        except AppError:
            self._failures += 1
            raise
        if self._failures:
            self._failures = 0
            self.reconnects += 1
            log.info("the hub is reached again")
            self._floor.is_back()
        self._every_seconds = heard.next_seconds if heard.next_seconds > 0 else BEAT_SECONDS
        self._floor.heard(heard)

    def _wait_seconds(self) -> float:
        return AGAIN.wait_seconds(self._failures, self._environment.random())
