"""What comes next in a running plan: steps to begin, waiting, a new plan of the rest, the end.

Asked again after each change of the ledger. Before anything begins, its cost is held against what
is left; nothing begins before what it depends on is done.
"""

from __future__ import annotations

from dataclasses import dataclass

from desktop.core.plan.ledger import Ledger, StepRun
from desktop.core.plan.spending import shortage
from shared.plan import StepState

WIDTH_MAX = 4
"""Steps that run at once."""
STALLS_MAX = 3
"""Tries in a row that bring nothing; then the rest is planned anew."""
REPLANS_MAX = 2


@dataclass(frozen=True, slots=True)
class Begin:
    """Begin these steps now, in this order; ask again after each `started`, or when one ends."""

    steps: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Wait:
    """Steps run; nothing begins until one of them ends."""


@dataclass(frozen=True, slots=True)
class Replan:
    """Nothing runs, and what is left cannot be done as planned: plan the rest anew."""

    why: str
    """Sentences, for the model and for people."""


@dataclass(frozen=True, slots=True)
class Compose:
    """Nothing more is to be done: write the answer."""

    is_partial: bool
    why: str = ""
    """What was left undone, and why; empty when all was done."""
    is_over_budget: bool = False
    """More of what was used up would let it go on."""


Next = Begin | Wait | Replan | Compose


def next_of(ledger: Ledger) -> Next:
    """Decide what comes next."""
    running = ledger.in_state(StepState.RUNNING)
    ready = () if ledger.stalls >= STALLS_MAX else ready_steps(ledger)
    chosen, short = _affordable(ledger, ready, running)
    if chosen:
        return Begin(tuple(run.step.id for run in chosen))
    if running:
        return Wait()
    if short:
        return Compose(is_partial=True, why=f"The budget ends it: {short}.", is_over_budget=True)
    undone = [run for run in ledger.runs if run.state is not StepState.DONE]
    if not undone:
        return Compose(is_partial=False)
    why = _why(ledger)
    if ledger.replans < REPLANS_MAX and not any(run.is_stopped for run in undone):
        return Replan(why)
    return Compose(is_partial=True, why=why)


def ready_steps(ledger: Ledger) -> tuple[StepRun, ...]:
    """Return the steps that wait for nothing but their turn, by their numbers."""
    done = ledger.done
    return tuple(
        run
        for run in ledger.in_state(StepState.WAITING)
        if all(name in done for name in run.step.depends_on)
    )


def _affordable(
    ledger: Ledger, ready: tuple[StepRun, ...], running: tuple[StepRun, ...]
) -> tuple[list[StepRun], str]:
    """Return what may begin now, and why the first that may not goes over the budget."""
    chosen: list[StepRun] = []
    spent = ledger.spent
    for run in ready[: max(0, WIDTH_MAX - len(running))]:
        beside = [one.step for one in (*running, *chosen)]
        short = shortage(ledger.budget, spent, run.step, running=beside)
        if short:
            return chosen, short
        chosen.append(run)
        spent = spent.model_copy(update={"jobs": spent.jobs + 1})
    return chosen, ""


def _why(ledger: Ledger) -> str:
    failed = ledger.in_state(StepState.FAILED)
    said = [f"'{run.step.title}' failed: {run.errors[-1]}" for run in failed if run.errors]
    if ledger.stalls >= STALLS_MAX:
        said.append(f"{ledger.stalls} tries in a row brought nothing.")
    return " ".join(said) or "Steps could not be done."
