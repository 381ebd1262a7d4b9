"""A task in plain words as windows show it: its plan on its way, and its answer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from PySide6.QtWidgets import QWidget

from desktop.gui.bridge import Bridge
from desktop.gui.style import Style
from shared.events import JobPlanned, JobSucceeded
from shared.plan import Permission, PlanStage, ShownPlan, ShownStep, StepState
from tests.desktop.gui.scenes_chat import open_window
from tests.desktop.gui.scenes_jobs import job_id, queued, shown, started
from tests.desktop.gui.world import HERE, PaperDesk

TASK = "Analyze acme's annual report in Documents/acme and summarize the key risks"
STEPS = (
    ShownStep(id="report", number=1, title="Read the annual report", kind="files.read",
              worker="anna-pc", state=StepState.DONE, note="84 pages read."),
    ShownStep(id="figures", number=2, title="Pull the figures of five years into one table",
              kind="data.analyze", depends_on=("report",), worker="anna-pc",
              state=StepState.RUNNING),
    ShownStep(id="news", number=3, title="Search recent news", kind="web.research",
              worker="studio-mac", state=StepState.FAILED,
              note="No search engine answered within a minute; it is planned anew."),
    ShownStep(id="summary", number=4, title="Write the summary", kind="llm.ask",
              depends_on=("report", "figures", "news")),
    ShownStep(id="file", number=5, title="Save it beside the report", kind="files.write",
              depends_on=("summary",), permission=Permission.WRITE, worker="anna-pc"),
)  # fmt: skip
PLAN = ShownPlan(
    goal="The key risks of acme, on one page.",
    steps=STEPS,
    seconds=180,
    cost_usd=0.4,
    model="openai:gpt-5-mini",
)


def planned(stage: PlanStage, plan: ShownPlan = PLAN) -> JobPlanned:
    return JobPlanned(job_id=job_id(90), attempt=1, fence=1, stage=stage, plan=plan)


def answered() -> JobSucceeded:
    return JobSucceeded(
        job_id=job_id(90),
        attempt=1,
        fence=1,
        running_seconds=171,
        result={
            "headline": "Three risks stand out: debt, one large customer, the price of energy.",
            "notes": [],
            "files": ["acme-risks.md"],
            "goal": PLAN.goal,
            "answer": "Debt of €41 million falls due in 2027, and cash covers half of it [1].\n\n"
            "One customer stands for 38 % of sales [2].",
            "sources": [
                {"number": 1, "step": "report", "title": "Annual report", "file": "report.pdf"},
                {"number": 2, "step": "news", "title": "News", "url": "https://example.org/n"},
            ],
        },
    )


async def fill(desk: PaperDesk, *more: JobPlanned | JobSucceeded) -> None:
    await desk.happens(*queued(90, TASK, "plan", TASK), minutes=1)
    await desk.happens(started(90), planned(PlanStage.APPROVED), device=HERE, minutes=2)
    await desk.happens(planned(PlanStage.RUNNING), *more, device=HERE, minutes=3)


async def on_its_way(desk: PaperDesk, bridge: Bridge, style: Style) -> QWidget:
    await fill(desk)
    window = await shown(desk, bridge, style, 90)
    window.split.setSizes([360, 820])
    return window


async def done(desk: PaperDesk, bridge: Bridge, style: Style) -> QWidget:
    over = tuple(step.model_copy(update={"state": StepState.DONE, "note": ""}) for step in STEPS)
    plan = PLAN.model_copy(update={"steps": over})
    await fill(desk, planned(PlanStage.RUNNING, plan), answered())
    window = await shown(desk, bridge, style, 90)
    window.split.setSizes([360, 820])
    return window


async def in_a_chat(desk: PaperDesk, bridge: Bridge, style: Style) -> QWidget:
    await fill(desk, answered())
    return await open_window(desk, bridge, style, job_id(90))


SCENES: dict[str, Callable[[PaperDesk, Bridge, Style], Awaitable[QWidget]]] = {
    "on_its_way": on_its_way,
    "done": done,
    "in_a_chat": in_a_chat,
}
