"""Which steps could carry words of the person's own files out of their machines.

An address, or words to search for, are seen by whoever runs the place they go to. What such a step
is given may come from a file by way of a model, and a file may hold words that want to be carried
out: plans with such steps are never begun without a yes, however little they change.
"""

from __future__ import annotations

from collections.abc import Iterable

from desktop.core.plan.scope import Scope
from shared.capabilities import family_of
from shared.plan import Plan, Step

OPEN_FAMILIES = frozenset({"llm", "web"})
"""Kinds of these know nothing of the person's machines but what they are given."""


def leaving(plan: Plan, scope: Scope, tried: Iterable[Step] = ()) -> tuple[Step, ...]:
    """Return the steps of a settled plan that go out with what may stem from private files.

    A plan of the rest was written by a model that has read what was done, and why the rest was not:
    whatever it puts into a new step may stem from there.

    Args:
        plan: settled.
        scope: what it is held to.
        tried: steps of plans before that ran, however they ended: why one failed may quote a file.
    """
    known = {step.id: step for step in plan.steps} | dict(scope.done)
    private = _private(known, scope)
    has_read_private = any(step_id in private for step_id in scope.done)
    # Not by their ids: a plan of the rest may give a failed step's id to another.
    has_read_private |= any(_reads_private(step, scope) for step in tried)
    return tuple(
        step
        for step in plan.steps
        if step.id not in scope.done
        and _goes_out(step, scope)
        and (has_read_private or any(one.from_step in private for one in step.inputs))
    )


def _private(known: dict[str, Step], scope: Scope) -> frozenset[str]:
    """Steps whose outputs may hold what stands in private files, by way of others, too."""
    private = {step.id for step in known.values() if _reads_private(step, scope)}
    for _ in known:
        reached = {
            step.id
            for step in known.values()
            if any(one.from_step in private for one in step.inputs)
        }
        if reached <= private:
            break
        private |= reached
    return frozenset(private)


def _reads_private(step: Step, scope: Scope) -> bool:
    # What has run may be of a kind that nobody offers any more.
    kind = scope.kinds.get(step.capability)
    files = kind.planned.files if kind is not None and kind.planned is not None else ()
    names_file = any(one.name in files for one in step.inputs)
    return names_file or family_of(step.capability) not in OPEN_FAMILIES


def _goes_out(step: Step, scope: Scope) -> bool:
    """What another computer does travels through the hub, and to whatever model that one asks."""
    face = scope.face(step.capability)
    return face is not None and (face.goes_out or bool(scope.where(step.capability)))
