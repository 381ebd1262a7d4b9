"""Brings a copy that is far behind the hub's log up to date at once, while there is no line."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Protocol

import structlog

from desktop.core.link import LinkState, LinkStatus
from desktop.link.snapshot import Snapshots
from desktop.system.way import Way
from shared.errors import AppError
from shared.messages import Events
from shared.snapshot import FAR_BEHIND_EVENTS

log = structlog.get_logger(__name__)


class Copy(Protocol):
    """Where the hub's log is taken in."""

    async def apply(self, hub_epoch: str, events: Events) -> None:
        """Commit events of the hub, and the cursor with them."""


class CatchingUp:
    def __init__(
        self, snapshots: Snapshots, copy: Copy, on_status: Callable[[LinkStatus], None]
    ) -> None:
        self._snapshots = snapshots
        self._copy = copy
        self._on_status = on_status
        self._is_of_use = True
        """False after a try that brought nothing: the line brings the log, too."""

    def is_due(self, behind: int) -> bool:
        """Say whether a copy that lacks so many numbers of the log should rather catch up."""
        return self._is_of_use and behind > FAR_BEHIND_EVENTS

    async def run(self, way: Way, hub_epoch: str, hub_seq: int) -> None:
        """Take in what comes after a place; what was taken in stays, whatever goes wrong then."""
        self._on_status(LinkStatus(state=LinkState.CONNECTING))
        try:
            head = await asyncio.to_thread(self._snapshots.fetch, way, hub_epoch, hub_seq)
            self._is_of_use = head.hub_epoch == hub_epoch and head.upto > hub_seq
            if self._is_of_use:
                await self._take_in(head.hub_epoch, self._snapshots.blocks(head), head.count)
        except AppError as error:
            self._is_of_use = False
            log.info("no snapshot", code=error.code, why=error.message)
        finally:
            self._snapshots.drop()

    async def _take_in(self, hub_epoch: str, blocks: Iterator[Events], count: int) -> None:
        done = 0
        while True:
            block = await asyncio.to_thread(next, blocks, None)
            if block is None:
                break
            await self._copy.apply(hub_epoch, block)
            done += len(block.events)
            self._on_status(LinkStatus(state=LinkState.CONNECTING, done=done, total=count))
        log.info("caught up by a snapshot", events=done)
