"""llm.run: puts the scenarios of a definition to several models, and counts what comes back.

    definition ─▶ cells ─▶ kept ─▶ health ─▶ parts (llm.probe) ─▶ counted ─▶ llm.stats follows
                                               ▲   │ refused key or account: a person is asked once
                                               └───┘ failed ones again, when they say so

The transcripts are what a run is: begun anew after a crash, or gone on with by `again`, it asks
the cells that have no end, and none twice.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path

from desktop.core.llm.fault import FaultClass
from desktop.core.llm.types import CellState
from desktop.jobs.context import SharedContext
from desktop.jobs.llm import prices, readiness, run_plan, run_words
from desktop.jobs.llm.asked import Asked
from desktop.jobs.llm.house import house_of
from desktop.jobs.llm.keeping import transcripts_of
from desktop.store.transcripts import opening, pages, reading
from desktop.store.transcripts.records import Run, Wanted
from desktop.store.transcripts.transcripts import Transcripts
from shared.errors import AppError, NotFound
from shared.kinds.llm import RunInputs, RunOutput

STATISTICS = "llm.stats"


async def run(context: SharedContext, inputs: RunInputs) -> RunOutput:
    """Ask all cells of a run that have no end.

    Raises:
        AppError: as `run_plan.plan` and `health`; the fault of most probes when none was answered.
    """
    began = asyncio.get_running_loop().time()
    kept = transcripts_of(context)
    found = await _begun(context, inputs, kept)
    asked = Asked(context, kept, found.run_id, house_of(context))
    await asked.all(inputs.cost_usd_max)
    ended = await asked.look()
    if not (ended.answered or ended.refused):
        raise await _nothing(kept, ended)
    if ended.cost_usd:
        context.log(f"Cost by the table of {prices.table(datetime.now(UTC).date())}.")
    context.follow(STATISTICS, {"run": ended.run_id})
    return run_words.output(ended, seconds=asyncio.get_running_loop().time() - began)


async def _begun(context: SharedContext, inputs: RunInputs, kept: Transcripts) -> Run:
    """Return the run to ask: the one to go on with, the one begun before a crash, or a new one."""
    if inputs.again is not None:
        run_id = await kept.look(lambda connection: reading.run_named(connection, inputs.again))
        await _go_on(context, kept, await kept.run(run_id))
        return await kept.run(run_id)
    try:
        return await kept.run(context.job_id)
    except NotFound:
        pass
    for aside in await asyncio.to_thread(opening.set_aside, context.data_folder):
        context.log(
            f"⚠ Transcripts were damaged and set aside: {aside}. What is in it is asked anew."
        )
    plan = await run_plan.plan(context, inputs)
    if left_out := await readiness.ready(context, plan.models):
        plan = plan.without(left_out)
    await kept.make_run(plan.new_run(context.job_id, datetime.now(UTC)))
    return await kept.run(context.job_id)


async def _go_on(context: SharedContext, kept: Transcripts, found: Run) -> None:
    """Open failed cells again, once: what fails from here on fails also after a crash."""
    mark = context.workdir / "reopened"
    if await asyncio.to_thread(mark.exists):
        return
    models = run_plan.known(found.models, context.endpoints)
    left_out = await readiness.ready(context, list(models.values()))
    wanted = [name for name, at in models.items() if at.endpoint.name not in left_out]
    await kept.reopen_cells(found.run_id, models=wanted)
    await asyncio.to_thread(_touch, mark)


def _touch(mark: Path) -> None:
    mark.parent.mkdir(parents=True, exist_ok=True)
    mark.touch()


async def _nothing(kept: Transcripts, ended: Run) -> AppError:
    """Say why a run came to nothing, in the words of its most frequent fault."""
    fault = next(iter(ended.faults), "")
    wanted = Wanted(state=CellState.FAILED, fault=fault)
    page = await kept.look(lambda c: pages.cells(c, ended.run_id, wanted, count=1))
    said = page.cells[0].message if page.cells else "No probe was asked."
    return AppError(
        FaultClass(fault).code if fault in FaultClass.__members__ else "nothing_answered",
        f"{run_words.titled(ended.name)}: none of {run_words.waiting(ended.total)} was answered."
        f" {said}",
        "Go on with the run when that is mended; nothing is asked twice.",
    )
