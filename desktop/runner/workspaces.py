"""The folders that jobs of one session share: found for a job, removed when the session is over.

A folder is made by the first job that uses it (`desktop.runner.inside`).
"""

from __future__ import annotations

import asyncio
import shutil
import time
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path

import structlog

from desktop.core.workspace import may_go
from shared.ids import SessionId, is_uuid

log = structlog.get_logger(__name__)

IsOver = Callable[[SessionId], Awaitable[bool]]


class Workspaces:
    """All workspaces of this machine."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._over: set[SessionId] = set()
        """Sessions that are over while a job of theirs is still in hand."""

    def path(self, session_id: SessionId, workdir: Path) -> Path:
        """Where a job finds its workspace; its own folder when it is in no session."""
        return self._folder / session_id if is_uuid(session_id) else workdir

    async def ended(
        self, session_ids: Iterable[SessionId], in_hand: Callable[[], set[SessionId]]
    ) -> None:
        """Remove the folders of sessions that are over, those in hand once they are not."""
        self._over.update(one for one in session_ids if is_uuid(one))
        await self.settle(in_hand)

    async def settle(self, in_hand: Callable[[], set[SessionId]]) -> None:
        """Something is not in hand any more: remove what only waited for that."""
        busy = in_hand() if self._over else set()
        for session_id in sorted(self._over):
            if may_go(is_over=True, is_in_hand=session_id in busy):
                self._over.discard(session_id)
                await self._remove(self._folder / session_id)

    async def sweep(self, is_over: IsOver, in_hand: Callable[[], set[SessionId]]) -> None:
        """At the start: remove what an earlier run left of sessions that are over by now."""
        for folder in _folders_in(self._folder):
            session_id = SessionId(folder.name)
            over = await is_over(session_id)
            untouched = _untouched_seconds(folder)
            is_in_hand = session_id in in_hand()
            if may_go(is_over=over, is_in_hand=is_in_hand, untouched_seconds=untouched):
                await self._remove(folder)
            elif over:
                self._over.add(session_id)

    async def _remove(self, folder: Path) -> None:
        if _is_there(folder):  # most sessions never had one
            await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
            log.info("workspace removed", session_id=folder.name)


def _folders_in(folder: Path) -> list[Path]:
    try:
        return sorted(one for one in folder.iterdir() if is_uuid(one.name) and one.is_dir())
    except OSError:
        return []


def _is_there(folder: Path) -> bool:
    return folder.is_dir()


def _untouched_seconds(folder: Path) -> float:
    """How long ago something in a folder changed, by the clock that its files were dated by."""
    try:
        changed = max(one.stat().st_mtime for one in (folder, *folder.iterdir()))
    except OSError:
        return 0.0
    return time.time() - changed
