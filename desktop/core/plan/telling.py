"""Tells a plan in words: for the event `job_planned`, for the approval question, as differences."""

from __future__ import annotations

from collections.abc import Iterable

from desktop.core.plan.ledger import Ledger, StepRun, ordered
from desktop.core.plan.scope import Scope
from desktop.core.plan.spending import Budget, estimate
from shared.plain_text import plain_line
from shared.plan import Permission, Plan, ShownPlan, ShownStep, Step, StepState

WORDS_OF: dict[Permission, str] = {
    Permission.READ: "",
    Permission.WRITE: "writes files",
    Permission.EXECUTE: "runs programs",
    Permission.SPEND: "costs money",
    Permission.EXTERNAL: "others see it",
}
DIFFERENCES_MAX = 12


def shown(plan: Plan, scope: Scope, *, ledger: Ledger | None = None, model: str = "") -> ShownPlan:
    """Return a plan as the event `job_planned` tells it.

    Args:
        plan: settled and without faults; the new one when it is proposed after others.
        scope: in which it was checked.
        ledger: of the job, once there is one; with steps that were given up before.
        model: the one that planned, "endpoint:model".
    """
    ids = {step.id for step in plan.steps}
    past = tuple(run for run in ledger.past if run.step.id not in ids) if ledger is not None else ()
    known = ledger.runs + past if ledger is not None else ()
    same = {run.step.id: run for run in (ledger.runs if ledger is not None else ())}
    first = ledger.numbers if ledger is not None else 0
    fresh: list[StepRun] = []
    for step in ordered(plan.steps):
        if same.get(step.id) is None or same[step.id].step != step:
            fresh.append(StepRun(step=step, number=first + len(fresh)))
    kept = [run for run in known if not fresh or run.state is not StepState.WAITING]
    runs = sorted([*kept, *fresh], key=lambda run: run.number)
    return ShownPlan(
        goal=plan.goal,
        assumptions=plan.assumptions,
        steps=tuple(_shown(run, scope) for run in runs),
        seconds=seconds_of(plan.steps),
        tokens=estimate(plan.steps),
        cost_usd=cost_of(plan.steps, scope.budget),
        is_local=scope.is_local,
        model=plain_line(model)[:200],
    )


def _shown(run: StepRun, scope: Scope) -> ShownStep:
    return ShownStep(
        id=run.step.id,
        number=run.number + 1,
        title=run.step.title,
        kind=run.step.capability,
        depends_on=run.step.depends_on,
        permission=run.step.permission,
        state=run.state,
        worker=plain_line(scope.where(run.step.capability))[:100],
        job_id=run.job_id,
        note=(run.headline or (run.errors[-1] if run.errors else ""))[:400],
    )


def listing(plan: Plan, scope: Scope) -> str:
    """Write a plan as a list that people read before they say yes."""
    steps = ordered(plan.steps)
    numbers = {step.id: number for number, step in enumerate(steps, 1)}
    lines = [f"Plan ({summary(plan, scope)}): {plan.goal}"]
    lines += [f"{numbers[step.id]}. {_line(step, numbers, scope)}" for step in steps]
    lines += [f"Assumed: {one}" for one in plan.assumptions]
    if scope.is_local:
        lines.append("No model outside this machine and its own network is used.")
    return "\n".join(lines)


def _line(step: Step, numbers: dict[str, int], scope: Scope) -> str:
    after = sorted(numbers[name] for name in step.depends_on if name in numbers)
    facts = [
        step.capability,
        scope.where(step.capability),
        WORDS_OF[step.permission],
        f"after {', '.join(map(str, after))}" if after else "",
    ]
    return f"{step.title} ({', '.join(filter(None, facts))})"


def summary(plan: Plan, scope: Scope) -> str:
    """Say in a few words how large a plan is: "4 steps, about 3 minutes, at most 0.40 $"."""
    count = len(plan.steps)
    cost = cost_of(plan.steps, scope.budget)
    words = [
        f"{count} step{'s' if count > 1 else ''}",
        f"at most {duration(seconds_of(plan.steps))}",
    ]
    if cost is None:
        words.append(f"at most {estimate(plan.steps):,} tokens")
    elif cost:
        words.append(f"at most {cost:.2f} $")
    return ", ".join(words)


def seconds_of(steps: Iterable[Step]) -> int:
    """Return how long steps take one after the other where they have to, by their own bounds."""
    ends: dict[str, int] = {}
    for step in ordered(steps):
        ends[step.id] = step.max_seconds + max(
            (ends.get(one, 0) for one in step.depends_on), default=0
        )
    return max(ends.values(), default=0)


def cost_of(steps: Iterable[Step], budget: Budget) -> float | None:
    """Return what steps cost at most by their own estimates; None when no price is known."""
    tokens = estimate(steps)
    if not tokens:
        return 0.0
    return None if budget.usd_per_token is None else tokens * budget.usd_per_token


def duration(seconds: float) -> str:
    """Say a duration in its largest unit."""
    for unit, size in (("hour", 3600), ("minute", 60)):
        if seconds >= size:
            count = round(seconds / size)
            return f"{count} {unit}{'s' if count > 1 else ''}"
    return f"{round(seconds)} s"


def differences(before: Plan, after: Plan) -> tuple[str, ...]:
    """Say in sentences what another plan does otherwise."""
    old = {step.id: step for step in before.steps}
    new = {step.id: step for step in after.steps}
    said = [f"New: {step.title}" for name, step in new.items() if name not in old]
    said += [f"Left out: {step.title}" for name, step in old.items() if name not in new]
    for name in old.keys() & new.keys():
        said += _changes(old[name], new[name])
    if before.goal != after.goal:
        said.insert(0, f"The goal is now: {after.goal}")
    if len(said) > DIFFERENCES_MAX:
        said = [*said[: DIFFERENCES_MAX - 1], f"And {len(said) - DIFFERENCES_MAX + 1} more."]
    return tuple(said)


def _changes(old: Step, new: Step) -> list[str]:
    if old == new:
        return []
    if old.capability != new.capability:
        return [f"'{new.title}' is done by {new.capability} instead of {old.capability}"]
    if old.permission is not new.permission:
        return [f"'{new.title}' needs {new.permission} instead of {old.permission}"]
    if set(old.depends_on) != set(new.depends_on):
        return [f"'{new.title}' comes at another place"]
    return [f"'{new.title}' is done in another way"]
