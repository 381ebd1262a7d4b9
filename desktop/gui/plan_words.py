"""What windows say of a plan: its steps with how far they are, and an answer with its sources."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import JsonValue, ValidationError

from desktop.gui.language import tr, trn
from desktop.gui.times import duration
from shared.events import EventBody, JobPlanned
from shared.kinds.plan import Source
from shared.plain_text import plain, plain_line
from shared.plan import PlanStage, ShownPlan, ShownStep, StepState

MARKS = {
    StepState.WAITING: "·",
    StepState.RUNNING: "▸",
    StepState.DONE: "✓",
    StepState.FAILED: "✗",
    StepState.SKIPPED: "–",
}
TONES = {
    StepState.WAITING: "muted",
    StepState.RUNNING: "running",
    StepState.DONE: "done",
    StepState.FAILED: "failed",
    StepState.SKIPPED: "muted",
}
SOURCES_MAX = 20


def is_step_news(body: EventBody) -> bool:
    """Say whether an event only tells how far a plan's steps are."""
    return isinstance(body, JobPlanned) and body.stage is PlanStage.RUNNING


def state_word(state: StepState) -> str:
    match state:
        case StepState.WAITING:
            return tr("waits")
        case StepState.RUNNING:
            return tr("running")
        case StepState.DONE:
            return tr("done")
        case StepState.FAILED:
            return tr("failed")
        case StepState.SKIPPED:
            return tr("left out")


def bounds(plan: ShownPlan) -> str:
    """Say what a plan takes at most."""
    told = [trn("{count} step", "{count} steps", len(plan.steps))]
    if plan.seconds:
        told.append(tr("about {time}").format(time=duration(plan.seconds)))
    if plan.cost_usd:
        told.append(tr("at most ${cost}").format(cost=f"{plan.cost_usd:.2f}"))
    if plan.is_local:
        told.append(tr("no model elsewhere"))
    return ", ".join(told)


def sentence(body: JobPlanned) -> str:
    """Say in a story what became of a plan."""
    match body.stage:
        case PlanStage.PROPOSED:
            return tr("Planned: {what}").format(what=bounds(body.plan))
        case PlanStage.APPROVED:
            return tr("Agreed: {what}").format(what=bounds(body.plan))
        case PlanStage.REPLANNED:
            return tr("Planned the rest anew: {what}").format(what=bounds(body.plan))
        case PlanStage.REJECTED:
            return tr("The plan was rejected.")
        case PlanStage.RUNNING:
            return tr("The plan goes on.")


def step_line(step: ShownStep, number: int) -> str:
    """Say one step: "✓ 1 Read the report"."""
    return plain_line(f"{MARKS[step.state]} {number} {step.title}")


def step_about(step: ShownStep) -> str:
    """Say how far a step is, where, and what came of it."""
    parts = (state_word(step.state), plain_line(step.worker), plain_line(step.note))
    return " · ".join(part for part in parts if part)


def answer_lines(raw: Mapping[str, JsonValue]) -> tuple[str, ...]:
    """Read the answer and the sources of a plan's result; none of what does not fit."""
    answer = raw.get("answer")
    if not isinstance(answer, str):
        return ()
    lines = [line for line in plain(answer).splitlines() if line.strip()]
    told = raw.get("sources")
    for one in (told if isinstance(told, list) else [])[:SOURCES_MAX]:
        try:
            source = Source.model_validate(one)
        except ValidationError:
            continue
        place = f" ({source.file or source.url})" if source.file or source.url else ""
        lines.append(plain_line(f"[{source.number}] {source.title}{place}"))
    return tuple(lines)
