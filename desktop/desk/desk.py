"""The desk: one profile of this machine, opened. All that people see and do here goes through it.

It keeps the worker running while this machine belongs to a hub, rings when something has changed,
and reads for whoever shows things. What the person asks for is in its `requests`, how this program
behaves in its `settings`. It knows no window and no terminal.
"""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import TYPE_CHECKING, TypeVar

import structlog

from desktop.core.attempt import AttemptState
from desktop.core.figures import Figures, Tally
from desktop.core.link import TOKEN_MISSING, LinkState, LinkStatus, token_missing
from desktop.core.news import News
from desktop.core.policy import Policy
from desktop.core.update import UpdateFound
from desktop.desk import join_steps
from desktop.desk.forgetting import forget_old_lines
from desktop.desk.holding import FOREVER, Holding
from desktop.desk.joining import Change, Joining
from desktop.desk.keys import Keys
from desktop.desk.proofs import Proofs
from desktop.desk.requests import Requests
from desktop.desk.settings import Settings
from desktop.desk.updates import Updates
from desktop.store import (
    facts,
    identity,
    known,
    pending,
    rebuilt,
    threads,
)
from desktop.store.facts import Pairing
from desktop.store.known import UpdateNeeded
from desktop.system import power, waking
from desktop.system.hardware import own_memory_bytes, zone
from desktop.system.local_hub import LocalHub
from desktop.system.paths import Paths
from desktop.system.policy_file import load_policy, policy_stamp, save_policy
from desktop.system.program import version
from desktop.system.safe import Safe, system_safe
from desktop.system.status import StatusFile
from shared.database import Database
from shared.environment import Environment
from shared.errors import AppError, ErrorBody, NotFound, Unavailable, first_of
from shared.events import (
    RequestEventBody,
)
from shared.ids import JobId, TaskId
from shared.messages import Progress

if TYPE_CHECKING:
    from desktop.agent.agent import Agent

log = structlog.get_logger(__name__)

T = TypeVar("T")


class Desk:
    """`run` it until cancelled; everything else may be called meanwhile, from its loop."""

    def __init__(
        self,
        paths: Paths,
        database: Database,
        environment: Environment | None = None,
        *,
        kinds_at: str | None = None,
        executors_at: str | None = None,
        safe: Safe | None = None,
    ) -> None:
        self.paths = paths
        self.database = database
        self.environment = environment or Environment()
        self.listeners: list[Callable[[frozenset[News]], None]] = []
        """Told on the loop, after the commit, of what may have changed."""
        self.link: LinkStatus | None = None
        """How the line to the hub is; None while this machine belongs to none."""
        self.next_try_at: datetime | None = None
        """When the hub is called again, while the line is down."""
        self.pairing: Pairing | None = None
        self.policy: Policy = Policy()
        self.policy_error: ErrorBody | None = None
        """What is wrong with the policy file; nothing may run until it is mended."""
        self._kinds_at, self._executors_at = kinds_at, executors_at
        self._reader = database.reader()
        self._agent: Agent | None = None
        self._progress: dict[JobId, Progress] = {}
        self._pairing_changed = asyncio.Event()
        self._working = asyncio.Lock()
        """Held while a worker may be at work for the hub that the store names."""
        self.local_hub = LocalHub(
            paths,
            database,
            self.environment,
            on_moved=self._pairing_changed.set,
        )
        self.local_hub.listeners.append(lambda: self.ring(News.STATUS, News.PAIRING))
        self.joining = Joining(
            paths=paths,
            database=database,
            environment=self.environment,
            local_hub=self.local_hub,
            move=self.move,
            on_change=lambda: self.ring(News.PAIRING),
        )
        self.requests = Requests(self.environment, self.look, self._say)
        self.settings = Settings(
            database,
            self.look,
            self._say,
            has_worker=lambda: self._agent is not None,
            changed=lambda: self.ring(News.SETTINGS),
        )
        self._report = StatusFile(paths.status)
        self._policy_stamp = ""
        self._beaten = asyncio.Event()
        self.safe = safe or system_safe()
        """The system's safe; its `trouble` is why secrets lie in files."""
        self.keys = Keys(paths, self.safe)
        self._proofs = Proofs(
            paths,
            self.safe,
            on_missing=self._note_missing_token,
            on_looked=lambda: self.ring(News.SETTINGS),
        )
        self.updates = Updates(
            database, self.environment, lambda: self.ring(News.SETTINGS, News.STATUS)
        )
        self.holding = Holding(self.environment, power.read, self._hold, zone)
        """What keeps jobs from starting here, and when it is looked at again."""

    # What there is to see.

    @property
    def progress(self) -> Mapping[JobId, Progress]:
        """How far the jobs are that run on this machine; transient."""
        return MappingProxyType(self._progress)

    @property
    def running_count(self) -> int:
        """How many jobs run on this machine now."""
        return self._agent.running_count if self._agent else 0

    @property
    def is_full(self) -> bool:
        """Whether all slots of this machine are taken by jobs that run."""
        busy = self._agent.slots_busy if self._agent else 0
        return busy >= self.policy.slots

    @property
    def held_back(self) -> ErrorBody | None:
        """Why nothing starts on this machine now.

        A pause, a broken policy, the owner's rules, a store that cannot be written.
        """
        if self.holding.is_paused:
            return self.holding.why
        trouble = self.database.trouble
        return self.policy_error or self.holding.why or (trouble.body if trouble else None)

    async def figures(self, reconnects: int) -> Figures:
        """Return how this worker is, in numbers that name nobody.

        Raises:
            Unavailable: `store_unreadable`, `store_closed`.
        """
        count, oldest = await self.look(pending.unsent)
        agent, link = self._agent, self.link
        states = Counter(a.state for a in agent.attempts) if agent else Counter()
        return Figures(
            link=link.state if link else "none",
            reconnects=reconnects,
            running=states[AttemptState.RUNNING],
            waiting=states[AttemptState.GRANTED],
            asking=states[AttemptState.ASKING],
            tally=agent.tally if agent else Tally(),
            memory_bytes=own_memory_bytes(),
            outbox_events=count,
            outbox_oldest_seconds=max(0.0, (self.environment.now() - oldest).total_seconds())
            if oldest
            else 0.0,
            behind_events=max(0, link.total - link.done) if link else 0,
            commits=self.database.commit_seconds,
        )

    @property
    def update(self) -> UpdateFound | None:
        """A newer version than this one, when there is one and its maker signed for it."""
        return self.updates.found

    async def look(self, read: Callable[[sqlite3.Connection], T]) -> T:
        """Read from the store, in a thread of its own; see `desktop.store.copied`."""
        return await self._reader.read(read)

    async def waiting_count(self) -> int:
        """How much of what was done here the hub has not got yet; see `desktop.store.pending`."""
        return await self.look(pending.changes)

    async def update_needed(self) -> UpdateNeeded:
        """What this program is too old to show; it is kept and passed on."""
        return await self.look(known.update_needed)

    # What the person may do.

    async def note_read(self, task_id: TaskId, step_id: int) -> None:
        """Remember that the person has seen a thread up to a step."""
        await self.database.write(lambda c: threads.read(c, task_id, step_id))
        self.ring(News.READ)

    async def begin_reading(self) -> None:
        """Count as unread what comes from now on; what a hub tells of before is old news."""
        now = self.environment.now()
        await self.database.write(lambda c: threads.begin_reading(c, now))

    async def change_policy(self, policy: Policy) -> None:
        """Write the owner's rules down, and go by them from now on."""
        self._policy_stamp = await asyncio.to_thread(save_policy, self.paths, policy)
        self._adopt(policy, None)

    async def read_policy(self) -> None:
        """Go by the policy file as it is now; nothing happens when it is as it was."""
        stamp = await asyncio.to_thread(policy_stamp, self.paths)
        if stamp == self._policy_stamp:
            return
        self._policy_stamp = stamp
        try:
            self._adopt(await asyncio.to_thread(load_policy, self.paths), None)
        except AppError as error:
            log.warning("the policy file cannot be used", code=error.code)
            self._adopt(self.policy, error.body.model_copy(update={"retryable": True}))

    def _adopt(self, policy: Policy, error: ErrorBody | None) -> None:
        self.policy, self.policy_error = policy, error
        self.holding.adopt(policy.run)
        if self._agent is not None:
            self._agent.adopt(policy)
            self._agent.hold(self.held_back)
        self.ring(News.POLICY, News.STATUS)

    def hurry(self) -> None:
        """Call the hub now instead of when the wait is over; nothing happens while online."""
        if self._agent is not None:
            self._agent.hurry()

    async def pause(self, until: datetime | None = None) -> None:
        """Start nothing new here until a time, or until `resume`; jobs that run go on."""
        told = FOREVER if until is None else until.isoformat()
        await self.database.write(lambda c: facts.put(c, "paused_until", told))
        self.holding.pause(told)

    async def resume(self) -> None:
        await self.database.write(lambda c: facts.put(c, "paused_until", ""))
        self.holding.pause("")

    async def try_safe(self) -> None:
        """Ask the system's safe again, because the person said so: it may show its window."""
        self.safe.ask_again()
        error = self.link.error if self.link else None
        if error is not None and error.code == TOKEN_MISSING:
            self._pairing_changed.set()

    async def paired(self) -> None:
        """This machine has joined a hub, or left it: go by what the store says now."""
        self._pairing_changed.set()

    async def leave(self) -> None:
        """Belong to no hub any more. The worker ends; models, files and the policy stay."""
        await self.local_hub.switch_off()
        async with self._between_workers():
            await asyncio.to_thread(join_steps.leave, self.paths, self.database)

    async def resync(self) -> None:
        """Read everything anew from the hub; what it has not got of this machine's own stays."""
        async with self._between_workers():
            await self.database.write(rebuilt.resync)
        self.ring(News.JOBS, News.QUESTIONS, News.LOGS, News.WORKERS)

    async def move(self, change: Change) -> None:
        """Change in the store which hub this machine belongs to, while no worker works."""
        async with self._between_workers():
            await self.database.write(change)

    @contextlib.asynccontextmanager
    async def _between_workers(self) -> AsyncIterator[None]:
        self._pairing_changed.set()
        async with self._working:
            yield
            self._pairing_changed.set()

    def ring(self, *news: News) -> None:
        """Tell everybody who shows things."""
        self._tell(frozenset(news))

    # Its life.

    async def run(self) -> None:
        """Work for whatever hub this machine belongs to, until cancelled."""
        self.holding.pause(await self.database.read(lambda c: facts.get(c, "paused_until")))
        if not self.joining.is_under_way:
            with contextlib.suppress(Unavailable):  # a full disk; it is tidied at the next start
                await self.database.write(facts.tidy_local_hub)
        await self.read_policy()
        await self.holding.look()
        self._mind_store(asyncio.get_running_loop())
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.holding.run())
            tasks.create_task(self._mind_policy())
            tasks.create_task(waking.listen(self.environment, self._woke, self._address_changed))
            tasks.create_task(self.local_hub.run())
            tasks.create_task(self.updates.run())
            tasks.create_task(forget_old_lines(self.database, self.environment))
            while True:
                async with self._working:
                    self._pairing_changed.clear()
                    self.pairing = await self.database.read(facts.pairing)
                    told = await self.database.read(identity.told)
                    await asyncio.to_thread(identity.note, self.paths.store, told)
                    self.ring(News.PAIRING, News.STATUS)
                    await self._serve()
                await self._pairing_changed.wait()

    def _mind_store(self, loop: asyncio.AbstractEventLoop) -> None:
        def changed() -> None:
            loop.call_soon_threadsafe(self._hold)

        self.database.trouble_listeners.append(changed)

    def close(self) -> None:
        """Give back what it holds; the database belongs to whoever opened it."""
        self._reader.close()
        self._report.stopped()

    async def _serve(self) -> None:
        """Run the worker until the hub refuses it, or this machine joins another hub."""
        if self.pairing is None:
            self.link = None
            return
        token = await self._proofs.token(self.pairing.worker_id, self._pairing_changed)
        if token is None:
            return
        sign = await self._proofs.signer(await self.look(facts.signs_as))
        # Only now: the tray is there already, and the line's libraries take long to load.
        from desktop.agent.agent import Agent
        from desktop.agent.setup import EXECUTORS_AT, KINDS_AT, Setup

        setup = Setup(
            paths=self.paths,
            pairing=self.pairing,
            token=token,
            policy=self.policy,
            app_version=version(),
            environment=self.environment,
            kinds_at=self._kinds_at or KINDS_AT,
            executors_at=self._executors_at or EXECUTORS_AT,
            sign=sign,
        )
        self._agent = Agent(
            setup,
            self.database,
            self._note_status,
            on_news=self._tell,
            on_progress=self._note_progress,
            on_beat=self._beaten.set,
        )
        self._agent.hold(self.held_back)
        try:
            async with asyncio.TaskGroup() as tasks:
                working = tasks.create_task(self._agent.run())
                changing = tasks.create_task(self._pairing_changed.wait())
                await asyncio.wait((working, changing), return_when=asyncio.FIRST_COMPLETED)
                working.cancel()
                changing.cancel()
        except* AppError as failures:
            # A damaged store, above all. The person sees why; the next start sets it aside.
            error = first_of(failures)
            log.warning("the worker cannot go on", code=error.code)
            self._note_status(LinkStatus(state=LinkState.REFUSED, error=error.body))
        self._agent = None
        self._progress.clear()

    def _woke(self) -> None:
        if self._agent is not None:
            self._agent.woke()

    def _address_changed(self, news: waking.AddressNews) -> None:
        if self._agent is not None:
            self._agent.address_changed(news)

    async def _mind_policy(self) -> None:
        """Look whether the policy was edited, at every beat: the program is awake then anyway."""
        while True:
            await self._beaten.wait()
            self._beaten.clear()
            await self.read_policy()

    async def _say(self, body: RequestEventBody) -> None:
        if self._agent is None:
            raise NotFound(
                "not_paired",
                "This computer belongs to no hub yet.",
                "Pair it first; the assistant in the tray menu helps.",
            )
        await self._agent.say(body)

    def _hold(self) -> None:
        if self._agent is not None:
            self._agent.hold(self.held_back)
        self.ring(News.STATUS)

    def _note_status(self, status: LinkStatus) -> None:
        self.link = status
        self._report.write(status)
        wait = status.next_try_seconds
        self.next_try_at = None if wait is None else later(self.environment.now(), wait)
        self.ring(News.STATUS)

    def _note_missing_token(self) -> None:
        self._note_status(LinkStatus(state=LinkState.REFUSED, error=token_missing().body))

    def _note_progress(self, progress: Progress) -> None:
        self._progress[progress.job_id] = progress
        self.ring(News.PROGRESS)

    def _tell(self, news: frozenset[News]) -> None:
        for listener in tuple(self.listeners):
            listener(news)


def later(now: datetime, seconds: float) -> datetime:
    return now + timedelta(seconds=seconds)
