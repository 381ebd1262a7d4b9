"""All running jobs of this worker: starts a child per attempt, passes on what it says.

The runner decides nothing durable. What a child asks and how it ends is told to a Listener, which
writes it to the journal first and then calls back (`answer`, `end`).
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Protocol

import structlog

from desktop.core.attempt import Attempt
from desktop.core.figures import Tally
from desktop.core.outcome import Ending, Following, Outcome, PartsWanted
from desktop.core.sending import Wish
from desktop.core.steps import StepWanted
from desktop.runner.child import Child, ChildLimits
from desktop.runner.lines import (
    Asked,
    Follow,
    FromChild,
    Handed,
    Logged,
    Offered,
    Offers,
    Order,
    Parts,
    PartsOver,
    Planned,
    Progressed,
    StepDropped,
    StepLine,
    StepOver,
    Wrote,
)
from desktop.runner.shared_child import Sharing
from desktop.runner.workspaces import Workspaces
from desktop.store.parts import PartEnd
from shared import spans, trace
from shared.environment import Environment
from shared.errors import ErrorBody
from shared.events import LINES_MAX
from shared.ids import JobId
from shared.jobs import Origin
from shared.kinds import SENDS_MAX, Kind
from shared.messages import Progress
from shared.plan import StepEnded
from shared.questions import Asking

log = structlog.get_logger(__name__)

TELL_SECONDS = 1.0
"""Progress and log lines leave the worker at most this often per job."""
MACHINE = "machine."
"""Kinds of the machine itself; they alone are told of the session the worker runs in."""
SESSION = (
    "XDG_CONFIG_HOME", "XDG_RUNTIME_DIR", "XDG_CURRENT_DESKTOP", "DISPLAY", "WAYLAND_DISPLAY",
)  # fmt: skip
LAST_WORDS_FILE = "last-words.log"
"""In a failed job's working folder: the end of its standard error."""
LOG_BYTES_MAX = 48 * 1024
"""Of one event of log lines: JSON may take twice as much, and a frame has room for 256 KiB."""
WIND_DOWN_SECONDS = 3.0
"""How long jobs may take to put themselves down when this program ends."""
FOLLOWS_MAX = 10
"""Jobs that may follow one; more are not made."""
PLANS_MAX = 1000
"""Of one attempt, that people are told; what is said beyond is left out."""
LOG_LINES_MAX = 10_000
"""Lines of one attempt that reach its log; the rest is counted and left out."""


class Worked(Protocol):
    """One job that is being run, as `desktop.runner.child.Child` runs it."""

    async def run(self) -> Outcome:
        """Work; returns when nothing of it is left."""

    def answer(self, key: str, value: str) -> None:
        """Give it the answer that it waits for."""

    def parts_ended(self, over: PartsOver) -> None:
        """Tell it that none of the parts that it asked for is open any more."""

    def step_ended(self, over: StepOver) -> None:
        """Tell it how a step that it asked for came out."""

    def offered(self, offers: Offers) -> None:
        """Tell it what the person's workers offer now."""

    def end(self, ending: Ending) -> None:
        """End it at once; the first reason given is the one that counts."""

    def refuse(self, error: ErrorBody) -> None:
        """End it as if it had failed with this error."""


MakeChild = Callable[[Order, ChildLimits, Environment, Callable[[FromChild], None]], Worked]
"""Makes what works on an order; what it says on the way is passed to the function."""


class Listener(Protocol):
    """Who is told what children do. Called in order per attempt."""

    def progressed(self, progress: Progress) -> None:
        """Newest progress; may be dropped."""

    async def logged(self, job_id: JobId, lines: tuple[str, ...]) -> None:
        """Lines for the job's log."""

    async def asked(self, job_id: JobId, asking: Asking) -> None:
        """The child waits for an answer."""

    def parts_wanted(self, job_id: JobId, wanted: PartsWanted) -> None:
        """The job wants parts to be made, and waits until none of them is open."""

    def step_wanted(self, job_id: JobId, wanted: StepWanted) -> None:
        """The job wants a step to be made, and waits for it."""

    def step_dropped(self, job_id: JobId, number: int) -> None:
        """The job waits for a step no more."""

    async def planned(self, job_id: JobId, told: Planned) -> None:
        """The job tells people its plan."""

    async def ended(self, job_id: JobId, outcome: Outcome) -> None:
        """The child and all it started are gone; of a shared one, what this job was in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Workshop:
    """What every job of this worker is run with."""

    kinds: Mapping[str, Kind]
    kinds_at: str
    executors: Mapping[str, str]
    jobs_folder: Path
    workspaces: Workspaces
    models_folder: Path
    data_folder: Path = Path()
    folders: tuple[Path, ...]
    profile: Path | None = None
    """The folder of a profile apart; None for the person's own."""
    memory_bytes_max: int
    threads_max: int
    cores_max: int | None = None
    """How many cores all jobs together may use; None for all. Not on macOS, which pins nothing."""
    worker_id: str = ""
    """By which it is known in logs."""
    send_files: tuple[Origin, ...] = ()
    """For whom files may leave, as the children are told."""


class Runner:
    """Runs attempts until its TaskGroup ends; all children die with it."""

    def __init__(
        self,
        workshop: Workshop,
        listener: Listener,
        environment: Environment,
        tasks: asyncio.TaskGroup,
        shared: Sharing,
        make_child: MakeChild = Child,
    ) -> None:
        self._make_child = make_child
        self._shared = shared
        self.workshop = workshop
        """What the next job is run with."""
        self._listener = listener
        self._environment = environment
        self._tasks = tasks
        self._running: dict[JobId, _Running] = {}
        self.tally = Tally()
        """What it has done since it was made."""

    @property
    def running(self) -> frozenset[JobId]:
        return frozenset(self._running)

    def start(
        self,
        attempt: Attempt,
        known_files: Mapping[str, str] = MappingProxyType({}),
        *,
        is_planned: bool = False,
        offers: tuple[Offered, ...] = (),
    ) -> None:
        """Start the child of an attempt whose start is committed.

        `known_files`, `is_planned`, `offers`: see `Order`.
        """
        job_id = attempt.spec.job_id
        assert job_id not in self._running
        kind = self.workshop.kinds[attempt.spec.kind]
        running = _Running(attempt)
        order = self._order(attempt, known_files)
        if is_planned or offers:
            order = order.model_copy(update={"is_planned": is_planned, "offers": offers})
        limits = ChildLimits(
            memory_bytes_max=self.workshop.memory_bytes_max,
            running_seconds_max=kind.timeout_seconds,
            cores_max=self.workshop.cores_max,
        )
        if kind.is_apart:
            assert kind.is_shared
            assert kind.idempotent or kind.resumable  # it is begun again when its child is killed
            running.child = self._shared.apart(order, limits, running.take)
        elif kind.is_shared:
            assert kind.idempotent or kind.resumable  # it may lose its child to another's fault
            is_maker = bool(kind.makes)
            running.child = self._shared.job(order, limits, running.take, is_maker=is_maker)
        else:
            running.child = self._make_child(order, limits, self._environment, running.take)
        self.tally.begun += 1
        self.tally.children += not kind.is_shared or kind.is_apart
        self._running[job_id] = running
        running.task = self._tasks.create_task(self._run(running), name=f"job {job_id}")

    async def errand(self, attempt: Attempt) -> Outcome:
        """Run something for the worker itself, which no journal knows and nobody is told of."""
        kind = self.workshop.kinds[attempt.spec.kind]
        assert kind.is_shared
        assert kind.idempotent
        limits = ChildLimits(
            memory_bytes_max=self.workshop.memory_bytes_max,
            running_seconds_max=kind.timeout_seconds,
            cores_max=self.workshop.cores_max,
        )
        job = self._shared.job(self._order(attempt, {}), limits, lambda _line: None)
        try:
            return await job.run()
        finally:
            job.end(Ending.CANCELLED)

    def answer(self, job_id: JobId, key: str, value: str) -> None:
        """Pass an answer on; a child that is gone needs none."""
        if running := self._running.get(job_id):
            running.child.answer(key, value)

    def parts_ended(self, job_id: JobId, ends: Mapping[PartEnd, int]) -> None:
        """Tell a job that none of its parts is open; a child that is gone asks again."""
        if running := self._running.get(job_id):
            counts = {end.value: ends.get(end, 0) for end in PartEnd}
            running.child.parts_ended(PartsOver.model_validate(counts))

    def step_ended(self, job_id: JobId, number: int, ended: StepEnded) -> None:
        """Tell a job how a step of it came out; a child that is gone asks again."""
        if running := self._running.get(job_id):
            running.child.step_ended(StepOver.model_validate({**asdict(ended), "number": number}))

    def offered(self, job_id: JobId, offers: tuple[Offered, ...]) -> None:
        """Tell a job what the person's workers offer now."""
        if running := self._running.get(job_id):
            running.child.offered(Offers(offers=offers))

    def end(self, job_id: JobId, ending: Ending) -> bool:
        """End a job's tree; False when it was not running."""
        running = self._running.get(job_id)
        if running is None:
            return False
        running.child.end(ending)
        return True

    def refuse(self, job_id: JobId, error: ErrorBody) -> None:
        """End a job's tree; this error is its outcome."""
        if running := self._running.get(job_id):
            running.child.refuse(error)

    async def wind_down(self) -> None:
        """Let jobs that go on later put down what they have in hand; used before `end_all`.

        Nobody is told of their end: the journal keeps them as running, and the next start has them
        begun again.
        """
        those = [
            running
            for running in self._running.values()
            if self.workshop.kinds[running.attempt.spec.kind].is_apart
        ]
        for running in those:
            running.is_silent = True
            running.child.end(Ending.GONE)
        if those:
            await asyncio.wait([running.task for running in those], timeout=WIND_DOWN_SECONDS)

    def end_all(self) -> None:
        """Kill every child without a word; used when this process ends."""
        for running in self._running.values():
            running.is_silent = True
            running.child.end(Ending.CANCELLED)
        self._shared.end()

    async def _run(self, running: _Running) -> None:
        attempt = running.attempt
        job_id = attempt.spec.job_id
        with (
            trace.carried(_place(attempt)),
            structlog.contextvars.bound_contextvars(job_id=job_id, attempt=attempt.number),
        ):
            # Parts are many, and their job tells how far they are.
            say = log.info if attempt.part_of is None else log.debug
            say("job started", kind=attempt.spec.kind)
            told = asyncio.Event()
            async with asyncio.TaskGroup() as tasks:
                teller = tasks.create_task(self._tell(running, told))
                with spans.timed("run", _facts(attempt), sort="consumer"):
                    outcome = await running.child.run()
                told.set()
                running.news.set()
                running.urgent.set()
                await teller
            del self._running[job_id]
            self.tally.ends[outcome.ending] += 1
            say("job ended", ending=outcome.ending, seconds=round(outcome.running_seconds, 1))
            if not running.is_silent:
                self._keep_last_words(job_id, outcome)
                told_outcome = replace(
                    outcome, wishes=running.wishes, wrote=running.wrote, follows=running.follows
                )
                await self._listener.ended(job_id, told_outcome)
                self._clean(job_id, outcome)

    async def _tell(self, running: _Running, ended: asyncio.Event) -> None:
        """Pass on what the child says, questions at once, the rest once a second."""
        job_id = running.attempt.spec.job_id
        while not (ended.is_set() and running.is_told):
            await running.news.wait()
            running.news.clear()
            progress, lines, asking = running.take_news()
            plans, running.plans = running.plans, []
            if running.is_silent:
                continue
            self._pass_on_wanted(running)
            if progress is not None:
                self._listener.progressed(progress)
            for batch in batches(lines):
                await self._listener.logged(job_id, batch)
            for plan in plans:
                await self._listener.planned(job_id, plan)
            if asking is not None:
                await self._listener.asked(job_id, asking)
            elif not ended.is_set():
                # Not `wait_for`: in Python 3.11 it loses a cancellation that comes with the bell.
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(TELL_SECONDS):
                        await running.urgent.wait()
                running.urgent.clear()

    def _pass_on_wanted(self, running: _Running) -> None:
        """Tell which parts and steps a job waits for, and for which no more."""
        job_id = running.attempt.spec.job_id
        wanted, running.wanted = running.wanted, None
        steps, running.steps = running.steps, []
        if wanted is not None:
            self._listener.parts_wanted(job_id, wanted)
        for step in steps:
            if isinstance(step, StepWanted):
                self._listener.step_wanted(job_id, step)
            else:
                self._listener.step_dropped(job_id, step.number)

    def _order(self, attempt: Attempt, known_files: Mapping[str, str]) -> Order:
        workshop = self.workshop
        workdir = workshop.jobs_folder / attempt.spec.job_id
        if not workshop.kinds[attempt.spec.kind].is_shared:
            # There are many of those, and few of them want a folder: it is made when one does.
            workdir.mkdir(parents=True, exist_ok=True, mode=0o700)
        return Order(
            spec=attempt.spec,
            executor=workshop.executors[attempt.spec.kind],
            kinds_at=workshop.kinds_at,
            workdir=str(workdir),
            workspace=str(workshop.workspaces.path(attempt.spec.session_id, workdir)),
            models_folder=str(workshop.models_folder),
            data_folder=str(workshop.data_folder),
            folders=tuple(str(folder) for folder in workshop.folders),
            profile=str(workshop.profile or ""),
            session=session_of(attempt.spec.kind, os.environ),
            memory_bytes_max=workshop.memory_bytes_max,
            threads_max=workshop.threads_max,
            traceparent=str(_place(attempt)),
            attempt=attempt.number,
            worker_id=workshop.worker_id,
            is_timed=spans.is_wanted() and attempt.part_of is None,
            is_quiet=attempt.part_of is not None,
            tries=attempt.postponed,
            may_send=attempt.spec.origin in workshop.send_files,
            known_files=dict(known_files),
        )

    def _keep_last_words(self, job_id: JobId, outcome: Outcome) -> None:
        """Keep what a failed job said last, tracebacks included: on this machine alone."""
        if outcome.tail and outcome.ending not in _QUIET:
            path = self.workshop.jobs_folder / job_id / LAST_WORDS_FILE
            # A full disk must not cost the outcome as well.
            with contextlib.suppress(OSError):
                path.parent.mkdir(exist_ok=True, mode=0o700)
                path.write_text("\n".join(outcome.tail) + "\n", encoding="utf-8")

    def _clean(self, job_id: JobId, outcome: Outcome) -> None:
        """A job that ended well leaves no working folder; others keep theirs for a look."""
        if outcome.ending in (Ending.RESULT, Ending.CANCELLED):
            shutil.rmtree(self.workshop.jobs_folder / job_id, ignore_errors=True)


def _facts(attempt: Attempt) -> dict[str, str | int | float | bool]:
    """Tell what spans say of an attempt."""
    return {"deskhand.job_id": attempt.spec.job_id, "deskhand.kind": attempt.spec.kind}


def _place(attempt: Attempt) -> trace.Trace:
    spec = attempt.spec
    return trace.of_attempt(spec.traceparent, spec.job_id, attempt.number, attempt.fence)


_QUIET = (Ending.RESULT, Ending.CANCELLED, Ending.POSTPONED)
"""Endings whose last words nobody looks for."""


def session_of(kind: str, variables: Mapping[str, str]) -> dict[str, str]:
    """Return what a kind is told of the session the worker runs in: nothing, for almost all."""
    if not kind.startswith(MACHINE):
        return {}
    return {name: variables[name] for name in SESSION if name in variables}


def batches(lines: list[str]) -> Iterator[tuple[str, ...]]:
    """Cut log lines into stretches that fit one event, and so one frame of the line."""
    batch: list[str] = []
    room = LOG_BYTES_MAX
    for line in lines:
        size = len(line.encode())
        if batch and (size > room or len(batch) == LINES_MAX):
            yield tuple(batch)
            batch, room = [], LOG_BYTES_MAX
        batch.append(line)
        room -= size
    if batch:
        yield tuple(batch)


class _Running:
    """A running attempt and what its child said that nobody was told yet."""

    def __init__(self, attempt: Attempt) -> None:
        self.attempt = attempt
        self.child: Worked
        self.task: asyncio.Task[None]
        self.is_silent = False
        self.wishes: tuple[Wish, ...] = ()
        self.wrote = ""
        self.follows: tuple[Following, ...] = ()
        self.wanted: PartsWanted | None = None
        """Parts that it waits for and nobody was told of yet."""
        self.steps: list[StepWanted | StepDropped] = []
        """The same, one by one, and those that it waits for no more."""
        self.plans: list[Planned] = []
        self._plans_seen = 0
        self.news = asyncio.Event()
        self.urgent = asyncio.Event()
        self._progress: Progress | None = None
        self._lines: list[str] = []
        self._asking: Asking | None = None
        self._lines_seen = 0

    @property
    def is_told(self) -> bool:
        return not (self._lines or self._asking or self.wanted or self.steps or self.plans)

    def take(self, line: FromChild) -> None:
        """Note a line of the child."""
        match line:
            case Progressed():
                self._progress = Progress(
                    job_id=self.attempt.spec.job_id,
                    attempt=self.attempt.number,
                    stage=line.stage,
                    done=line.done,
                    total=line.total,
                    eta_seconds=line.eta_seconds,
                )
            case Logged():
                self._note(line.line)
            case Asked():
                self._asking = line.asking
                self.urgent.set()
            case Handed():
                # One too many is enough to be refused.
                self.wishes = (*self.wishes, Wish(line.path, line.name))[: SENDS_MAX + 1]
            case Wrote():
                self.wrote = line.path
            case Parts() | StepLine() | StepDropped() | Planned():
                self._take_wanted(line)
            case Follow():
                following = Following(line.kind, line.inputs)
                self.follows = (*self.follows, following)[:FOLLOWS_MAX]
            case _:
                raise AssertionError(line)
        self.news.set()

    def _take_wanted(self, line: Parts | StepLine | StepDropped | Planned) -> None:
        self.urgent.set()
        match line:
            case Parts():
                self.wanted = PartsWanted(line.kind, line.inputs, line.indexes)
            case StepLine():
                self.steps.append(StepWanted(**line.model_dump(exclude={"type"})))
            case StepDropped():
                self.steps.append(line)
            case Planned():
                self._plans_seen += 1
                if self._plans_seen <= PLANS_MAX:
                    self.plans.append(line)

    def take_news(self) -> tuple[Progress | None, list[str], Asking | None]:
        news = self._progress, self._lines, self._asking
        self._progress, self._lines, self._asking = None, [], None
        return news

    def _note(self, line: str) -> None:
        self._lines_seen += 1
        if self._lines_seen <= LOG_LINES_MAX:
            self._lines.append(line)
        elif self._lines_seen == LOG_LINES_MAX + 1:
            self._lines.append(f"… more than {LOG_LINES_MAX:,} lines; the rest is left out")
