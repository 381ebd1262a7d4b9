"""How a running plan stands, as a value: it is saved after every change, and goes on from there.

    waiting ──▶ running ──▶ done
       ▲           │
       └── again ──┴──▶ failed ──▶ what needs it is skipped ──▶ the rest is planned anew (<= 2)

Whoever carries a plan out saves the ledger before it begins a step (`started`), and begins what
`desktop.core.plan.going_on.next_of` says. Whoever takes a saved one up waits again for what is
running in it, by its number.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from graphlib import TopologicalSorter

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from desktop.core.plan.spending import Budget, Spent, of_output
from shared.plain_text import plain_line
from shared.plan import Permission, Plan, Step, StepEnded, StepState

ERRORS_KEPT_MAX = 3
ERROR_CHARS_MAX = 600
HEADLINE_CHARS_MAX = 400
LASTING_CODES = frozenset(
    {"inputs_invalid", "step_inputs_invalid", "kind_unknown", "kind_not_offered", "not_allowed"}
)
LASTING_ENDINGS = ("_refused", "_outside_folders", "_not_local", "_not_allowed", "_missing")
"""Of codes of errors that another try cannot change."""


class StepRun(BaseModel):
    """One step and how far it is."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    step: Step
    number: int = Field(ge=0)
    """Of its part, for `SharedContext.step`; another one for another try of what ended well and was
    not good enough."""
    state: StepState = StepState.WAITING
    attempts: int = Field(default=0, ge=0)
    """Tries that have ended."""
    errors: tuple[str, ...] = ()
    """Why tries failed, the latest last."""
    outputs: dict[str, JsonValue] = Field(default_factory=dict)
    """All that its kind gives, by name; empty until it is done."""
    headline: str = ""
    job_id: str = ""
    """Of its latest try."""
    is_stopped: bool = False
    """A person stopped its job."""


class Ledger(BaseModel):
    """A plan that was approved, and how it stands."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    plan: Plan
    """As it is now: what is done of plans before is part of it."""
    runs: tuple[StepRun, ...]
    """The steps of `plan`, in the order of their numbers."""
    past: tuple[StepRun, ...] = ()
    """Steps that were given up when the rest was planned anew."""
    approved: Permission
    """The most that any approved step does."""
    approved_kinds: dict[str, Permission]
    """What was approved of each kind."""
    budget: Budget
    spent: Spent = Spent()
    numbers: int = Field(ge=0)
    """How many numbers of parts are taken."""
    stalls: int = 0
    """Tries in a row that brought nothing."""
    replans: int = 0

    def run(self, step_id: str) -> StepRun:
        """Return how a step of the present plan stands."""
        return next(run for run in self.runs if run.step.id == step_id)

    def in_state(self, state: StepState) -> tuple[StepRun, ...]:
        return tuple(run for run in self.runs if run.state is state)

    @property
    def outputs(self) -> Mapping[str, Mapping[str, JsonValue]]:
        """Outputs by name of the steps that are done, by their ids."""
        return {run.step.id: run.outputs for run in self.in_state(StepState.DONE)}

    @property
    def done(self) -> Mapping[str, Step]:
        return {run.step.id: run.step for run in self.in_state(StepState.DONE)}


def begin(plan: Plan, budget: Budget, *, spent: Spent | None = None) -> Ledger:
    """Open the ledger of a plan that was approved as it is.

    Args:
        plan: settled (`desktop.core.plan.rules.settled`) and without faults.
        budget: the most that it may use.
        spent: what making it took.
    """
    return Ledger(
        plan=plan,
        runs=_numbered(ordered(plan.steps), 0),
        approved=highest(plan.steps),
        approved_kinds=_by_kind(plan.steps),
        budget=budget,
        spent=spent or Spent(),
        numbers=len(plan.steps),
    )


def started(ledger: Ledger, step_id: str) -> Ledger:
    """Note that a step begins; saved before its job is asked for."""
    run = ledger.run(step_id)
    assert run.state is StepState.WAITING, f"{step_id} is {run.state}"
    return _with(ledger, run.model_copy(update={"state": StepState.RUNNING})).model_copy(
        update={"spent": ledger.spent + Spent(jobs=1)}
    )


def ended(
    ledger: Ledger,
    step_id: str,
    end: StepEnded,
    *,
    outputs: Mapping[str, JsonValue] | None = None,
    faults: Iterable[str] = (),
) -> Ledger:
    """Note how a step's job came out.

    Args:
        ledger: in which it runs.
        step_id: which.
        end: what became of its job.
        outputs: all that its kind gives, by name (`binding.outputs_of`).
        faults: sentences, each about a success criterion that was not met.
    """
    run = ledger.run(step_id)
    assert run.state is StepState.RUNNING, f"{step_id} is {run.state}"
    unmet = tuple(faults)
    is_done = end.state == "succeeded" and not unmet
    spent = ledger.spent + of_output(end.output or {})
    run = run.model_copy(update={"attempts": run.attempts + 1, "job_id": str(end.job_id)})
    if is_done:
        done = run.model_copy(
            update={
                "state": StepState.DONE,
                "outputs": dict(outputs or {}),
                "headline": _headline(end),
            }
        )
        return _with(ledger, done).model_copy(update={"spent": spent, "stalls": 0})
    after = ledger.model_copy(update={"spent": spent, "stalls": ledger.stalls + 1})
    return _failed(after, run, end, unmet)


def _failed(ledger: Ledger, run: StepRun, end: StepEnded, unmet: tuple[str, ...]) -> Ledger:
    why = " ".join(unmet) or end.error or f"its job was {end.state}"
    errors = (*run.errors, plain_line(why)[:ERROR_CHARS_MAX])[-ERRORS_KEPT_MAX:]
    is_stopped = end.state == "cancelled"
    is_over = is_stopped or _is_lasting(end) or run.attempts >= run.step.max_attempts
    numbers = ledger.numbers
    number = run.number
    if not is_over and end.state == "succeeded":
        number, numbers = numbers, numbers + 1  # what ended well is not made anew by its number
    state = StepState.FAILED if is_over else StepState.WAITING
    changed = run.model_copy(
        update={"state": state, "errors": errors, "number": number, "is_stopped": is_stopped}
    )
    return _skipping(_with(ledger, changed).model_copy(update={"numbers": numbers}))


def elapsed(ledger: Ledger, seconds: float) -> Ledger:
    """Set how long the plan has been at work, in all its attempts."""
    later = ledger.spent.model_copy(update={"seconds": max(ledger.spent.seconds, seconds)})
    return ledger.model_copy(update={"spent": later})


def used(ledger: Ledger, more: Spent) -> Ledger:
    """Add what the plan's own calls of models used."""
    return ledger.model_copy(update={"spent": ledger.spent + more})


def needs_approval(ledger: Ledger, plan: Plan) -> bool:
    """Whether a new plan of the rest does what its person has not approved.

    What only reads needs nobody's word. Anything else has to be of a kind that was approved, with
    no more than was approved of it, and on the same things: a plan of the rest is made by a model
    that has read pages and files by then, and a yes to one file is none to another.
    """
    known = {_target(run.step) for run in (*ledger.runs, *ledger.past)}
    for step in plan.steps:
        approved = ledger.approved_kinds.get(step.capability)
        if step.permission is Permission.READ or step.id in ledger.done:
            continue
        if approved is None or step.permission.rank > approved.rank or _target(step) not in known:
            return True
    return False


def _target(step: Step) -> tuple[str, frozenset[tuple[str, str | None]], str]:
    """Say what a step is done on: its kind, and the inputs that the plan fills.

    What comes from a step before is known by its input's name alone. Where programs run, what they
    are to do counts as well: its words may stem from whoever wrote a page that was read by then.
    """
    named = ((one.name, one.value) for one in step.inputs)
    runs = step.permission.rank >= Permission.EXECUTE.rank
    return step.capability, frozenset(named), step.instructions if runs else ""


def replanned(ledger: Ledger, plan: Plan) -> Ledger:
    """Go on with a new plan of what is unfinished.

    Args:
        ledger: in which no step runs.
        plan: without faults beside the done steps; approved where that was needed.
    """
    assert not ledger.in_state(StepState.RUNNING)
    kept = ledger.in_state(StepState.DONE)
    fresh = _numbered(ordered(plan.steps), ledger.numbers)
    steps = tuple(run.step for run in kept + fresh)
    return ledger.model_copy(
        update={
            "plan": plan.model_copy(update={"steps": steps}),
            "runs": kept + fresh,
            "past": ledger.past + tuple(run for run in ledger.runs if run not in kept),
            "approved": max(ledger.approved, highest(plan.steps), key=lambda one: one.rank),
            "approved_kinds": _by_kind(plan.steps, ledger.approved_kinds),
            "numbers": ledger.numbers + len(fresh),
            "stalls": 0,
            "replans": ledger.replans + 1,
        }
    )


def replan_failed(ledger: Ledger, why: str) -> Ledger:
    """Count a try at a new plan that came to nothing: no valid plan, or a person said no."""
    runs = tuple(
        run.model_copy(
            update={"state": StepState.SKIPPED, "errors": (*run.errors, why[:ERROR_CHARS_MAX])}
        )
        if run.state is StepState.WAITING
        else run
        for run in ledger.runs
    )
    return ledger.model_copy(update={"runs": runs, "replans": ledger.replans + 1, "stalls": 0})


def ordered(steps: Iterable[Step]) -> tuple[Step, ...]:
    """Return steps so that each comes after what it depends on; else as the plan has them."""
    by_id = {step.id: step for step in steps}
    depth: dict[str, int] = {}
    edges = {one.id: [name for name in one.depends_on if name in by_id] for one in by_id.values()}
    for name in TopologicalSorter(edges).static_order():
        depth[name] = 1 + max((depth[before] for before in edges[name]), default=-1)
    return tuple(sorted(by_id.values(), key=lambda step: depth[step.id]))


def highest(steps: Iterable[Step]) -> Permission:
    """Return the most that any of these does."""
    return max(
        (step.permission for step in steps), key=lambda one: one.rank, default=Permission.READ
    )


def _by_kind(
    steps: Iterable[Step], before: Mapping[str, Permission] | None = None
) -> dict[str, Permission]:
    found = dict(before or {})
    for step in steps:
        known = found.get(step.capability, Permission.READ)
        found[step.capability] = max(known, step.permission, key=lambda one: one.rank)
    return found


def _numbered(steps: Iterable[Step], first: int) -> tuple[StepRun, ...]:
    return tuple(StepRun(step=step, number=number) for number, step in enumerate(steps, first))


def _with(ledger: Ledger, changed: StepRun) -> Ledger:
    runs = tuple(changed if run.step.id == changed.step.id else run for run in ledger.runs)
    return ledger.model_copy(update={"runs": runs})


def _skipping(ledger: Ledger) -> Ledger:
    """Skip what waits for a step that will not be done."""
    lost = {
        run.step.id for run in ledger.runs if run.state in {StepState.FAILED, StepState.SKIPPED}
    }
    runs = []
    for run in sorted(ledger.runs, key=lambda one: one.number):
        if run.state is StepState.WAITING and lost.intersection(run.step.depends_on):
            lost.add(run.step.id)
            run = run.model_copy(update={"state": StepState.SKIPPED})  # noqa: PLW2901
        runs.append(run)
    return ledger.model_copy(update={"runs": tuple(runs)})


def _is_lasting(end: StepEnded) -> bool:
    return end.code in LASTING_CODES or end.code.endswith(LASTING_ENDINGS)


def _headline(end: StepEnded) -> str:
    told = (end.output or {}).get("headline")
    return plain_line(told)[:HEADLINE_CHARS_MAX] if isinstance(told, str) else ""
