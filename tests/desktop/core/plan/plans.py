"""Plans for tests: one that is good, changed pieces of it, and strategies of random ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from hypothesis import strategies as st

from desktop.core.plan.scope import Scope
from desktop.core.plan.spending import Budget
from shared.ids import JobId
from shared.kinds import Inputs, Kind, Output
from shared.kinds.catalogue import BUILT_IN
from shared.plan import (
    Criterion,
    CriterionKind,
    OutputType,
    Permission,
    Plan,
    PlanFace,
    Step,
    StepEnded,
    StepInput,
    StepOutput,
)


class TableInputs(Inputs):
    words: str | None = None
    file: str | None = None
    rows_max: int = 10
    style: Literal["plain", "rich"] = "plain"
    is_short: bool = False


TABLES = Kind(
    name="table.make",
    summary="Make a table",
    inputs=TableInputs,
    output=Output,
    idempotent=True,
    timeout_seconds=60,
    planned=PlanFace(
        permission=Permission.READ,
        words="words",
        takes=dict.fromkeys(("file", "rows_max", "style", "is_short"), "Of the table."),
        gives={"table": OutputType.FILE, "facts": OutputType.JSON},
        files=("file",),
        uses_model=True,
    ),
)
"""One that hands on a file, and cannot be held to local models."""
KINDS = {**BUILT_IN, TABLES.name: TABLES}
HERE = frozenset({"llm.ask", "web.research", "web.search", "data.describe"})
ELSEWHERE = {"code.bugfix": "anna-pc"}
BUDGET = Budget(tokens_max=200_000, cost_usd_max=1.0, seconds_max=7200, jobs_max=20)
JOB = JobId("01900000-0000-7000-8000-00000000aaaa")
NONEMPTY = Criterion(kind=CriterionKind.NONEMPTY, arg="")


def scope(**changes: object) -> Scope:
    told = {"kinds": KINDS, "here": HERE, "elsewhere": ELSEWHERE, "budget": BUDGET} | changes
    return Scope(**told)  # type: ignore[arg-type]


def step(id_: str = "a", **changes: object) -> Step:
    told: dict[str, object] = {
        "id": id_,
        "title": f"Do {id_}",
        "capability": "web.research",
        "instructions": "What is the tallest tower?",
        "inputs": (),
        "depends_on": (),
        "outputs": (StepOutput(name="findings", type=OutputType.TEXT),),
        "success_criteria": (NONEMPTY,),
        "permission": Permission.READ,
        "est_tokens": 1000,
        "max_seconds": 60,
        "max_attempts": 2,
    }
    return Step.model_validate(told | changes)


def from_step(name: str, source: str, output: str) -> StepInput:
    return StepInput(name=name, value=None, from_step=source, from_output=output)


def value(name: str, text: str) -> StepInput:
    return StepInput(name=name, value=text, from_step=None, from_output=None)


def ask(id_: str, *sources: str, **changes: object) -> Step:
    """A step that asks a model about what others found."""
    told: dict[str, object] = {
        "capability": "llm.ask",
        "instructions": "Say it in one line.",
        "inputs": tuple(from_step("text", source, "findings") for source in sources),
        "depends_on": sources,
        "outputs": (StepOutput(name="text", type=OutputType.TEXT),),
    }
    return step(id_, **(told | changes))


def table(id_: str, **changes: object) -> Step:
    """A step that writes a file."""
    outputs = (StepOutput(name="table", type=OutputType.FILE),)
    return step(id_, **({"capability": "table.make", "outputs": outputs} | changes))


def plan(*steps: Step, final: str = "", **changes: object) -> Plan:
    told: dict[str, object] = {
        "type": "plan",
        "goal": "Know the tallest tower",
        "assumptions": (),
        "steps": steps or (step("a"), ask("b", "a")),
        "final": final or (steps[-1].id if steps else "b"),
    }
    return Plan.model_validate(told | changes)


def well(output: dict[str, object] | None = None, **changes: object) -> StepEnded:
    told = {"headline": "Found.", "findings": "It is 828 m.", "text": "828 m"} | (output or {})
    return StepEnded(job_id=JOB, state="succeeded", output=told, **changes)  # type: ignore[arg-type]


def badly(code: str = "overload", error: str = "It was too busy.") -> StepEnded:
    return StepEnded(job_id=JOB, state="failed", error=error, code=code)


_GIVES = {
    name: dict(face.gives) for name, kind in BUILT_IN.items() if (face := kind.planned) is not None
}
IDS = tuple("abcdef")


@st.composite
def good_plans(draw: Callable[..., object]) -> Plan:
    """Plans that keep all rules of `scope()`: reads in any order, and coding now and then."""
    count = draw(st.integers(1, 6))
    assert isinstance(count, int)
    steps: list[Step] = []
    for id_ in IDS[:count]:
        before = [one for one in steps if one.capability == "web.research"]
        sources = (
            draw(st.lists(st.sampled_from(before), unique_by=lambda one: one.id)) if before else []
        )
        assert isinstance(sources, list)
        names = tuple(one.id for one in sources)
        attempts = draw(st.integers(1, 3))
        if names:
            steps.append(ask(id_, *names, max_attempts=attempts))
        elif draw(st.integers(0, 5)) == 0:
            coding = {
                "capability": "code.bugfix",
                "outputs": (StepOutput(name="headline", type=OutputType.TEXT),),
                "permission": Permission.EXECUTE,
            }
            steps.append(step(id_, max_attempts=attempts, **coding))
        else:
            steps.append(step(id_, max_attempts=attempts))
    used = {name for one in steps for name in one.depends_on}
    loose = tuple(one for one in steps if one.id not in used)
    last = ask("z", *(one.id for one in loose if one.capability == "web.research"))
    ends = tuple(one.id for one in loose)
    return plan(*steps, last.model_copy(update={"depends_on": ends}))


def wild_plans() -> st.SearchStrategy[Plan]:
    """Plans of the right shape that mean anything at all."""
    ids = st.sampled_from(IDS[:3])
    kinds = st.sampled_from([*sorted(_GIVES), "gpu.train", "plan", "desk.notify"])
    inputs = st.sampled_from(["text", "file", "question", "urls", "results_max", "repository"])
    outputs = st.sampled_from(["text", "findings", "headline", "columns", "source_urls", "branch"])
    given_ = st.builds(
        StepInput,
        name=inputs,
        value=st.none() | st.sampled_from(["x", "3", "", "true"]),
        from_step=st.none() | ids,
        from_output=st.none() | outputs,
    )
    steps = st.builds(
        Step,
        id=ids,
        title=st.sampled_from(["Do it", " ", "\u202e", "x"]),
        capability=kinds,
        instructions=st.sampled_from(["", "Do this."]),
        inputs=st.lists(given_, max_size=2).map(tuple),
        depends_on=st.lists(ids, max_size=2).map(tuple),
        outputs=st.lists(
            st.builds(StepOutput, name=outputs, type=st.sampled_from(OutputType)), max_size=2
        ).map(tuple),
        success_criteria=st.lists(
            st.builds(
                Criterion,
                kind=st.sampled_from(CriterionKind),
                arg=st.sampled_from(["", "text", "(a+)+$", "(?=x)", "{}", '{"type":"list"}', "?"]),
            ),
            min_size=1,
            max_size=2,
        ).map(tuple),
        permission=st.sampled_from(Permission),
        est_tokens=st.sampled_from([0, 100, 90_000]),
        max_seconds=st.sampled_from([1, 60, 6000]),
        max_attempts=st.integers(1, 3),
    )
    return st.builds(
        Plan,
        type=st.just("plan"),
        goal=st.sampled_from(["Do it", " "]),
        assumptions=st.just(()),
        steps=st.lists(steps, min_size=1, max_size=4).map(tuple),
        final=ids,
    )
