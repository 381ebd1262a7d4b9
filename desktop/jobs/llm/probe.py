"""Asks one cell of a run, or one scenario on its own, to its end.

    transcripts ─▶ finished turns ─▶ converse ─▶ turn by turn ─▶ transcripts ─▶ how it came out
                                        └─ a call failed: again later (Postponed), or for good

As a program of its own (`python -m desktop.jobs.llm.probe`): see `probe_program`.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import random
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

from desktop.core.llm.fault import FaultClass, LlmFault
from desktop.core.llm.model_name import find_model
from desktop.core.llm.scenarios import single
from desktop.core.llm.types import CellEnd, CellState, Message, Model, Reply, Turn
from desktop.core.llm.waits import backoff_seconds
from desktop.core.postponing import POSTPONES_MAX
from desktop.jobs.context import Postponed, SharedContext
from desktop.jobs.llm.conversation import Calls, converse, cost_usd, outcome
from desktop.jobs.llm.house import house_of
from desktop.jobs.llm.keeping import transcripts_of
from desktop.jobs.llm.lane import NotCalled
from desktop.store.transcripts.records import NewRun, Probe, sum_of
from desktop.store.transcripts.transcripts import Transcripts
from shared.errors import BadInput
from shared.kinds.llm import ProbeInputs, ProbeOutput
from shared.plain_text import plain_line

CALLS_MAX = 20
"""Failed calls of one probe at limits and overloads: about half an hour if nobody names a wait."""
BROKEN_CALLS_MAX = 8
"""Failed calls of one probe when nothing answers, or errors alone do: about four minutes."""


async def run(context: SharedContext, inputs: ProbeInputs) -> ProbeOutput:
    """Ask what was not asked yet of a cell.

    Raises:
        Postponed: the call is to be made again later.
        LlmFault: it came to nothing, for good.
        BadInput: `probe_of_nothing`, `definition_wrong`.
        NotFound: `run_unknown`, `cell_unknown`.
    """
    kept = transcripts_of(context)
    run_id, index = await _cell(kept, context, inputs)
    probe = await kept.probe(run_id, index)
    if probe.end is None:
        probe = await _Asking(context, kept, probe).ask()
    return output_of(probe)


async def _cell(kept: Transcripts, context: SharedContext, inputs: ProbeInputs) -> tuple[str, int]:
    """Find the cell; a scenario on its own gets a run of its own, under this job's id."""
    if inputs.run is not None:
        return inputs.run, inputs.index
    if inputs.scenario is None or inputs.model is None:
        raise BadInput(
            "probe_of_nothing",
            "A probe needs a run and an index, or a scenario and a model.",
            "/probe FILE MODELS asks a whole file.",
        )
    scenario = single(inputs.scenario)
    snapshot = json.dumps(inputs.scenario, sort_keys=True, ensure_ascii=False)
    new = NewRun(
        run_id=context.job_id,
        name=scenario.id,
        definition=snapshot,
        sha256=hashlib.sha256(snapshot.encode()).hexdigest(),
        scenarios=(scenario,),
        models=(inputs.model,),
        at=datetime.now(UTC),
    )
    await kept.make_run(new)
    return new.run_id, 0


class FailedCalls:
    """How many calls of a probe brought nothing, over all its tries in this process."""

    def __init__(self) -> None:
        self._counts: Counter[tuple[str, int]] = Counter()

    def of(self, probe: Probe) -> int:
        return self._counts[probe.cell.run_id, probe.cell.index]

    def keep(self, probe: Probe, count: int) -> None:
        self._counts[probe.cell.run_id, probe.cell.index] = count

    def forget(self, probe: Probe) -> None:
        self._counts.pop((probe.cell.run_id, probe.cell.index), None)

    async def aclose(self) -> None:
        self._counts.clear()


class _Asking:
    """One try at a cell."""

    def __init__(self, context: SharedContext, kept: Transcripts, probe: Probe) -> None:
        self._context = context
        self._kept = kept
        self._probe = probe
        self._failed_calls = context.shared(FailedCalls, FailedCalls)
        self._calls = Calls(before=self._failed_calls.of(probe))
        self._turns = list(probe.turns)

    async def ask(self) -> Probe:
        """Ask to the end; return the cell with it."""
        try:
            model = find_model(self._probe.cell.model, self._context.endpoints)
            await self._converse(model)
        except LlmFault as fault:
            return await self._failed(fault)
        came = outcome(self._probe.scenario, self._turns)
        return await self._ended(
            CellEnd(
                state=came.state,
                choice=came.choice,
                cost_usd=cost_usd(model, self._turns),
                attempts=self._context.tries + 1,
            )
        )

    async def _converse(self, model: Model) -> None:
        house = house_of(self._context)
        sampling = self._probe.scenario.with_seed(self._probe.seed)

        async def ask(messages: Sequence[Message]) -> Reply:
            return await house.call(model, messages, sampling)

        await converse(
            self._probe.scenario, self._probe.turns, ask=ask, keep=self._keep, calls=self._calls
        )

    async def _keep(self, turn: Turn) -> None:
        await self._kept.save_turn(self._probe.cell.run_id, self._probe.cell.index, turn)
        self._turns.append(turn)
        self._failed_calls.forget(self._probe)

    async def _failed(self, fault: LlmFault) -> Probe:
        """Have it tried again, or end the cell: what a filter refused is a result."""
        if isinstance(fault, NotCalled):
            self._calls.failed = max(0, self._calls.failed - 1)
        count = self._calls.before + self._calls.failed
        is_last = _is_for_good(fault, count) or self._context.tries >= POSTPONES_MAX
        if fault.fault is not FaultClass.CONTENT_FILTER and not is_last:
            await self._note(fault, count)
            wait = backoff_seconds(max(count, 1), random.random(), fault.wait_seconds)  # noqa: S311
            raise Postponed(fault, wait) from None
        fault.for_good()
        is_result = fault.fault is FaultClass.CONTENT_FILTER
        probe = await self._ended(
            CellEnd(
                state=CellState.REFUSED if is_result else CellState.FAILED,
                fault=fault.fault.value,
                message=str(fault),
                cost_usd=self._spent(),
                attempts=self._context.tries + 1,
            )
        )
        if is_result:
            return probe
        raise fault from None

    def _spent(self) -> float | None:
        """What was answered before a conversation broke off has been paid for."""
        with contextlib.suppress(LlmFault):
            model = find_model(self._probe.cell.model, self._context.endpoints)
            return cost_usd(model, self._turns) if self._turns else None
        return None

    async def _note(self, fault: LlmFault, count: int) -> None:
        self._failed_calls.keep(self._probe, count)
        cell = self._probe.cell
        await self._kept.note_fault(cell.run_id, cell.index, fault.fault.value, str(fault))

    async def _ended(self, end: CellEnd) -> Probe:
        self._failed_calls.forget(self._probe)
        cell = self._probe.cell
        if not await self._kept.end_cell(cell.run_id, cell.index, end):
            return await self._kept.probe(cell.run_id, cell.index)
        return replace(self._probe, turns=tuple(self._turns), end=end)


def _is_for_good(fault: LlmFault, failed_calls: int) -> bool:
    if isinstance(fault, NotCalled) and (fault.retryable or fault.fault is FaultClass.CANCELLED):
        return False
    if not fault.retryable or fault.fault is FaultClass.INVALID_RESPONSE:
        return True
    return failed_calls >= (CALLS_MAX if fault.fault.is_of_the_pace else BROKEN_CALLS_MAX)


def output_of(probe: Probe) -> ProbeOutput:
    """Tell the facts of a cell that was asked to its end; its words stay here.

    Raises:
        LlmFault: as it failed.
    """
    end, turns = probe.end, probe.turns
    assert end is not None
    if end.state is CellState.FAILED:
        raise LlmFault(FaultClass(end.fault), end.message).for_good()
    return ProbeOutput(
        headline=_headline(probe, end),
        run=probe.cell.run_id,
        index=probe.cell.index,
        scenario=probe.cell.scenario,
        model=probe.cell.model,
        model_reported=turns[-1].reply.model_reported if turns else "",
        repeat=probe.cell.repeat,
        state="refused" if end.state is CellState.REFUSED else "answered",
        choice=end.choice,
        turns=len(turns),
        usage=sum_of([turn.reply.usage for turn in turns]),
        cost_usd=end.cost_usd,
        total_ms=sum(turn.reply.total_ms for turn in turns),
        attempts=end.attempts,
    )


def _headline(probe: Probe, end: CellEnd) -> str:
    told = "refused" if end.state is CellState.REFUSED else end.choice or "answered"
    return plain_line(f"{probe.cell.scenario} · {probe.cell.model}: {told}")


if __name__ == "__main__":
    from desktop.jobs.llm import probe_program

    sys.exit(probe_program.main())
