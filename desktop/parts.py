"""Has the parts of jobs made, a few at a time, and tells each job when none of its own is open.

A part is a job that this machine keeps (`desktop.alone`): it is started, postponed and ended like
any other, and counted in the transaction that ends it. What a job wants is known only while it
runs: begun anew after a crash it asks again, and what is open then is not made twice. Parts live
no longer than their maker: whatever is open when that is over is cancelled, here or at the next
start (`Hands.recover`).
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Protocol

import structlog

from desktop.alone import Alone
from desktop.core import parts as core
from desktop.core.attempt import Attempt, AttemptState
from desktop.core.outcome import Following, PartsWanted
from desktop.store import kept
from desktop.store.hands import Hands
from desktop.store.minder import Minder
from desktop.store.parts import PartEnd
from shared.environment import Environment
from shared.errors import AppError, ErrorBody
from shared.events import TaskRequested
from shared.ids import JobId, WorkerId
from shared.jobs import JobSpec
from shared.kinds import Kind

log = structlog.get_logger(__name__)


class Floor(Protocol):
    """The worker, as far as the making of parts concerns it."""

    @property
    def worker_id(self) -> WorkerId:
        """Who this worker is."""

    @property
    def kinds(self) -> Mapping[str, Kind]:
        """What jobs can be of."""

    def refusal_of_own(self, spec: JobSpec) -> AppError | None:
        """Return why a job of this machine's own may not start now, or at all."""

    def refuse(self, job_id: JobId, error: ErrorBody) -> None:
        """End a job that runs here; this error is its outcome."""

    def stop(self, job_id: JobId) -> None:
        """End a job that runs here."""

    def start_waiting(self) -> None:
        """Start soon what waits here."""

    def parts_ended(self, job_id: JobId, ends: Mapping[PartEnd, int]) -> None:
        """Tell a job that none of its parts is open, and how they came out."""


@dataclass(slots=True, eq=False)
class _Making:
    """What a job has asked for, and how far that is. It waits for whatever is open of it."""

    maker: Attempt
    wanted: PartsWanted
    left: deque[int] = field(default_factory=deque)
    """Indexes that are still to be made."""
    open: set[JobId] = field(default_factory=set)
    is_begun: bool = False
    """What was open already has been looked up."""


class Parts:
    """One for each worker. `run` until cancelled."""

    def __init__(
        self, hands: Hands, alone: Alone, floor: Floor, minder: Minder, environment: Environment
    ) -> None:
        self._hands, self._alone, self._floor = hands, alone, floor
        self._minder, self._environment = minder, environment
        self._makings: dict[JobId, _Making] = {}
        self._over: set[JobId] = set()
        """Jobs that may have parts and have ended."""
        self._bell = asyncio.Event()
        hands.on_ended.append(self._note_end)

    def want(self, job_id: JobId, wanted: PartsWanted) -> None:
        """A job that runs here wants parts, instead of what it wanted before."""
        maker = self._hands.alive(job_id)
        if maker is None:
            return
        error = self._refusal(maker, wanted)
        if error is not None:
            log.warning("parts refused", job_id=job_id, kind=wanted.kind, code=error.code)
            self._floor.refuse(job_id, error.body)
            return
        self._makings[job_id] = _Making(maker, wanted)
        self._bell.set()

    def following(self, job_id: JobId, wished: tuple[Following, ...]) -> list[TaskRequested]:
        """Return the requests for what a job wants to be made when it ends well.

        Raises:
            NotAllowed: `job_makes_not`.
        """
        maker = self._hands.alive(job_id)
        if maker is None:
            return []
        requests = []
        for following in wished:
            refused = core.refusal(maker.spec, following.kind, self._floor.kinds)
            if refused is not None:
                raise refused
            requests.append(
                core.request_of_following(
                    maker.spec,
                    following,
                    job_id=JobId(self._environment.new_id()),
                    worker_id=self._floor.worker_id,
                )
            )
        return requests

    async def run(self) -> None:
        """Make what is wanted and clear up what is over, whenever there is something to do."""
        self._bell.set()
        while True:
            await self._bell.wait()
            self._bell.clear()
            await self._minder.insist(self.run_once)

    async def run_once(self) -> None:
        """Do all that can be done now."""
        for job_id in sorted(self._over | self._forsaken()):
            # What was granted anew meanwhile has its parts still.
            if not self._hands.has(job_id):
                await self._clear(job_id)
            self._over.discard(job_id)
        for making in [one for one in self._makings.values() if not one.is_begun]:
            await self._begin(making)
        for making in [one for one in self._makings.values() if one.is_begun]:
            await self._go_on(making)

    def _refusal(self, maker: Attempt, wanted: PartsWanted) -> AppError | None:
        """Say why none of the parts may ever run here; what is only for now they wait for."""
        refused = core.refusal(maker.spec, wanted.kind, self._floor.kinds)
        if refused is not None or not wanted.indexes:
            return refused
        error = self._floor.refusal_of_own(self._spec(maker, self._request(maker, wanted, 0)))
        return None if error is None or error.retryable else error

    def _forsaken(self) -> set[JobId]:
        """Jobs with open parts that are not in hand any more."""
        makers = {part.part_of for part in self._hands.parts_of() if part.part_of is not None}
        return {maker for maker in makers if not self._hands.has(maker)}

    async def _clear(self, maker: JobId) -> None:
        """End what is open of a job that is over."""
        self._makings.pop(maker, None)
        await self._alone.drop_parts(maker)
        for part in self._hands.parts_of(maker):
            if part.is_alive:
                self._floor.stop(part.spec.job_id)
        await self._hands.forget_parts(maker)

    async def _go_on(self, making: _Making) -> None:
        maker_id = making.maker.spec.job_id
        while count := self._room(making):
            await self._make(making, count)
        if not (making.left or making.open) and self._makings.get(maker_id) is making:
            ends = await self._hands.part_ends(maker_id, making.wanted.indexes)
            if self._makings.get(maker_id) is making:
                del self._makings[maker_id]
                self._floor.parts_ended(maker_id, ends)

    async def _begin(self, making: _Making) -> None:
        """Leave out what was asked for before the program, or a child, died: open, or done well."""
        known = await self._hands.known_parts(making.maker.spec.job_id)
        wanted = dict.fromkeys(making.wanted.indexes)
        making.left.extend(index for index in wanted if index not in known)
        # What has ended since it was looked up has been told.
        making.open = {job_id for job_id in known.values() if self._hands.has(job_id)}
        making.is_begun = True

    def _room(self, making: _Making) -> int:
        if self._makings.get(making.maker.spec.job_id) is not making:
            return 0
        makers = sum(bool(one.left) for one in self._makings.values())
        room = core.room_for(len(making.open), len(self._hands.parts_of()), makers)
        return min(room, len(making.left))

    async def _make(self, making: _Making, count: int) -> None:
        indexes = tuple(islice(making.left, count))
        bodies = {index: self._request(making.maker, making.wanted, index) for index in indexes}
        if not await self._hands.keep_parts(making.maker, bodies):
            # It is over, and what is to be done about that was noted.
            self._makings.pop(making.maker.spec.job_id, None)
            return
        for _ in indexes:
            making.left.popleft()
        making.open |= {body.job_id for body in bodies.values()}
        self._floor.start_waiting()

    def _request(self, maker: Attempt, wanted: PartsWanted, index: int) -> TaskRequested:
        return core.request_of_part(
            maker.spec,
            wanted,
            index,
            job_id=JobId(self._environment.new_id()),
            worker_id=self._floor.worker_id,
        )

    def _spec(self, maker: Attempt, body: TaskRequested) -> JobSpec:
        return kept.spec_of_part(maker.spec, body)

    def _note_end(self, attempt: Attempt) -> None:
        """An attempt of this worker has ended, whichever way."""
        assert attempt.state is AttemptState.ENDED
        if attempt.part_of is not None:
            making = self._makings.get(attempt.part_of)
            if making is not None:
                making.open.discard(attempt.spec.job_id)
        elif (kind := self._floor.kinds.get(attempt.spec.kind)) is not None and kind.makes:
            self._over.add(attempt.spec.job_id)
        else:
            return
        self._bell.set()
