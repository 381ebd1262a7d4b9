"""Carries an approved plan out: begins what is ready, sees what came of it, plans the rest anew.

    next_of ─▶ Begin ──▶ started, saved ──▶ context.step ──▶ criteria ──▶ ended, saved ──┐
       ▲  ├──▶ Wait                                                                     │
       │  ├──▶ Replan ──▶ agreed                                                        │
       │  └──▶ Compose                                                                  │
       └────────────────────────────────────────────────────────────────────────────────┘

What comes next is decided by `desktop.core.plan.going_on`. A step's job has its number before it is
asked for, so that after a crash the same job is found again.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pydantic import JsonValue

from desktop.core.plan import binding, criteria, going_on, telling
from desktop.core.plan import ledger as ledgers
from desktop.core.plan.going_on import Begin, Compose, Next, Replan, Wait
from desktop.core.plan.ledger import Ledger, StepRun
from desktop.core.plan.spending import seconds_left
from desktop.jobs.context import Postponed
from desktop.jobs.plan import agreeing, more, planner
from desktop.jobs.plan.bench import Bench
from desktop.jobs.plan.judging import fault_of
from desktop.jobs.plan.sources import brought_by, usage_in
from desktop.jobs.plan.state import Stage
from desktop.store.transcripts.records import sum_of
from shared.capabilities import family_of
from shared.errors import AppError, BadInput
from shared.ids import JobId
from shared.kinds import Kind
from shared.plan import Permission, PlanStage, StepEnded, StepState
from shared.questions import QUESTION_SECONDS

TITLES_CHARS_MAX = 160


@dataclass(frozen=True, slots=True)
class Ended:
    """How one try of a step came out, with what was seen of it."""

    step_id: str
    end: StepEnded
    outputs: Mapping[str, JsonValue]
    faults: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PutOff:
    """A step that has ended could not be judged now; nothing of it is lost."""

    step_id: str
    why: Postponed


async def carry_out(bench: Bench) -> None:
    """Bring a plan to where nothing more is to be done, and say so in the state.

    Raises:
        Postponed: the plan's model is away; steps that ran have ended.
        AppError: what only a person mends.
    """
    conductor = Conductor(bench)
    while bench.state.now.stage is Stage.RUNNING:
        match await conductor.until_still():
            case Replan(why=why):
                await _plan_the_rest(bench, why)
            case Compose() as end if end.is_over_budget and await more.is_given(bench, end.why):
                pass
            case Compose(is_partial=is_partial, why=why):
                bench.state.put(stage=Stage.COMPOSING, is_partial=is_partial, ending=why)


async def _plan_the_rest(bench: Bench, why: str) -> None:
    """Have what is unfinished planned anew; a plan that cannot be had ends the steps."""
    bench.state.put(why=bench.state.now.why or why)
    try:
        if await agreeing.agreed(bench):
            return
        refused = "Its person does not want the new plan."
    except BadInput as error:
        if error.code not in (planner.INVALID, planner.OVER_BUDGET):
            raise
        refused = error.message
        if error.code == planner.OVER_BUDGET and await more.is_given(bench, why):
            return
    ledger = ledgers.replan_failed(bench.state.ledger, refused)
    bench.state.put(ledger=ledger, plan=None, changes=(), why="", lines=(), tries=0)


class Conductor:
    """One attempt at carrying a plan out."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self._open: dict[str, asyncio.Task[None]] = {}
        """Steps whose jobs run, or are being judged."""
        self._ends: asyncio.Queue[Ended | PutOff] = asyncio.Queue()
        self._looked_at = 0.0
        """When the clock was last read, while steps run."""

    async def until_still(self) -> Replan | Compose:
        """Carry out until nothing runs and nothing can begin; return what comes then."""
        put_off: Postponed | None = None
        async with asyncio.TaskGroup() as group:
            # What ran when an attempt before this one ended is waited for again, by its number.
            self._start([run.step.id for run in self._ledger.in_state(StepState.RUNNING)], group)
            while True:
                coming = self._next() if put_off is None else Wait()
                if isinstance(coming, Begin):
                    self._begin(coming, group)
                elif self._open:
                    put_off = self._take(await self._ends.get()) or put_off
                else:
                    break
                await self._tell()
        if put_off is not None:
            raise put_off
        assert isinstance(coming, Replan | Compose), "nothing runs, and nothing waits"
        return coming

    @property
    def _ledger(self) -> Ledger:
        return self._bench.state.ledger

    def _next(self) -> Next:
        """Decide with all that was used so far, the plan's own calls among it."""
        ledger = ledgers.used(self._ledger, self._bench.calls.spent)
        return going_on.next_of(ledgers.elapsed(ledger, self._bench.state.now.clock.seconds))

    def _begin(self, begin: Begin, group: asyncio.TaskGroup) -> None:
        """Have it on the disk that steps begin, then begin them."""
        ledger = self._ledger
        for step_id in begin.steps:
            ledger = ledgers.started(ledger, step_id)
        self._bench.state.put(ledger=ledger)
        self._start(begin.steps, group)

    def _start(self, steps: Sequence[str], group: asyncio.TaskGroup) -> None:
        if not self._open:
            self._looked_at = time.monotonic()
        for step_id in steps:
            self._open[step_id] = group.create_task(self._step(self._ledger.run(step_id)))

    async def _step(self, run: StepRun) -> None:
        """Have one try of a step made, and judge what came of it."""
        kind = (await self._bench.scope()).kinds[run.step.capability]
        end = await self._ended(run, kind)
        outputs = binding.outputs_of(kind, end)
        try:
            faults = await self._faults(run, end, outputs)
        except Postponed as why:
            self._ends.put_nowait(PutOff(run.step.id, why))
        else:
            self._ends.put_nowait(Ended(run.step.id, end, outputs, faults))

    async def _ended(self, run: StepRun, kind: Kind) -> StepEnded:
        try:
            bound = await self._bound(run, kind)
        except BadInput as error:
            return _failed(run, error)
        for name in bound.cuts:
            self._bench.context.log(f"{run.step.title}: {name} was too long and was cut.")
        seconds = self._seconds_max(run)
        try:
            async with asyncio.timeout(seconds):
                return await self._bench.context.step(
                    run.number, run.step.capability, bound.inputs, title=run.step.title
                )
        except TimeoutError:
            text = f"It took longer than {seconds or 0:,.0f} s and was stopped."
            return _failed(run, AppError("step_timeout", text))

    async def _bound(self, run: StepRun, kind: Kind) -> binding.Bound:
        model = await self._bench.model()
        scope = await self._bench.scope()
        # Agents have a model of the owner's choice; other machines have endpoints of their own.
        is_passed_on = family_of(kind.name) != "code" and not scope.where(kind.name)
        return binding.bound(
            run.step,
            kind,
            self._ledger.outputs,
            is_local=scope.is_local,
            model=model.full_name if is_passed_on else "",
            errors=run.errors,
        )

    def _seconds_max(self, run: StepRun) -> float | None:
        """Bound what only looks; a step that may ask for a yes waits as long as its person does.

        Its kind's own limit holds in any case, and does not count the waiting.
        """
        if run.step.permission is not Permission.READ:
            return None
        ledger = ledgers.elapsed(self._ledger, self._bench.state.now.clock.seconds)
        return seconds_left(ledger.budget, ledger.spent, run.step) + QUESTION_SECONDS

    async def _faults(
        self, run: StepRun, end: StepEnded, outputs: Mapping[str, JsonValue]
    ) -> tuple[str, ...]:
        if end.state != "succeeded":
            return ()
        verdict = criteria.judged(run.step, outputs, end.output or {})
        if verdict.faults:
            return verdict.faults
        for number, judging in enumerate(verdict.judgings, start=1):
            fault = await fault_of(self._bench, run, number, judging, outputs)
            if fault:
                return (fault,)
        return ()

    def _take(self, ended: Ended | PutOff) -> Postponed | None:
        """Have it on the disk how a step came out, all of it at once."""
        del self._open[ended.step_id]
        if isinstance(ended, PutOff):
            return ended.why
        now = self._bench.state.now
        at = time.monotonic()
        clock = now.clock.model_copy(
            update={
                "beside": now.clock.beside + at - self._looked_at,
                "steps": now.clock.steps + max(0.0, ended.end.seconds),
            }
        )
        self._looked_at = at
        ledger = ledgers.ended(
            self._ledger, ended.step_id, ended.end, outputs=ended.outputs, faults=ended.faults
        )
        brought, usage = now.brought, sum_of([now.usage, usage_in(ended.end)])
        if ledger.run(ended.step_id).state is StepState.DONE:
            brought = {**brought, ended.step_id: brought_by(ended.end)}
        self._bench.state.put(ledger=ledger, clock=clock, brought=brought, usage=usage)
        return None

    async def _tell(self) -> None:
        """Tell people how every step stands."""
        ledger, now = self._ledger, self._bench.state.now
        shown = telling.shown(
            ledger.plan, await self._bench.scope(), ledger=ledger, model=now.model
        )
        self._bench.context.show_plan(PlanStage.RUNNING, shown)
        done, total = len(ledger.in_state(StepState.DONE)), len(ledger.runs)
        titles = ", ".join(run.step.title for run in ledger.in_state(StepState.RUNNING))
        stage = f"{min(done + 1, total)} of {total}: {titles}" if titles else f"{done} of {total}"
        self._bench.context.progress(stage[:TITLES_CHARS_MAX], done, total)


def _failed(run: StepRun, error: AppError) -> StepEnded:
    """Tell as a step's end what kept its job from beginning, or from ending."""
    return StepEnded(job_id=JobId(""), state="failed", error=str(error), code=error.code)
