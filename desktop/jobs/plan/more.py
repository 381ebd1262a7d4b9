"""Asks whether a task may have more of everything when its budget is used up; silence is a no."""

from __future__ import annotations

from desktop.jobs.plan.bench import Bench
from shared.plan import StepState
from shared.questions import Asking, Choice, QuestionKind

RAISES_MAX = 5
GO_ON, STOP = "go_on", "stop"


async def is_given(bench: Bench, why: str) -> bool:
    """Have the person say whether to go on, and give as much again if so."""
    now = bench.state.now
    if now.raises >= RAISES_MAX:
        return False
    ledger = bench.state.ledger
    left = [run for run in ledger.runs if run.state is not StepState.DONE]
    answer = await bench.context.ask(
        Asking(
            key=f"budget-{now.raises + 1}",
            kind=QuestionKind.APPROVAL,
            text=f"{why} {len(left)} of {len(ledger.runs)} steps are not done. Go on?",
            choices=(
                Choice(value=GO_ON, label="Go on", detail="with as much again"),
                Choice(value=STOP, label="Stop here", detail="with what is there"),
            ),
            default=STOP,
        )
    )
    if answer != GO_ON:
        return False
    budget = bench.budget(await bench.model(), now.raises + 1)
    bench.state.put(raises=now.raises + 1, ledger=ledger.model_copy(update={"budget": budget}))
    return True
