"""Plans to look at: one that waits for a yes, one on its way, one that is done."""

from __future__ import annotations

from hub.services.requests import Request
from shared.capabilities import Capability
from shared.ids import JobId, QuestionId
from shared.kinds import JsonObject
from shared.messages import Grant
from shared.plan import Permission, PlanStage, ShownPlan, ShownStep, StepState
from shared.questions import Asking, Choice, QuestionKind
from tests.hub.frontends.web.seeds import owner_of
from tests.hub.frontends.world import PuppetWorker, World

PLANNING = (Capability(kind="plan"),)
QUESTION = QuestionId("019aa000-0000-7000-8000-0000000000d0")
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
    goal="The key risks of acme, from its annual report and recent news, on one page.",
    assumptions=("The newest report in the folder is meant.", "Amounts are in euros."),
    steps=STEPS,
    seconds=180,
    tokens=42_000,
    cost_usd=0.4,
    model="openai:gpt-5-mini",
)
APPROVAL = Asking(
    key="plan",
    kind=QuestionKind.APPROVAL,
    text="Plan (5 steps, about 3 min, at most $0.40):\n1 Read the annual report (anna-pc)\n2 Pull "
    "the figures of five years into one table (anna-pc)\n3 Search recent news (studio-mac)\n"
    "4 Write the summary\n5 Save it beside the report (anna-pc, writes a file)",
    choices=(
        Choice(value="go", label="Go"),
        Choice(value="local", label="Keep it local: no cloud model"),
        Choice(value="reject", label="Reject"),
    ),
    allow_text=True,
)
DONE: JsonObject = {
    "headline": "Three risks stand out: debt that falls due in 2027, one customer with 38 % of "
    "sales, and the price of energy.",
    "notes": [],
    "files": ["acme-risks.md"],
    "goal": PLAN.goal,
    "answer": "Debt of €41 million falls due in 2027, and cash covers half of it [1]. One customer "
    "stands for 38 % of sales, five points more than the year before [2].\n\nNews of the last "
    "month tell of energy prices that would take a fifth of the profit [3].",
    "sources": [
        {"number": 1, "step": "report", "title": "Annual report 2025", "file": "report-2025.pdf"},
        {"number": 2, "step": "figures", "title": "Figures of five years", "file": "figures.csv"},
        {"number": 3, "step": "news", "title": "Energy prices reach a new high",
         "url": "https://news.example.org/energy"},
    ],
    "model": "openai:gpt-5-mini",
    "cost_usd": 0.12,
    "seconds": 171.0,
    "replans": 1,
}  # fmt: skip


async def planned(
    world: World, worker: PuppetWorker, stage: PlanStage, plan: ShownPlan = PLAN
) -> Grant:
    """A job whose plan a connected computer has told."""
    wish = Request(person_id=await owner_of(world), kind="plan", inputs={"task": TASK})
    job_id: JobId = (await world.hub.services.intake.request(wish)).card.job_id
    grant = await worker.grant_of(job_id)
    await worker.starts(grant)
    await worker.plans(grant, stage, plan)
    return grant


def all_done(plan: ShownPlan) -> ShownPlan:
    steps = (step.model_copy(update={"state": StepState.DONE, "note": ""}) for step in plan.steps)
    return plan.model_copy(update={"steps": tuple(steps)})
