"""Speaks for workers that fetch their work over REST, so that they are workers like any other.

A fetch that waits is an offer's only taker: the dispatcher offers, this engine says yes at once,
and the commit of the grant, which is also the job's start, answers the fetch. Who says nothing for
as long as a dead line is gone, too.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass, field

import structlog

from hub.core.access import Access, key_invalid, puller_of
from hub.core.pull import CLAIMS_MAX, Claimed
from hub.core.worker import Worker
from hub.services import Services
from shared.environment import Environment
from shared.errors import AppError, BadInput, LimitReached, Unavailable
from shared.ids import JobId, WorkerId
from shared.messages import Accept, Beat, Cancel, Grant, Offer
from shared.protocol import Beats

log = structlog.get_logger()

TICK_SECONDS = 1.0


@dataclass(slots=True, eq=False)
class Fetch:
    """A worker that waits for a job of some kinds."""

    kinds: frozenset[str]
    done: asyncio.Future[Claimed | None]
    offer: Offer | None = None
    """It was said yes to; the commit is under way."""
    is_given_up: bool = False
    """Nobody waits for it any more, whatever comes of the offer."""


@dataclass(slots=True, eq=False)
class Here:
    """A worker that calls."""

    worker: Worker
    heard_at: float
    fetches: list[Fetch] = field(default_factory=list)
    granting: dict[JobId, Fetch] = field(default_factory=dict)
    calls: int = 0
    """Calls that are held open now."""
    left_out: dict[tuple[JobId, int], float] = field(default_factory=dict)
    """Jobs that its heartbeats do not tell, by fence: since when."""


class PullEngine:
    name = "pull"

    def __init__(
        self, services: Services, environment: Environment, beats: Beats | None = None
    ) -> None:
        self._services = services
        self.beats = beats or Beats()
        self._environment = environment
        self._here: dict[WorkerId, Here] = {}
        self._undelivered: list[tuple[Access, Claimed]] = []
        self.closing = asyncio.Event()
        services.registry.revocation_listeners.append(self.drop)

    # As an engine.

    def connected(self) -> frozenset[WorkerId]:
        return frozenset(self._here)

    def send(self, worker_id: WorkerId, message: Offer | Grant | Cancel) -> bool:
        here = self._here.get(worker_id)
        if here is None:
            return False
        match message:
            case Offer():
                return self._take(here, message)
            case Grant():
                self._hand_over(here, message)
            case Cancel():
                self._let_go(here, message)
        return True

    def _take(self, here: Here, offer: Offer) -> bool:
        fetch = next((f for f in here.fetches if offer.job.kind in f.kinds), None)
        if fetch is None:
            return False
        here.fetches.remove(fetch)
        fetch.offer = offer
        here.granting[offer.job.job_id] = fetch
        accept = Accept(job_id=offer.job.job_id, attempt=offer.attempt)
        self._services.dispatcher.accept(here.worker.worker_id, accept)
        return True

    def _hand_over(self, here: Here, grant: Grant) -> None:
        fetch = here.granting.pop(grant.job_id, None)
        if fetch is not None and not fetch.done.done():
            assert fetch.offer is not None
            fetch.done.set_result(
                Claimed(spec=fetch.offer.job, attempt=grant.attempt, fence=grant.fence)
            )

    def _let_go(self, here: Here, cancel: Cancel) -> None:
        """The job was gone before the commit: wait for another. A heartbeat tells the rest."""
        fetch = here.granting.pop(cancel.job_id, None)
        if fetch is None or fetch.done.done():
            return
        fetch.offer = None
        if fetch.is_given_up:
            fetch.done.set_result(None)
        else:
            self._wait(here, fetch)

    def _wait(self, here: Here, fetch: Fetch) -> None:
        here.fetches.append(fetch)
        self._expect(here)
        self._services.dispatcher.stir()

    def _expect(self, here: Here) -> None:
        claims = [fetch.kinds for fetch in here.fetches]
        self._services.pullers.expect(here.worker.worker_id, claims)

    def drop(self, worker_id: WorkerId) -> None:
        """A worker was shown out: whatever it holds open ends."""
        here = self._here.pop(worker_id, None)
        if here is not None:
            for fetch in (*here.fetches, *here.granting.values()):
                if not fetch.done.done():
                    fetch.done.set_exception(key_invalid())

    # Who is here.

    async def run(self) -> None:
        """Look after silences until cancelled."""
        while True:
            self.run_once()
            try:
                await self.hand_on()
            except AppError as error:
                log.warning("jobs_not_handed_on", code=error.code, error=str(error))
            await asyncio.sleep(TICK_SECONDS)

    async def hand_on(self) -> None:
        """Queue again what nobody was there to hear of any more."""
        while self._undelivered:
            await self.give_back(*self._undelivered[0])
            self._undelivered.pop(0)

    def run_once(self) -> None:
        now = self._environment.monotonic()
        for worker_id, here in list(self._here.items()):
            if not here.calls and now - here.heard_at >= self.beats.dead_seconds:
                del self._here[worker_id]
                log.info("worker_left", worker_id=worker_id, end="silent")
                self._services.registry.depart(worker_id, was_silent=True)
                self._services.dispatcher.stir()

    def close(self) -> None:
        """The hub ends: whoever waits is asked to call again."""
        self.closing.set()

    async def hear(self, access: Access) -> Here:
        """Note that a worker calls.

        Raises:
            NotAllowed: `key_scope`.
            NotFound: `worker_unknown`.
        """
        worker_id = puller_of(access)
        here = self._here.get(worker_id)
        if here is None:
            worker = await self._services.pullers.worker(worker_id)
            here = self._here.get(worker_id)
            if here is None:
                here = self._here[worker_id] = Here(worker, 0.0)
                self._services.registry.arrive_pulling(worker)
                self._services.dispatcher.stir()
                log.info("worker_came", worker_id=worker_id)
        here.heard_at = self._environment.monotonic()
        self._services.registry.beat(worker_id, Beat())
        return here

    # Fetching.

    async def claim(
        self, access: Access, kinds: frozenset[str] | None, wait_seconds: float
    ) -> Claimed | None:
        """Fetch a job: wait for one, up to `wait_seconds`; None when there is none.

        Cancelled, it hands on what it may have been given meanwhile.

        Raises:
            BadInput: `kind_unfit`, a kind that the worker was not registered for.
            LimitReached: `too_many_claims`.
            Unavailable: `hub_stopping`.
        """
        here = await self.hear(access)
        able = frozenset(capability.kind for capability in here.worker.capabilities)
        self._check_claim(here, able, kinds)
        fetch = Fetch(able if kinds is None else kinds, asyncio.get_running_loop().create_future())
        here.calls += 1
        self._wait(here, fetch)
        try:
            # Whoever does not wait at all is offered what there is all the same.
            await self._services.dispatcher.run_once()
            with self._services.keys.line(access) as ended:
                await first_of_waits(
                    wait_seconds, _settled(fetch.done), ended.wait(), self.closing.wait()
                )
            if ended.is_set():
                raise key_invalid()
            fetch.is_given_up = True
            if fetch.offer is not None:
                # Bounded: a commit takes place or fails.
                await _settled(fetch.done)
        except (asyncio.CancelledError, AppError):
            fetch.is_given_up = True
            fetch.done.add_done_callback(lambda done: self._hand_on(access, done))
            raise
        finally:
            here.calls -= 1
            here.heard_at = self._environment.monotonic()
            if fetch in here.fetches:
                here.fetches.remove(fetch)
                self._expect(here)
        return fetch.done.result() if fetch.done.done() else None

    def _check_claim(self, here: Here, able: frozenset[str], kinds: frozenset[str] | None) -> None:
        if self.closing.is_set():
            raise Unavailable("hub_stopping", "The hub is stopping.", "Call again in a moment.")
        if kinds is not None and not kinds <= able:
            raise BadInput(
                "kind_unfit",
                f"This worker was not registered for {', '.join(sorted(kinds - able))[:200]}.",
                "Register it anew with all its kinds.",
            )
        if len(here.fetches) >= CLAIMS_MAX:
            raise LimitReached(
                "too_many_claims",
                f"{CLAIMS_MAX} fetches of this worker wait already.",
                "Wait for their answers.",
            )

    def _hand_on(self, access: Access, done: asyncio.Future[Claimed | None]) -> None:
        if done.cancelled() or done.exception() is not None:
            return
        if (claimed := done.result()) is not None:
            self._undelivered.append((access, claimed))

    async def give_back(self, access: Access, claimed: Claimed) -> None:
        """Queue a job again whose answer never left the hub."""
        await self._services.rescuer.give_back(
            puller_of(access), claimed.spec.job_id, claimed.fence
        )


async def _settled(done: asyncio.Future[Claimed | None]) -> None:
    """Wait for a future without taking its result, or being cancelled with it."""
    await asyncio.wait([done])


async def first_of_waits(seconds: float, *waits: Coroutine[object, object, object]) -> None:
    """Return once the first of several waits is over, or the time is."""
    async with asyncio.TaskGroup() as tasks:
        parts = [tasks.create_task(wait) for wait in waits]
        await asyncio.wait(parts, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        for part in parts:
            part.cancel()
