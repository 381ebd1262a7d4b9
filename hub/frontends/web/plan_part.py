"""The plan of a job as its page shows it: a list, a small graph, and what came of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hub.core.job import JobCard
from hub.core.view import Tone
from hub.frontends import plan_words
from hub.frontends.results import read_output
from hub.frontends.web.visitor import Setting
from shared.ids import is_uuid
from shared.kinds.plan import PLAN, PlanOutput, Source
from shared.plain_text import plain, plain_line
from shared.plan import PlanStage, ShownPlan, ShownStep, StepState
from shared.plan_graph import Graph, Line, graph_of

TONES = {
    StepState.WAITING: Tone.PLAIN,
    StepState.RUNNING: Tone.RUNNING,
    StepState.DONE: Tone.DONE,
    StepState.FAILED: Tone.FAILED,
    StepState.SKIPPED: Tone.PLAIN,
}
ICONS = {
    StepState.WAITING: "queued",
    StepState.RUNNING: "running",
    StepState.DONE: "succeeded",
    StepState.FAILED: "failed",
    StepState.SKIPPED: "cancelled",
}
HEADS = {
    PlanStage.PROPOSED: "The plan, waiting for a yes",
    PlanStage.REJECTED: "The plan that was rejected",
}
NODE_CHARS_MAX = 23
"""Of a title in the graph; the list has all of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepRow:
    """A step in the list."""

    number: int
    title: str
    state: str
    tone: str
    icon: str
    kind: str
    worker: str
    needs: str
    """The numbers of the steps it waits for: "after 1 and 2"."""
    permission: str
    note: str
    href: str
    """Of its job; empty before there is one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """A step in the graph."""

    x: float
    y: float
    width: float
    height: float
    label: str
    row: StepRow


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    width: float
    height: float
    boxes: tuple[Box, ...]
    ways: tuple[str, ...]
    """Curves, as SVG path data."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanPart:
    head: str
    goal: str
    bounds: str
    assumptions: tuple[str, ...]
    rows: tuple[StepRow, ...]
    drawing: Drawing | None
    """None when there is nothing that a list would not tell as well."""
    is_local: bool
    model: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerPart:
    """A plan's answer, with what it cites."""

    paragraphs: tuple[str, ...]
    sources: tuple[Source, ...]


async def plan_part(place: Setting, card: JobCard) -> PlanPart | None:
    """Gather how a job's plan stands; None when it has none."""
    if card.kind != PLAN:
        return None
    told = await place.services.views.plan(card)
    return None if told is None else shown_plan(told.stage, told.plan)


def shown_plan(stage: PlanStage, plan: ShownPlan) -> PlanPart:
    rows = _rows(plan.steps)
    return PlanPart(
        head=HEADS.get(stage, "The plan"),
        goal=plain_line(plan.goal),
        bounds=plan_words.bounds(plan),
        assumptions=tuple(plain_line(line) for line in plan.assumptions),
        rows=rows,
        drawing=_drawing(graph_of(plan), rows) if len(plan.steps) > 1 else None,
        is_local=plan.is_local,
        model=plan.model,
    )


def answer_part(card: JobCard) -> AnswerPart | None:
    """The answer of a plan's job that has ended well; None for all others."""
    if card.kind != PLAN or card.result is None:
        return None
    output = read_output(card.kind, card.result)
    if not isinstance(output, PlanOutput) or not output.answer.strip():
        return None
    paragraphs = tuple(part.strip() for part in plain(output.answer).split("\n\n"))
    sources = tuple(
        source.model_copy(
            update={
                "title": plain_line(source.title),
                "url": source.url if plan_words.is_page(source.url) else "",
            }
        )
        for source in output.sources
    )
    return AnswerPart(paragraphs=tuple(part for part in paragraphs if part), sources=sources)


def _rows(steps: Sequence[ShownStep]) -> tuple[StepRow, ...]:
    numbers = {step.id: number for number, step in enumerate(steps, start=1)}
    return tuple(
        StepRow(
            number=number,
            title=plain_line(step.title),
            state=plan_words.STATE_WORDS[step.state],
            tone=TONES[step.state].value,
            icon=ICONS[step.state],
            kind=step.kind,
            worker=plain_line(step.worker),
            needs=_needs([numbers[one] for one in step.depends_on if one in numbers]),
            permission=step.permission.value,
            note=plain_line(step.note),
            href=f"/jobs/{step.job_id}" if is_uuid(step.job_id) else "",
        )
        for number, step in enumerate(steps, start=1)
    )


def _needs(numbers: Sequence[int]) -> str:
    if not numbers:
        return ""
    *first, last = [str(number) for number in sorted(numbers)]
    return f"after {', '.join(first)} and {last}" if first else f"after {last}"


def _drawing(graph: Graph, rows: Sequence[StepRow]) -> Drawing:
    boxes = tuple(
        Box(
            x=node.x,
            y=node.y,
            width=node.width,
            height=node.height,
            label=_label(row.title),
            row=row,
        )
        for node, row in zip(graph.nodes, rows, strict=True)
    )
    return Drawing(
        width=graph.width,
        height=graph.height,
        boxes=boxes,
        ways=tuple(_curve(line) for line in graph.lines),
    )


def _label(title: str) -> str:
    return title if len(title) <= NODE_CHARS_MAX else f"{title[: NODE_CHARS_MAX - 1].rstrip()}…"


def _curve(line: Line) -> str:
    """Write a line as SVG path data: curves between columns, level through them."""
    first, *rest = line.points
    path = f"M{first[0]:g},{first[1]:g}"
    before = first
    for number, (x, y) in enumerate(rest):
        middle = (before[0] + x) / 2
        is_level = number % 2 == 1
        path += (
            f" L{x:g},{y:g}"
            if is_level
            else f" C{middle:g},{before[1]:g} {middle:g},{y:g} {x:g},{y:g}"
        )
        before = x, y
    return path
