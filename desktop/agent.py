"""The worker without a window: store, link and runner put together.

Messages of the hub come in through `take` and `apply`, what children do through `progressed`,
`logged`, `asked` and `ended`. What is in hand changes in `desktop.store.hands` alone; children
are started and told only after that change is committed.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import structlog

from desktop.abilities import Abilities
from desktop.alone import Alone
from desktop.core import sending
from desktop.core.admission import AskedHere, Machine, refusal
from desktop.core.attempt import Attempt, AttemptState
from desktop.core.code.forge_keys import forge_keys
from desktop.core.figures import Tally
from desktop.core.link import LinkState, LinkStatus
from desktop.core.llm.endpoints import with_built_in
from desktop.core.llm.locality import kept_local, to_look_at
from desktop.core.news import News
from desktop.core.outcome import Ending, Outcome, PartsWanted, no_place
from desktop.core.outcome_event import outcome_event
from desktop.core.policy import MEMORY_SHARE_DEFAULT, Policy
from desktop.core.result_size import RESULT_BYTES_MAX
from desktop.core.run_policy import cores_max
from desktop.core.sending import Wish
from desktop.core.steps import StepWanted, unshowable
from desktop.core.web.rules import search_keys
from desktop.jobs.added import added
from desktop.link.client import Link
from desktop.link.dialling import Dial, dial
from desktop.link.snapshot import Snapshots
from desktop.link.uploads import Uploads
from desktop.parts import Parts
from desktop.postponing import Postponing
from desktop.runner.child import Child
from desktop.runner.lines import Offered, Planned, Supplied
from desktop.runner.mouth import load
from desktop.runner.offering import offers
from desktop.runner.runner import MakeChild, Runner, Workshop
from desktop.runner.shared_child import SharedChild
from desktop.runner.supplies import Supplies
from desktop.runner.workspaces import Workspaces
from desktop.steps import Steps
from desktop.store.facts import Pairing
from desktop.store.hands import Hands
from desktop.store.journal import OpenQuestion
from desktop.store.minder import Minder
from desktop.store.outgoing import Parcel
from desktop.store.parts import PartEnd
from desktop.store.transcripts.forgetter import Forgetter
from desktop.system import hardware
from desktop.system.local_models import find_local
from desktop.system.outgoing_folder import OutgoingFolder
from desktop.system.paths import Paths
from desktop.system.provider_keys import read_keys
from desktop.system.waking import AddressNews
from desktop.system.way import Way
from shared import trace
from shared.database import Database
from shared.environment import Environment
from shared.errors import AppError, ErrorBody, Unavailable
from shared.events import (
    Event,
    RequestEventBody,
    TaskRequested,
)
from shared.ids import JobId, SessionId, WorkerId
from shared.jobs import LIGHT_MAX, JobSpec
from shared.kinds import Kind
from shared.messages import (
    Accept,
    Beat,
    Cancel,
    Decision,
    Decline,
    Events,
    Fault,
    FromHub,
    Grant,
    Hello,
    Metrics,
    Offer,
    Progress,
    Verdict,
    Welcome,
)
from shared.plan import StepEnded
from shared.questions import Asking
from shared.signatures import Sign

log = structlog.get_logger(__name__)

CALLS_BEFORE_ALONE = 2
"""A line that comes back at once is no reason to do without the hub."""
SNAPSHOT_FILE = "snapshot.part"
KINDS_AT = "desktop.jobs.added:KINDS"
EXECUTORS_AT = "desktop.jobs.added:EXECUTORS"


@dataclass(frozen=True, slots=True, kw_only=True)
class Seams:
    """What of a worker a simulation replaces; everything else runs as it is."""

    dial: Dial = dial
    make_child: MakeChild = Child
    measure: Callable[[Path], Metrics] = hardware.metrics
    read_keys: Callable[[Iterable[str], Paths], Mapping[str, str]] = read_keys
    has_snapshots: bool = True
    """Without, all of the hub's log comes over the line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """What a worker is made of; tests and simulations bring their own."""

    paths: Paths
    pairing: Pairing
    token: str
    policy: Policy
    app_version: str
    environment: Environment = field(default_factory=Environment)
    kinds_at: str = KINDS_AT
    """Named by address, because the child imports them anew."""
    executors_at: str = EXECUTORS_AT
    seams: Seams = field(default_factory=Seams)
    sign: Sign | None = None
    """The key that this machine paired with, at work; None when it has none, or has lost it."""


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
        self._held_back: ErrorBody | None = None
        self._on_progress = on_progress
        self._on_beat = on_beat
        self._kinds: Mapping[str, Kind] = load(setup.kinds_at)
        self._executors: Mapping[str, str] = load(setup.executors_at)
        for package, why in added().troubles.items():
            log.warning("kinds of a package are not used", package=package, why=why)
        self._abilities = Abilities(
            self._kinds, self._executors, setup.paths.data, setup.environment, setup.policy.code
        )
        self._runner: Runner
        self._shared: SharedChild
        self._is_running = False
        self._on_status = on_status
        way = Way(setup.policy.network)
        self._link = Link(
            setup.pairing.hub_url,
            setup.token,
            self,
            setup.environment,
            self._note_status,
            way,
            setup.seams.dial,
            self._snapshots(),
        )
        self._apart = frozenset(n for n, kind in self._kinds.items() if kind.is_apart)
        self._light = frozenset(n for n, kind in self._kinds.items() if not kind.takes_slot)
        self._hands = Hands(
            database, setup.environment, self._link.ring, on_news, setup.sign,
            light=self._light, makers=frozenset(n for n, kind in self._kinds.items() if kind.makes),
        )  # fmt: skip
        self._workspaces = Workspaces(setup.paths.sessions)
        self._minder = Minder(database, setup.environment)
        self._failed_calls = 0
        """How often the hub was called in vain since the line was up."""
        self._tasks: asyncio.TaskGroup
        self._alone = Alone(self._hands, self, setup.environment)
        self._parts = Parts(self._hands, self._alone, self, self._minder, setup.environment)
        self._steps = Steps(self._hands, self._alone, self, self._minder, setup.environment)
        self._postponing = Postponing(
            self._hands, self._minder, setup.environment, self.start_waiting
        )
        self._forgetter = Forgetter(database, setup.paths.data, self._minder, setup.environment)
        self._hands.own_log.on_purged = self._forgetter.ring
        self._outgoing = OutgoingFolder(setup.paths.outgoing)
        self._uploads = Uploads(
            setup.pairing.hub_url, setup.token, database, self._outgoing, setup.environment, way
        )

    def _snapshots(self) -> Snapshots | None:
        if not self._setup.seams.has_snapshots:
            return None
        file = self._setup.paths.data / SNAPSHOT_FILE
        return Snapshots(self._setup.pairing.hub_url, self._setup.token, file)

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
        return sum(
            a.state is AttemptState.RUNNING and a.spec.kind not in self._light
            for a in self._hands.attempts
        )

    @property
    def tally(self) -> Tally:
        """What was run since this worker has started."""
        if not self._is_running:
            return Tally()
        done = self._runner.tally
        return replace(done, children=done.children + self._shared.begun)

    async def say(self, body: RequestEventBody) -> None:
        """Write down what the person at this machine asks for; the hub is told when it can be.

        Raises:
            BadInput: `answer_unfit`.
        """
        await self._alone.say(body)

    def hold(self, why: ErrorBody | None) -> None:
        """Let nothing start from now on, and say why; None lets it again. Children go on."""
        is_news = (why is None) != (self._held_back is None)
        self._held_back = why
        if is_news:
            self._link.tell_beat()
        self.start_waiting()

    def hurry(self) -> None:
        """Call the hub now instead of when the wait is over."""
        self._link.hurry()

    def woke(self) -> None:
        """The machine has slept: its line may lead nowhere, and what waited may be due."""
        self._postponing.look()
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
            self._uploads.go(Way(policy.network))
        self._setup = replace(self._setup, policy=policy)
        if self._is_running:
            self._runner.workshop = self._workshop()
        self._link.tell_beat()
        self.start_waiting()

    async def run(self) -> None:
        """Recover what a crash left, then serve; returns when the hub refuses this worker."""
        with structlog.contextvars.bound_contextvars(worker_id=self.worker_id):
            await self._run()

    async def _run(self) -> None:
        name = self._setup.pairing.worker_name
        why = f"{name} restarted while it ran."
        await self._minder.insist(lambda: self._hands.recover(self._kinds, why))
        await self._minder.when_well(self._sweep_workspaces)
        environment = self._setup.environment
        async with asyncio.TaskGroup() as tasks:
            supplies = Supplies(self._supplied_for_many, environment, tasks)
            for_code = Supplies(self._supplied_for_code, environment, tasks)
            shared = SharedChild(environment, tasks, supplies, supply_apart=for_code)
            self._runner = Runner(
                self._workshop(),
                self,
                environment,
                tasks,
                shared,
                self._setup.seams.make_child,
            )
            self._shared = shared
            self._tasks = tasks
            self._is_running = True
            self.start_waiting()
            uploading = tasks.create_task(self._uploads.run())
            minding = tasks.create_task(self._minder.watch(self._store_changed))
            making = tasks.create_task(self._parts.run())
            stepping = tasks.create_task(self._steps.run())
            waiting = tasks.create_task(self._postponing.run())
            forgetting = tasks.create_task(self._forgetter.run())
            try:
                await self._link.run()
                # The hub lets this worker in no more, and so none of its sessions lives on.
                await self._workspaces.sweep(_over, self._sessions_in_hand)
            finally:
                self._is_running = False
                uploading.cancel()
                minding.cancel()
                making.cancel()
                stepping.cancel()
                waiting.cancel()
                forgetting.cancel()
                try:
                    await self._runner.wind_down()
                finally:
                    # The journal keeps them as running: the next start knows what was cut off.
                    self._runner.end_all()

    # What the link asks and tells (`desktop.link.station.Station`).

    async def hello(self) -> Hello:
        position = await self._hands.own_log.position()
        return Hello(
            device=self._setup.pairing.worker_id,
            epoch=position.epoch,
            name=self._setup.pairing.worker_name,
            platform=hardware.platform_name(),
            app_version=self._setup.app_version,
            capabilities=self._abilities.capabilities,
            lacking=self._abilities.lacking,
            zone=hardware.zone_name(),
            slots=self._slots,
            outbox_seq=position.outbox_seq,
            hub_epoch=position.hub_epoch,
            hub_seq=position.hub_seq,
            held=self._hands.held,
        )

    def beat(self) -> Beat:
        self._look_at_tools()
        self._on_beat()
        return Beat(
            held=self._hands.held,
            slots=self._slots,
            metrics=self._setup.seams.measure(self._setup.paths.data),
        )

    @property
    def outbox_seq(self) -> int:
        return self._hands.own_log.outbox_seq

    async def outbox(self, start: int, count_max: int) -> list[Event]:
        return await self._hands.own_log.events(start, count_max)

    async def acknowledged(self, seq: int) -> None:
        await self._hands.acknowledge(seq)

    async def forked(self, hub_epoch: str, upto: int) -> None:
        await self._hands.own_log.fork(hub_epoch, upto)

    async def continues(self, seq: int, digest: str) -> bool:
        return await self._hands.own_log.continues(seq, digest)

    async def restored(self, acked_seq: int) -> None:
        log.warning("the store was copied or is an older copy of itself; a new epoch begins")
        await self._hands.renew(acked_seq)

    async def apply(self, hub_epoch: str, events: Events) -> None:
        heard = await self._hands.hear(hub_epoch, events)
        for question, value in heard.answers:
            self._runner.answer(question.job_id, question.asking.key, value)
        for attempt in heard.ended:
            self._runner.end(attempt.spec.job_id, Ending.PARKED)
        if heard.settled:
            self._steps.heard(heard.settled)
        if heard.is_of_machines:
            self._renew_offers()
        mine = [told.session_id for told in heard.sessions if told.worker_id == self.worker_id]
        await self._workspaces.ended(mine, self._sessions_in_hand)

    async def take(self, message: FromHub) -> None:
        match message:
            case Welcome():
                for verdict in message.verdicts:
                    await self._obey(verdict)
            case Offer():
                await self._consider(message)
            case Grant():
                await self._start(message.job_id, message.attempt, message.fence)
            case Cancel():
                await self._cancel(message.job_id, message.attempt)
            case Fault():
                log.warning("the hub says", code=message.error.code, error=message.error.message)
            case _:
                log.warning("message ignored", type=message.type)

    # What the runner tells (`desktop.runner.runner.Listener`).

    def progressed(self, progress: Progress) -> None:
        attempt = self._hands.get(progress.job_id, progress.attempt)
        if attempt is not None and attempt.part_of is not None:
            return  # people look at the job that it is a part of
        self._link.send(progress)
        self._on_progress(progress)

    async def logged(self, job_id: JobId, lines: tuple[str, ...]) -> None:
        await self._minder.insist(lambda: self._hands.log(job_id, lines))

    async def asked(self, job_id: JobId, asking: Asking) -> None:
        size = len(asking.model_dump_json().encode())
        if size > RESULT_BYTES_MAX:
            error = AppError(
                "question_too_large",
                f"A question of {size:,} bytes is more than the {RESULT_BYTES_MAX:,} a chat takes.",
                "This is a fault of the program; please report it with the job's log.",
            )
            self._runner.refuse(job_id, error.body)
        else:
            await self._minder.insist(lambda: self._hands.ask(job_id, asking))
            self.start_waiting()

    def parts_wanted(self, job_id: JobId, wanted: PartsWanted) -> None:
        self._parts.want(job_id, wanted)

    def step_wanted(self, job_id: JobId, wanted: StepWanted) -> None:
        self._steps.want(job_id, wanted)

    def step_dropped(self, job_id: JobId, number: int) -> None:
        self._steps.drop(job_id, number)

    async def planned(self, job_id: JobId, told: Planned) -> None:
        attempt = self._hands.alive(job_id)
        if attempt is None:
            return
        error = unshowable(self._kinds[attempt.spec.kind], told.plan)
        if error is not None:
            self._runner.refuse(job_id, error.body)
        else:
            tell = partial(self._hands.tell_plan, job_id, told.stage, told.plan)
            await self._minder.insist(tell)

    async def ended(self, job_id: JobId, outcome: Outcome) -> None:
        attempt = self._hands.alive(job_id)
        if attempt is None:
            return
        kind = self._kinds[attempt.spec.kind]
        settled = await self._postponing.settle(attempt, kind, outcome)
        if settled is None:
            await self._workspaces.settle(self._sessions_in_hand)
            self.start_waiting()
            return
        outcome = settled
        parcels: tuple[Parcel, ...] = ()
        following: list[TaskRequested] = []
        try:
            if outcome.ending is Ending.RESULT:
                following = self._parts.following(job_id, outcome.follows)
                parcels = await self._packed(attempt, outcome.wishes) if outcome.wishes else ()
        except AppError as error:
            outcome = replace(outcome, ending=Ending.REFUSED, error=error.body)
        refs = tuple(parcel.ref for parcel in parcels)
        await self._minder.insist(
            lambda: self._hands.end(
                job_id,
                lambda names: outcome_event(names, outcome, kind, refs),
                parcels=parcels,
                wrote=outcome.wrote,
                following=following,
            )
        )
        if parcels:
            self._uploads.ring()
        await self._workspaces.settle(self._sessions_in_hand)
        self.start_waiting()

    # What the person at this machine asks for (`desktop.alone.Here`).

    @property
    def worker_id(self) -> WorkerId:
        return self._setup.pairing.worker_id

    @property
    def is_online(self) -> bool:
        return self._link.is_open

    @property
    def is_offline(self) -> bool:
        return self._failed_calls > 0

    def refusal_of_own(self, spec: JobSpec) -> AppError | None:
        asked = AskedHere(kind=spec.kind, inputs=spec.inputs)
        # What takes no slot is not held up by those that do, and its like is made here by the
        # hundred: nobody counts.
        machine = self._machine(0 if spec.kind in self._light else self._slots_free_here, LIGHT_MAX)
        machine = replace(machine, asked_here=asked)
        error = refusal(spec, self._setup.policy, machine, self._kinds)
        return error or (None if self._is_running else not_running())

    async def begin(self, attempt: Attempt) -> None:
        await self._start(attempt.spec.job_id, attempt.number, attempt.fence)

    def pass_on(self, question: OpenQuestion, value: str) -> None:
        self._runner.answer(question.job_id, question.asking.key, value)

    def stop(self, job_id: JobId) -> None:
        if not self._runner.end(job_id, Ending.CANCELLED):
            self._postponing.stopped(job_id)

    def is_due(self, attempt: Attempt) -> bool:
        return self._postponing.is_due(attempt)

    def is_light(self, attempt: Attempt) -> bool:
        return attempt.spec.kind in self._light

    # What the making of parts asks and tells (`desktop.parts.Floor`).

    @property
    def kinds(self) -> Mapping[str, Kind]:
        return self._kinds

    def refuse(self, job_id: JobId, error: ErrorBody) -> None:
        self._runner.refuse(job_id, error)

    def parts_ended(self, job_id: JobId, ends: Mapping[PartEnd, int]) -> None:
        self._runner.parts_ended(job_id, ends)

    # What steps tell (`desktop.steps.Floor`).

    def step_ended(self, job_id: JobId, number: int, ended: StepEnded) -> None:
        self._runner.step_ended(job_id, number, ended)

    def _is_planned(self, attempt: Attempt) -> bool:
        """Whether an attempt is a step of a plan that this worker itself has in hand."""
        return any(
            a.spec.job_id == attempt.part_of
            and a.state is not AttemptState.ENDED
            and self._kinds[a.spec.kind].has_steps
            for a in self._hands.attempts
        )

    async def _offers(self, attempt: Attempt) -> tuple[Offered, ...]:
        """What the person's workers offer a job that has steps; nothing to others."""
        if not self._kinds[attempt.spec.kind].has_steps:
            return ()
        allowed = self._setup.policy.allows
        kinds = [k for k in self._abilities.ready if allowed(k, attempt.spec.origin)]
        machines = await self._hands.machines()
        name = self._setup.pairing.worker_name
        return offers(self.worker_id, name, kinds, machines, is_online=self.is_online)

    def _renew_offers(self) -> None:
        """Tell the jobs that have steps what is offered now, soon."""
        if self._is_running and any(self._has_steps(a) for a in self._hands.attempts):
            self._tasks.create_task(self._minder.when_well(self._tell_offers))

    async def _tell_offers(self) -> None:
        for attempt in self._hands.attempts:
            if self._has_steps(attempt):
                self._runner.offered(attempt.spec.job_id, await self._offers(attempt))

    def _has_steps(self, attempt: Attempt) -> bool:
        return attempt.is_alive and self._kinds[attempt.spec.kind].has_steps

    def _sessions_in_hand(self) -> set[SessionId]:
        """Sessions whose jobs run here, or are about to."""
        return {
            attempt.spec.session_id
            for attempt in self._hands.attempts
            if attempt.state is not AttemptState.ENDED
        }

    async def _sweep_workspaces(self) -> None:
        await self._workspaces.sweep(self._hands.is_session_over, self._sessions_in_hand)

    def start_waiting(self) -> None:
        """Start soon what waits here for a slot, or for whatever held it back."""
        if self._is_running and self._hands.waiting:
            self._tasks.create_task(self._minder.when_well(self._alone.start_waiting))

    async def _packed(self, attempt: Attempt, wishes: tuple[Wish, ...]) -> tuple[Parcel, ...]:
        """Copy what may leave; the child that names it is gone by now and cannot move it away.

        Raises:
            NotAllowed: `sending_refused`.
            AppError: as `OutgoingFolder.take`.
        """
        refused = sending.refusal(attempt.spec.origin, self._setup.policy)
        if refused is not None:
            raise refused
        workdir = (self._setup.paths.jobs / attempt.spec.job_id).resolve()
        roots = (*self._folders, workdir)
        return await asyncio.to_thread(self._outgoing.take, wishes, roots)

    def _store_changed(self) -> None:
        """The store is in trouble, or well again: that is how many jobs may run."""
        self._link.tell_beat()
        self.start_waiting()

    def _note_status(self, status: LinkStatus) -> None:
        match status.state:
            case LinkState.ONLINE:
                self._failed_calls = 0
                self._uploads.ring()
            case LinkState.OFFLINE:
                self._failed_calls += 1
                if self._failed_calls == CALLS_BEFORE_ALONE and self._is_running:
                    self._tasks.create_task(self._minder.when_well(self._alone.use_given))
                self.start_waiting()
            case _:
                pass
        self._renew_offers()
        self._on_status(status)

    async def _consider(self, offer: Offer) -> None:
        """Answer an offer: a refusal with its reason, or yes, journalled first."""
        job_id = offer.job.job_id
        if self._hands.get(job_id, offer.attempt) or self._hands.alive(job_id):
            return
        for stale in self._hands.accepted(job_id):
            await self._hands.forget(stale)
        asked = await self._hands.asked_here(job_id)
        slots_free = self._setup.policy.slots - self._hands.slots_taken
        machine = self._machine(slots_free, LIGHT_MAX - self._hands.light_taken)
        machine = replace(machine, asked_here=asked)
        error = refusal(offer.job, self._setup.policy, machine, self._kinds)
        if error is not None:
            trace_id = trace.trace_id_of(offer.job.traceparent)
            log.info("offer declined", job_id=job_id, code=error.code, trace_id=trace_id)
            self._link.send(Decline(job_id=job_id, attempt=offer.attempt, error=error.body))
            return
        await self._hands.accept(offer.job, offer.attempt)
        self._link.send(Accept(job_id=job_id, attempt=offer.attempt))

    def _look_at_tools(self) -> None:
        """Tell the hub anew what can be done here when tools came or went while this ran."""
        if self._abilities.look(self._setup.policy.code):
            self._link.renew()
            self._renew_offers()
        if self._is_running and self._abilities.are_agents_due():
            self._tasks.create_task(self._look_at_agents(), name="agents")
        if self._is_running and self._abilities.are_models_due():
            self._tasks.create_task(self._look_for_models(), name="local models")

    async def _look_at_agents(self) -> None:
        with contextlib.suppress(TimeoutError, OSError, AppError):
            await self._abilities.look_at_agents(self._runner)

    async def _look_for_models(self) -> None:
        found = await find_local(to_look_at(self._setup.policy.llm))
        if self._abilities.found(found) and self._is_running:
            self._link.renew()

    async def _start(self, job_id: JobId, number: int, fence: int) -> None:
        running = await self._hands.start(job_id, number, fence)
        if running is None:
            return
        known_files = await self._known_files(running.spec)
        if self._is_running:  # else the next start of this program finds it in the journal
            try:
                self._runner.start(
                    running, known_files, is_planned=self._is_planned(running),
                    offers=await self._offers(running),
                )  # fmt: skip
            except (OSError, AppError) as error:
                # No folder for it on a full disk, as a rule. Nothing has happened yet.
                await self.ended(job_id, Outcome(ending=Ending.REFUSED, error=no_place(error)))

    async def _known_files(self, spec: JobSpec) -> dict[str, str]:
        """Look up the files that a job's inputs name by the job that wrote them."""
        known: dict[str, str] = {}
        for value in spec.inputs.values():
            if isinstance(value, str) and value.startswith("#"):
                path = await self._hands.written_by(value[1:])
                if path is not None:
                    known[value] = path
        return known

    async def _cancel(self, job_id: JobId, number: int) -> None:
        attempt = self._hands.get(job_id, number)
        if attempt is None:
            return
        if attempt.state is AttemptState.ACCEPTED:
            await self._hands.forget(attempt)
            self.start_waiting()
        elif attempt.state is AttemptState.GRANTED:
            await self._alone.give_up(attempt)
        elif attempt.is_alive:
            self.stop(job_id)

    async def _obey(self, verdict: Verdict) -> None:
        match verdict.decision:
            case Decision.KEEP:
                pass
            case Decision.GRANT:
                await self._start(verdict.job_id, verdict.attempt, verdict.fence)
            case Decision.ABORT | Decision.FORGET:
                await self._cancel(verdict.job_id, verdict.attempt)

    @property
    def _slots_free_here(self) -> int:
        # Whatever was offered by a hub that is away does not start before it is back.
        taken = self.slots_busy if self.is_offline else self._hands.slots_taken
        return self._setup.policy.slots - taken

    @property
    def _code_free(self) -> int:
        taken = sum(
            (a.state is AttemptState.RUNNING or (a.takes_slot and not self.is_offline))
            and a.spec.kind in self._apart
            for a in self._hands.attempts
        )
        return self._setup.policy.code.concurrent - taken

    def _machine(self, slots_free: int, light_free: int) -> Machine:
        return Machine(
            slots_free=slots_free,
            light_free=light_free,
            disk_free_bytes=hardware.disk_free_bytes(self._setup.paths.data),
            kinds_ready=self._abilities.ready,
            remedies=self._abilities.remedies,
            code_free=self._code_free,
            held_back=self._held_back or self._minder.trouble,
        )

    @property
    def _slots(self) -> int:
        return 0 if self._held_back or self._minder.trouble else self._setup.policy.slots

    @property
    def _folders(self) -> tuple[Path, ...]:
        return tuple(Path(folder).expanduser().resolve() for folder in self._setup.policy.folders)

    def _workshop(self) -> Workshop:
        policy, paths = self._setup.policy, self._setup.paths
        return Workshop(
            kinds=self._kinds,
            kinds_at=self._setup.kinds_at,
            executors=self._executors,
            jobs_folder=paths.jobs,
            workspaces=self._workspaces,
            models_folder=paths.models,
            data_folder=paths.data,
            profile=paths.home,
            folders=self._folders,
            worker_id=self.worker_id,
            send_files=policy.send_files,
            memory_bytes_max=policy.memory_bytes_max
            or int(hardware.memory_total_bytes() * MEMORY_SHARE_DEFAULT),
            threads_max=1,
            cores_max=cores_max(policy.run, hardware.cores()),
        )

    def _supplied_for_code(self) -> Supplied:
        """Read what a coding job works with: it alone gets the tokens of forges."""
        return self._supplied(forge_keys(self._setup.policy.code))

    def _supplied_for_many(self) -> Supplied:
        """Read what jobs of the shared child work with; research is among them."""
        return self._supplied(search_keys(self._setup.policy.web))

    def _supplied(self, more_keys: Iterable[str]) -> Supplied:
        """Read what jobs that call models work with; it blocks."""
        setup = self._setup
        rules = setup.policy.llm
        endpoints = with_built_in(rules.endpoints)
        if rules.local_only:
            endpoints = kept_local(endpoints)
        # A key that nobody may use now is handed to nobody.
        names = {one.key_name for one in endpoints if one.key_name and not one.is_barred}
        keys = setup.seams.read_keys(sorted(names.union(more_keys)), setup.paths)
        return Supplied(
            keys=dict(keys),
            endpoints=endpoints,
            send_text=rules.send_text,
            network=setup.policy.network,
            code=setup.policy.code,
            web=setup.policy.web,
        )


async def _over(_: SessionId) -> bool:
    return True


def not_running() -> Unavailable:
    return Unavailable(
        "worker_starting", "This worker is starting or stopping.", "It waits.", retryable=True
    )
