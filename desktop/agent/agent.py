"""The worker, put together and kept alive: the only place where its parts are made.

What the hub says comes in through its station, what children do through its listener. What is in
hand changes in `desktop.store.hands` alone.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import replace

import structlog

from desktop.abilities import Abilities
from desktop.agent.admission import Admission, light_kinds
from desktop.agent.floor import AgentFloor
from desktop.agent.line import AgentLine
from desktop.agent.listener import AgentListener
from desktop.agent.looking import Looking
from desktop.agent.sending import Sending
from desktop.agent.sessions import SessionFolders
from desktop.agent.setup import Setup
from desktop.agent.station import AgentStation
from desktop.agent.workshop import supplied_for_code, supplied_for_many, workshop_of
from desktop.core.attempt import Attempt, AttemptState
from desktop.core.figures import Tally
from desktop.core.link import LinkState, LinkStatus
from desktop.core.news import News
from desktop.core.policy import Policy
from desktop.jobs.added import added
from desktop.link.client import Link
from desktop.link.snapshot import Snapshots
from desktop.runner.mouth import load
from desktop.runner.runner import Runner
from desktop.runner.shared_child import SharedChild
from desktop.runner.supplies import Supplies
from desktop.runner.workshop import Workshop
from desktop.runner.workspaces import Workspaces
from desktop.store.hands import Hands
from desktop.store.minder import Minder
from desktop.store.transcripts.forgetter import Forgetter
from desktop.system.waking import AddressNews
from desktop.system.way import Way
from shared.database import Database
from shared.errors import ErrorBody
from shared.events import RequestEventBody
from shared.kinds import Kind
from shared.messages import Progress

log = structlog.get_logger(__name__)

CALLS_BEFORE_ALONE = 2
"""A line that comes back at once is no reason to do without the hub."""
SNAPSHOT_FILE = "snapshot.part"


class Agent:
    """One worker. `run` until cancelled."""

    def __init__(
        self,
        setup: Setup,
        database: Database,
        on_status: Callable[[LinkStatus], None],
        *,
        on_news: Callable[[frozenset[News]], None] = lambda _news: None,
        on_progress: Callable[[Progress], None] = lambda _progress: None,
        on_beat: Callable[[], None] = lambda: None,
    ) -> None:
        self._setup = setup
        self._on_status = on_status
        self._on_progress = on_progress
        self._on_beat = on_beat
        self._kinds: Mapping[str, Kind] = load(setup.kinds_at)
        self._executors: Mapping[str, str] = load(setup.executors_at)
        for package, why in added().troubles.items():
            log.warning("kinds of a package are not used", package=package, why=why)
        way = Way(setup.policy.network)
        environment = setup.environment
        abilities = Abilities(
            self._kinds, self._executors, setup.paths.data, environment, setup.policy.code
        )
        self._line = AgentLine()
        self._hands = self._make_hands(database, on_news)
        self._minder = Minder(database, environment)
        self._workspaces = Workspaces(setup.paths.sessions)
        self._sessions = SessionFolders(self._workspaces, self._hands)
        self._admission = Admission(
            setup, self._kinds, abilities, self._hands, self._minder, self._line
        )
        self._floor = AgentFloor(
            setup.pairing,
            self._kinds,
            abilities=abilities,
            admission=self._admission,
            hands=self._hands,
            minder=self._minder,
            environment=environment,
            line=self._line,
        )
        self._forgetter = Forgetter(database, setup.paths.data, self._minder, environment)
        self._hands.own_log.on_purged = self._forgetter.ring
        self._sending = Sending(setup, database, self._admission, way)
        self._looking = Looking(abilities, self._admission, self._floor, self._line)
        self.station = AgentStation(
            setup,
            self._floor,
            self._hands,
            abilities=abilities,
            admission=self._admission,
            sessions=self._sessions,
            line=self._line,
            on_beat=self._beat,
        )
        """What the line asks, and tells."""
        self._line.link = self._link = self._make_link(way)

    def _make_hands(self, database: Database, on_news: Callable[[frozenset[News]], None]) -> Hands:
        return Hands(
            database,
            self._setup.environment,
            self._line.ring,
            on_news,
            self._setup.sign,
            light=light_kinds(self._kinds),
            makers=frozenset(name for name, kind in self._kinds.items() if kind.makes),
        )

    def _make_link(self, way: Way) -> Link:
        setup, pairing = self._setup, self._setup.pairing
        file = setup.paths.data / SNAPSHOT_FILE
        return Link(
            pairing.hub_url,
            setup.token,
            self.station,
            setup.environment,
            self._note_status,
            way,
            setup.seams.dial,
            Snapshots(pairing.hub_url, setup.token, file) if setup.seams.has_snapshots else None,
        )

    @property
    def attempts(self) -> tuple[Attempt, ...]:
        """Everything in hand."""
        return self._hands.attempts

    @property
    def running_count(self) -> int:
        """How many jobs are worked on now, their parts not counted."""
        attempts = self._hands.attempts
        return sum(a.state is AttemptState.RUNNING and a.part_of is None for a in attempts)

    @property
    def slots_busy(self) -> int:
        """How many slots are taken by jobs that run."""
        return self._admission.slots_busy

    @property
    def tally(self) -> Tally:
        """What was run since this worker has started."""
        if not self._floor.is_open:
            return Tally()
        done = self._floor.runner.tally
        return replace(done, children=done.children + self._shared.begun)

    async def say(self, body: RequestEventBody) -> None:
        """Write down what the person at this machine asks for; the hub is told when it can be.

        Raises:
            BadInput: `answer_unfit`.
        """
        await self._floor.alone.say(body)

    def hold(self, why: ErrorBody | None) -> None:
        """Let nothing start from now on, and say why; None lets it again. Children go on."""
        is_news = (why is None) != (self._admission.held_back is None)
        self._admission.held_back = why
        if is_news:
            self._link.tell_beat()
        self._floor.start_waiting()

    def hurry(self) -> None:
        """Call the hub now instead of when the wait is over."""
        self._link.hurry()

    def woke(self) -> None:
        """The machine has slept: its line may lead nowhere, and what waited may be due."""
        self._floor.postponing.look()
        self._link.distrust()

    def address_changed(self, news: AddressNews) -> None:
        """An address of this machine came, or went."""
        if news.is_new:
            self._link.hurry()
        else:
            self._link.address_went(news.address)

    def adopt(self, policy: Policy) -> None:
        """Go by another policy from now on; children that run keep what they were started with."""
        if policy.network != self._setup.policy.network:
            self._link.go(Way(policy.network))
            self._sending.uploads.go(Way(policy.network))
        is_told_anew = policy.kinds != self._setup.policy.kinds
        self._setup = replace(self._setup, policy=policy)
        self._admission.policy = policy
        if self._floor.is_open:
            self._floor.runner.workshop = self._workshop()
        if is_told_anew:  # what may come unasked is said in the hello
            self._link.renew()
        else:
            self._link.tell_beat()
        self._floor.start_waiting()

    async def run(self) -> None:
        """Recover what a crash left, then serve; returns when the hub refuses this worker."""
        with structlog.contextvars.bound_contextvars(worker_id=self._setup.pairing.worker_id):
            await self._run()

    async def _run(self) -> None:
        name = self._setup.pairing.worker_name
        why = f"{name} restarted while it ran."
        await self._minder.insist(lambda: self._hands.recover(self._kinds, why))
        await self._minder.when_well(self._sessions.sweep)
        async with asyncio.TaskGroup() as tasks:
            runner = self._open(tasks)
            chores = [tasks.create_task(chore) for chore in self._chores()]
            try:
                await self._link.run()
                await self._sessions.end_all()
            finally:
                self._floor.close()
                for chore in chores:
                    chore.cancel()
                try:
                    await runner.wind_down()
                finally:
                    # The journal keeps them as running: the next start knows what was cut off.
                    runner.end_all()

    def _open(self, tasks: asyncio.TaskGroup) -> Runner:
        """Begin to run jobs."""
        environment = self._setup.environment
        self._shared = SharedChild(
            environment,
            tasks,
            Supplies(lambda: supplied_for_many(self._setup), environment, tasks),
            supply_apart=Supplies(lambda: supplied_for_code(self._setup), environment, tasks),
        )
        listener = AgentListener(
            self._floor,
            self._hands,
            self._minder,
            sending=self._sending,
            sessions=self._sessions,
            tell_progress=self._tell_progress,
        )
        make_child = self._setup.seams.make_child
        runner = Runner(self._workshop(), listener, environment, tasks, self._shared, make_child)
        self._floor.open(runner, listener, tasks)
        return runner

    def _chores(self) -> list[Coroutine[None, None, None]]:
        """What is done beside the line for as long as it is served."""
        return [
            self._sending.uploads.run(),
            self._minder.watch(self._store_changed),
            self._floor.parts.run(),
            self._floor.steps.run(),
            self._floor.postponing.run(),
            self._forgetter.run(),
        ]

    def _workshop(self) -> Workshop:
        return workshop_of(self._setup, self._kinds, self._executors, self._workspaces)

    def _tell_progress(self, progress: Progress) -> None:
        self._link.send(progress)
        self._on_progress(progress)

    def _beat(self) -> None:
        self._looking.look()
        self._on_beat()

    def _store_changed(self) -> None:
        """The store is in trouble, or well again: that is how many jobs may run."""
        self._link.tell_beat()
        self._floor.start_waiting()

    def _note_status(self, status: LinkStatus) -> None:
        match status.state:
            case LinkState.ONLINE:
                self._line.failed_calls = 0
                self._sending.uploads.ring()
            case LinkState.OFFLINE:
                self._line.failed_calls += 1
                if self._line.failed_calls == CALLS_BEFORE_ALONE:
                    self._floor.soon(self._floor.alone.use_given)
                self._floor.start_waiting()
            case _:
                pass
        self._floor.renew_offers()
        self._on_status(status)
