"""A person's log as a file, for a machine that is new or was away for long.

Made beside the hub's own connection, in a thread; kept for a while, for a person who sets up two
machines, and for one whose line is cut in the middle.
"""

from __future__ import annotations

import asyncio
import contextlib
import shutil
from pathlib import Path

from hub.store.ledger import Ledger
from hub.store.snapshots import write_snapshot
from shared.errors import Unavailable
from shared.ids import PersonId
from shared.protocol import kept_upto
from shared.snapshot import FAR_BEHIND_EVENTS, SnapshotHead

KEPT_SECONDS = 600.0
KEPT_MAX = 8
MAKING_MAX = 1
"""More at once would only take the processor from what the hub is for."""


class Snapshots:
    def __init__(self, ledger: Ledger, folder: Path) -> None:
        self._ledger = ledger
        self._folder = folder
        self._made: dict[tuple[PersonId, int], tuple[float, int, Path]] = {}
        """By person and where it begins: when it was made, up to where, and its file."""
        self._number = 0
        self._turn = asyncio.Semaphore(MAKING_MAX)

    async def snapshot(self, person_id: PersonId, hub_epoch: str, hub_seq: int) -> Path:
        """Return a file with what a copy lacks of a person's log.

        Args:
            person_id: whose.
            hub_epoch: the life of this hub that the copy was made of; empty for no copy.
            hub_seq: where it ends.

        Raises:
            Unavailable: `snapshot_failed`.
        """
        after = self._known_upto(hub_epoch, hub_seq)
        async with self._turn:
            self._forget_old()
            found = self._made.get((person_id, after))
            if found is not None and self._ledger.position - found[1] < FAR_BEHIND_EVENTS:
                return found[2]
            return await self._make(person_id, after)

    def _known_upto(self, hub_epoch: str, hub_seq: int) -> int:
        if hub_epoch == self._ledger.hub_epoch:
            return min(hub_seq, self._ledger.position)
        return kept_upto(self._ledger.lineage, hub_epoch, hub_seq) or 0

    async def _make(self, person_id: PersonId, after: int) -> Path:
        upto = self._ledger.position
        self._number += 1
        target = self._folder / f"{self._number}.gz"
        head = SnapshotHead(
            hub_epoch=self._ledger.hub_epoch,
            lineage=self._ledger.lineage,
            after=after,
            upto=upto,
            count=0,
        )
        try:
            if self._number == 1:
                await asyncio.to_thread(shutil.rmtree, self._folder, ignore_errors=True)
            self._folder.mkdir(mode=0o700, exist_ok=True)
            store = self._ledger.database.path
            await asyncio.to_thread(write_snapshot, store, target, person_id, head)
        except OSError as error:
            raise Unavailable(
                "snapshot_failed",
                f"The hub cannot put its log into a file: {error.strerror}.",
                "It is told piece by piece instead.",
            ) from error
        self._made[person_id, after] = (self._ledger.environment.monotonic(), upto, target)
        return target

    def _forget_old(self) -> None:
        oldest = sorted(self._made, key=lambda key: self._made[key][0])
        too_many = set(oldest[: max(0, len(oldest) - KEPT_MAX + 1)])
        ends = self._ledger.environment.monotonic() - KEPT_SECONDS
        for key in oldest:
            made_at, _, path = self._made[key]
            if key in too_many or made_at < ends:
                del self._made[key]
                # Whoever reads it now has it open and reads on.
                with contextlib.suppress(OSError):
                    path.unlink()
