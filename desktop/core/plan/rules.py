"""Whether a plan may be carried out, by code: each rejection names its rule.

`settled` comes first: it takes from a plan what is no matter of taste (a step's permission is at
least its kind's own, text is plain). `faults` then says all that is wrong at once, so that a model
can mend it in one go.
"""

from __future__ import annotations

from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter

from desktop.core.plan.fault import Fault, Rule
from desktop.core.plan.scope import Scope
from desktop.core.plan.spending import TOKENS_OF_A_MODEL_MIN, estimate
from desktop.core.plan.step_rules import step_faults
from shared.plain_text import plain, plain_line
from shared.plan import Permission, Plan, Step

DEPTH_MAX = 8
"""Steps one after the other."""
WIDTH_MAX = 12
"""Steps side by side."""
FAULTS_MAX = 12
"""More are not told at once."""


def settled(plan: Plan, scope: Scope) -> Plan:
    """Return a plan with plain texts, and with what its kinds really do and use at least.

    A model may not claim that a step does less than its kind. Claiming more is left to it: then
    its person is asked.
    """
    return plan.model_copy(
        update={
            "goal": plain(plan.goal).strip(),
            "assumptions": tuple(plain_line(one) for one in plan.assumptions),
            "steps": tuple(_settled(step, scope) for step in plan.steps),
        }
    )


def _settled(step: Step, scope: Scope) -> Step:
    face = scope.face(step.capability)
    permission, tokens = step.permission, step.est_tokens
    if face is not None:
        permission = max(permission, face.permission, key=lambda one: one.rank)
        tokens = max(tokens, TOKENS_OF_A_MODEL_MIN) if face.uses_model else tokens
    return step.model_copy(
        update={
            "title": plain_line(step.title).strip(),
            "instructions": plain(step.instructions),
            "permission": permission,
            "est_tokens": tokens,
        }
    )


def faults(plan: Plan, scope: Scope) -> tuple[Fault, ...]:
    """Say what is wrong with a settled plan; nothing for one that may be carried out.

    Steps of `scope.done` count as there: a plan may name them in `depends_on` and `from_step`.
    """
    found = [*_shape_faults(plan, scope)]
    if not found:
        found = [*_graph_faults(plan, scope)]
    by_id = {step.id: step for step in plan.steps} | dict(scope.done)
    for step in plan.steps:
        found += step_faults(step, by_id, scope)
    found += _budget_faults(plan, scope)
    return tuple(found[:FAULTS_MAX])


def is_free_to_run(plan: Plan, scope: Scope) -> bool:
    """Whether a settled plan without faults needs nobody's approval.

    All its steps only look, by what their kinds are and not by what a model says; its budget holds
    even if every try is needed, which `faults` has seen.
    """
    faces = [scope.face(step.capability) for step in plan.steps]
    return all(
        face is not None and Permission.READ is face.permission is step.permission
        for face, step in zip(faces, plan.steps, strict=True)
    )


def _shape_faults(plan: Plan, scope: Scope) -> Iterator[Fault]:
    """Ids, and what is named by them."""
    seen: set[str] = set()
    if not plan.goal.strip():
        yield Fault(Rule.TEXT_EMPTY, "", "The goal is empty; say in a sentence what is to be done.")
    for step in plan.steps:
        if step.id in seen:
            yield Fault(Rule.ID_TWICE, step.id, "Two steps have this id; give each one its own.")
        if step.id in scope.done:
            yield Fault(
                Rule.ID_DONE,
                step.id,
                "A step of this id is done: use its outputs, and give a new step another id.",
            )
        seen.add(step.id)
    known = seen | scope.done.keys()
    if plan.final not in known:
        yield Fault(
            Rule.FINAL_UNKNOWN, "", f"final is '{plan.final}', which is no step; name one of them."
        )
    for step in plan.steps:
        for name in step.depends_on:
            if name not in known:
                yield Fault(
                    Rule.DEPENDS_UNKNOWN,
                    step.id,
                    f"depends_on names '{name}', which is no step; take it out or name a step.",
                )


def _graph_faults(plan: Plan, scope: Scope) -> Iterator[Fault]:
    edges = {step.id: set(step.depends_on) - scope.done.keys() for step in plan.steps}
    try:
        order = tuple(TopologicalSorter(edges).static_order())
    except CycleError as error:
        names = " -> ".join(error.args[1])
        yield Fault(
            Rule.CYCLE, error.args[1][0], f"Steps wait for each other: {names}; break the circle."
        )
        return
    depth: dict[str, int] = {}
    for name in order:
        depth[name] = 1 + max((depth[before] for before in edges[name]), default=0)
    yield from _size_faults(depth)
    yield from _unused(plan, edges, scope)
    yield from _seconds_faults(plan, order, edges, scope)


def _size_faults(depth: dict[str, int]) -> Iterator[Fault]:
    if max(depth.values()) > DEPTH_MAX:
        yield Fault(
            Rule.TOO_DEEP,
            "",
            f"{max(depth.values())} steps come one after the other; {DEPTH_MAX} may. Join some.",
        )
    widths = [list(depth.values()).count(level) for level in set(depth.values())]
    if max(widths) > WIDTH_MAX:
        yield Fault(
            Rule.TOO_WIDE,
            "",
            f"{max(widths)} steps stand side by side; {WIDTH_MAX} may. Join some.",
        )


def _unused(plan: Plan, edges: dict[str, set[str]], scope: Scope) -> Iterator[Fault]:
    """A step that only looks has to lead to the final one; one with an effect may be an end."""
    useful, ahead = set[str](), [plan.final]
    ahead += [step.id for step in plan.steps if step.permission is not Permission.READ]
    while ahead:
        name = ahead.pop()
        if name not in useful:
            useful.add(name)
            ahead += edges.get(name, ())
    for step in plan.steps:
        if step.id not in useful:
            yield Fault(
                Rule.STEP_UNUSED,
                step.id,
                f"Nothing comes of this step: have '{plan.final}' depend on it, or leave it out.",
            )


def _seconds_faults(
    plan: Plan, order: tuple[str, ...], edges: dict[str, set[str]], scope: Scope
) -> Iterator[Fault]:
    by_id = {step.id: step for step in plan.steps}
    ends: dict[str, int] = {}
    for name in order:
        before = max((ends[one] for one in edges[name]), default=0)
        ends[name] = before + by_id[name].max_seconds
    left = scope.budget.seconds_max - scope.spent.seconds
    if max(ends.values()) > left:
        yield Fault(
            Rule.SECONDS,
            "",
            f"Its steps may take {max(ends.values()):,} s one after the other; {max(0, left):,.0f} "
            "s are left. Lower max_seconds, or have fewer steps.",
        )


def _budget_faults(plan: Plan, scope: Scope) -> Iterator[Fault]:
    budget, spent = scope.budget, scope.spent
    tokens, left = estimate(plan.steps), budget.tokens_max - spent.tokens
    if tokens > left:
        yield Fault(
            Rule.TOKENS,
            "",
            f"It may use {tokens:,} tokens (est_tokens times max_attempts of all steps); "
            f"{max(0, left):,} are left. Have fewer or smaller steps, or fewer attempts.",
        )
    cost = tokens * (budget.usd_per_token or 0.0)
    money = budget.cost_usd_max - spent.cost_usd
    if cost > money:
        yield Fault(
            Rule.COST,
            "",
            f"It may cost {cost:.2f} $; {max(0.0, money):.2f} $ are left. Use fewer tokens.",
        )
    jobs = budget.jobs_max - spent.jobs
    if len(plan.steps) > jobs:
        yield Fault(
            Rule.JOBS, "", f"It has {len(plan.steps)} steps; {max(0, jobs)} may be. Join some."
        )
