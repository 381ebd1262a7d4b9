"""What people read of a plan: its steps ticking off in one message, and the answer with sources.

All of it was written by a model, a worker or strangers' pages: it is shown as plain text, and an
address becomes a button only when it is a web page.
"""

from __future__ import annotations

from collections.abc import Sequence

from hub.core.view import Button
from hub.frontends.figures import bar, count, duration, plural
from shared.events import EventBody, JobPlanned
from shared.ids import JobId
from shared.kinds import Output
from shared.kinds.plan import PlanOutput, Source
from shared.money import dollars
from shared.plain_text import plain, plain_line
from shared.plan import PlanStage, ShownPlan, ShownStep, StepState

MARKS = {
    StepState.WAITING: "·",
    StepState.RUNNING: "▸",
    StepState.DONE: "✓",
    StepState.FAILED: "✗",
    StepState.SKIPPED: "–",
}
STATE_WORDS = {
    StepState.WAITING: "waits",
    StepState.RUNNING: "running",
    StepState.DONE: "done",
    StepState.FAILED: "failed",
    StepState.SKIPPED: "left out",
}
STEPS_SHOWN_MAX = 30
SOURCES_SHOWN_MAX = 20
LINKS_MAX = 3
URL_CHARS_MAX = 300
LOCAL = "no model elsewhere"


def step_lines(plan: ShownPlan) -> list[str]:
    """List the steps, each with how far it is: "✓ 1 Read the report"."""
    lines = [_step(step, number) for number, step in enumerate(plan.steps, start=1)]
    if len(lines) > STEPS_SHOWN_MAX:
        lines[STEPS_SHOWN_MAX:] = [f"and {count(len(lines) - STEPS_SHOWN_MAX)} more"]
    return lines


def bounds(plan: ShownPlan) -> str:
    """Say what a plan takes at most: "4 steps, about 3 min, at most $0.40"."""
    told = [plural(len(plan.steps), "step")]
    if plan.seconds:
        told.append(f"about {duration(plan.seconds)}")
    if plan.cost_usd:
        told.append(f"at most {dollars(plan.cost_usd)}")
    if plan.is_local:
        told.append(LOCAL)
    return ", ".join(told)


def progress_text(plan: ShownPlan, where: str) -> str:
    """Word how far a plan is, in one message with a line for each step."""
    over = sum(step.state in (StepState.DONE, StepState.SKIPPED) for step in plan.steps)
    total = len(plan.steps)
    head = f"Working{where} {bar(over / total if total else 0.0)} {over} of {plural(total, 'step')}"
    return "\n".join([head, *step_lines(plan)])


def is_step_news(body: EventBody) -> bool:
    """Say whether an event only tells how far a plan's steps are, which no history lists."""
    return isinstance(body, JobPlanned) and body.stage is PlanStage.RUNNING


def sentence(stage: PlanStage, plan: ShownPlan) -> str:
    """Say in a history what became of a plan."""
    match stage:
        case PlanStage.PROPOSED:
            return f"Planned {bounds(plan)}"
        case PlanStage.APPROVED:
            return f"Agreed: {bounds(plan)}"
        case PlanStage.REPLANNED:
            return f"Planned the rest anew: {bounds(plan)}"
        case PlanStage.REJECTED:
            return "The plan was rejected"
        case PlanStage.RUNNING:
            over = sum(step.state is StepState.DONE for step in plan.steps)
            return f"{over} of {plural(len(plan.steps), 'step')} done"


def told(output: Output, job_id: JobId) -> tuple[list[str], tuple[Button, ...]] | None:
    """Tell a plan's result, with what goes on from there; None when it is no such result."""
    if not isinstance(output, PlanOutput):
        return None
    lines = [plain_line(line) for line in plain(output.answer).splitlines()]
    lines += source_lines(output.sources)
    links = [source for source in output.sources if is_page(source.url)][:LINKS_MAX]
    buttons = [Button(label=f"[{one.number}] {_brief(one.title)}", url=one.url) for one in links]
    if output.files:
        buttons.insert(0, Button(label="Send me the file", says=f"/send #{job_id}"))
    return lines, tuple(buttons)


def source_lines(sources: Sequence[Source]) -> list[str]:
    """List what an answer cites: "[1] Annual report 2025 (report.pdf)"."""
    shown = [_source(source) for source in sources[:SOURCES_SHOWN_MAX]]
    if len(sources) > SOURCES_SHOWN_MAX:
        shown.append(f"and {count(len(sources) - SOURCES_SHOWN_MAX)} more")
    return shown


def is_page(url: str) -> bool:
    """Say whether an address may become something to tap."""
    is_short = len(url) < URL_CHARS_MAX and url.isprintable()
    return is_short and url.startswith(("https://", "http://"))


def _step(step: ShownStep, number: int) -> str:
    note = f": {step.note}" if step.state is StepState.FAILED and step.note else ""
    where = f" ({step.worker})" if step.worker else ""
    return plain_line(f"{MARKS[step.state]} {number} {step.title}{where}{note}")


def _source(source: Source) -> str:
    place = source.file or source.url
    return plain_line(f"[{source.number}] {source.title}" + (f" ({place})" if place else ""))


def _brief(title: str) -> str:
    line = plain_line(title)
    return line if len(line) <= 40 else f"{line[:38].rstrip()} …"
