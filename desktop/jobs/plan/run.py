"""The executor of `plan`: a task in plain words, from its first word to its answer."""

from __future__ import annotations

from desktop.jobs.context import SharedContext
from desktop.jobs.plan import agreeing, composing, conductor
from desktop.jobs.plan.bench import Bench
from desktop.jobs.plan.state import Stage
from shared.errors import BadInput
from shared.kinds.plan import PlanInputs, PlanOutput
from shared.questions import Asking, QuestionKind


async def run(context: SharedContext, inputs: PlanInputs) -> PlanOutput:
    """Plan a task, have the plan approved, carry it out, and answer with sources.

    Raises:
        Postponed: its model is away, or has too much to do; it goes on later.
        LlmFault: what only a person mends.
        AppError: `task_missing`, `models_none`, `model_not_local`, `plan_invalid`,
            `plan_nothing_offered`, `plan_not_done`.
    """
    bench = Bench.of(context, inputs, await _task(context, inputs))
    await bench.model()
    if bench.state.now.stage is Stage.PLANNING and not await agreeing.agreed(bench):
        bench.state.put(stage=Stage.REJECTED)
    if bench.state.now.stage is Stage.REJECTED:
        return _rejected(bench)
    await conductor.carry_out(bench)
    return await composing.composed(bench)


async def _task(context: SharedContext, inputs: PlanInputs) -> str:
    task = (inputs.task or "").strip()
    if not task:
        asking = Asking(
            key="task",
            kind=QuestionKind.CLARIFICATION,
            text="What is to be done? Say it in your own words.",
            allow_text=True,
        )
        task = (await context.ask(asking)).strip()
    if not task:
        raise BadInput("task_missing", "Nothing is to be done.", "Say what, in your own words.")
    return task


def _rejected(bench: Bench) -> PlanOutput:
    now = bench.state.now
    return PlanOutput(
        headline="The plan was rejected; nothing was done.",
        goal=now.plan.goal if now.plan is not None else bench.task,
        is_local=now.is_local,
        model=now.model,
        usage=bench.calls.usage,
        seconds=now.clock.seconds,
    )
