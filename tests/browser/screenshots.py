"""Pictures of every page with a day's work on it: `make screenshots-web` puts them into docs/img.

    python -m tests.browser.screenshots docs/img

One sheet for each page (desktop and phone, light and dark), and `dashboard.png` for the README.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import shutil
import sys
import tempfile
from pathlib import Path

from hub.core.access import Access, Scope
from hub.services.requests import Request
from hub.store import said
from shared.capabilities import Lacking
from shared.errors import ErrorBody
from shared.events import JobLogged
from shared.ids import QuestionId
from shared.kinds import JsonObject
from shared.messages import Beat, Grant, Metrics
from shared.plan import PlanStage
from shared.questions import Asking, Choice, QuestionKind
from tests.browser.surfing import CHROMIUM, DESKTOP, PHONE, Surf, launched
from tests.hub.frontends.web.code_seeds import (
    CHANGE,
    ORDER,
    REVIEWED,
    asking_job,
)
from tests.hub.frontends.web.plan_seeds import PLANNING, planned
from tests.hub.frontends.web.run_seeds import probe_run, statistics, transcript
from tests.hub.frontends.web.seeds import (
    dead_letter,
    joining,
    ledger_of,
    owner_of,
    scheduled,
    webhook,
)
from tests.hub.frontends.world import (
    CAPABILITIES,
    CODING,
    PuppetWorker,
    World,
    open_world,
    until,
)

QUESTION = QuestionId("019aa000-0000-7000-8000-0000000000aa")
GIGA = 10**9
METRICS = Metrics(
    cpu_share=0.42,
    memory_used_bytes=9 * GIGA,
    memory_total_bytes=16 * GIGA,
    disk_free_bytes=212 * GIGA,
    battery_share=0.64,
)
LACKS = (Lacking(kind="ml.train", command="deskhand setup ml", download_mb=310),)
WHAT_TO_PREDICT = Asking(
    key="target",
    kind=QuestionKind.CHOICE,
    text="7,043 rows, 19 columns. What should I predict?",
    choices=tuple(
        Choice(value=value, label=value, detail=detail)
        for value, detail in (
            ("Churn", "'No' and 'Yes'"),
            ("MonthlyCharges", "18.25 to 118.75"),
            ("Contract", "3 values"),
            ("tenure", "0 to 72"),
        )
    ),
    allow_text=True,
)
TRAINED: JsonObject = {
    "headline": "arrival (flights) model ready: AUC 0.72 ± 0.02 (always guessing: 0.50). "
    "Strongest: scheduled_departure, airline, humidity.",
    "notes": ["Sure (probability 0.8 or more) of 48 % of the rows."],
    "model": {
        "model_id": "019aa000",
        "name": "arrival (flights)",
        "task": "binary",
        "target": "arrival",
        "metric": "AUC",
        "score": 0.72,
        "score_spread": 0.02,
        "baseline": 0.5,
        "rows": 3800,
        "columns": 16,
        "created_at": "2026-11-21T12:00:00Z",
        "seconds": 34,
        "complete": True,
    },
    "strongest": ["scheduled_departure", "airline", "humidity"],
}
LOG = (
    "A first quick model after 0.8 s: AUC 0.729. Going on for a better one.",
    "boosting-small: AUC 0.7154, 7.0 s, 48% of the blend",
    "boosting: AUC 0.7134, 5.5 s, 33% of the blend",
    "forest: AUC 0.7122, 4.7 s, 7% of the blend",
    "linear: AUC 0.6789, 0.3 s, 11% of the blend",
)
MISSING = ErrorBody(
    code="file_missing",
    message="There is no file 'budget.xlsx' in the folders that may be used.",
    hint="They are: Documents, Projects.",
)
SHEET = """<!doctype html><style>body{{margin:0;background:#8f8d88;padding:16px;
display:grid;gap:16px;grid-template-columns:repeat(2,720px) repeat(2,219px);align-items:start}}
img{{width:100%;height:450px;object-fit:cover;object-position:top;border-radius:8px}}</style>{images}"""


async def ask(world: World, kind: str, file: str = "", **more: object) -> str:
    inputs = {"file": file} if file else {}
    told = await world.rest.post("/tasks", json={"kind": kind, "inputs": inputs, **more})
    return str(told.json()["job_id"])


async def _does(
    world: World, worker: PuppetWorker, kind: str, inputs: JsonObject, result: JsonObject
) -> str:
    """Have a computer do something, as a step of its own task."""
    job = await world.hub.services.views.job(None, inputs["job"]) if "job" in inputs else None  # type: ignore[arg-type]
    wish = Request(
        person_id=await owner_of(world), kind=kind, inputs=inputs, worker_id=worker.worker_id,
        task_id=job.job.task_id if job else None,
    )  # fmt: skip
    made = (await world.hub.services.intake.request(wish)).card.job_id
    grant = await worker.grant_of(made)
    await worker.starts(grant)
    await worker.succeeds(grant, result)
    return made


async def runs(world: World, worker: PuppetWorker, job_id: str) -> Grant:
    grant = await worker.grant_of(job_id)  # type: ignore[arg-type]
    await worker.starts(grant)
    return grant


async def a_day(world: World, anna: PuppetWorker, studio: PuppetWorker) -> dict[str, str]:
    """Let things happen; the pages they are to be seen on, by name."""
    services, owner = world.hub.services, await owner_of(world)
    for name in ("sensors_2024.parquet", "survey.csv"):
        await dead_letter(world, name)
    failed = await runs(
        world, anna, await ask(world, "data.describe", "budget.xlsx", worker="anna-pc")
    )
    await anna.fails(failed, MISSING)
    done = await ask(world, "ml.train", "flights.csv", worker="anna-pc")
    grant = await runs(world, anna, done)
    anna.writes(JobLogged(job_id=grant.job_id, attempt=1, fence=grant.fence, lines=LOG))
    await anna.succeeds(grant, TRAINED)
    asking = await runs(world, anna, await ask(world, "ml.train", "churn.xlsx", worker="anna-pc"))
    await anna.asks(asking, WHAT_TO_PREDICT, QUESTION)
    running = await runs(
        world, studio, await ask(world, "ml.train", "sales_2025.csv", worker="studio")
    )
    studio.writes(JobLogged(job_id=running.job_id, attempt=1, fence=running.fence, lines=LOG[:2]))
    await studio._push()
    await ask(world, "ml.predict", "flights_new.csv", worker="old-laptop", priority="high")
    await ask(world, "data.describe", "archive.csv", worker="old-laptop", priority="low")
    await until(lambda: anna.acked == len(anna.log) and studio.acked == len(studio.log))
    access = Access(person_id=owner, scope=Scope.ADMIN, key_id="pictures")
    await services.keys.create(access, owner, Scope.READ, name="Grafana", by="Anna on the web")
    await services.keys.create(
        access, owner, Scope.ENQUEUE, name="nightly import", by="Anna on the web"
    )
    hook = await webhook(world)
    await services.webhooks.test(owner, hook.webhook_id)
    await joining(world, "kitchen-tablet")
    await services.registry.add_person("Ben")
    await ledger_of(world).write(
        lambda entry: said.note(entry.connection, studio.worker_id, LACKS, "Europe/Berlin")
    )
    for worker in (anna, studio):
        services.registry.beat(worker.worker_id, Beat(metrics=METRICS))
    for _ in range(30):
        services.gauge.run_once()
    await studio.tells(running, 3, 5)
    run = await probe_run(world, worker_id=anna.worker_id, is_over=True)
    await statistics(world, run)
    await transcript(world, run, 0)
    await probe_run(world, worker_id=anna.worker_id, title="run everyday-life.yaml")
    changed = await asking_job(world, anna)
    await _does(world, anna, "code.diff", {"job": changed}, CHANGE)
    reviewed = await _does(world, studio, "code.review", ORDER, REVIEWED)
    plan = (await planned(world, anna, PlanStage.RUNNING)).job_id
    await scheduled(world)
    task = (await world.rest.get(f"/jobs/{done}")).json()["task_id"]
    return {
        "tasks": "/",
        "new-task": "/tasks/new?kind=ml.train",
        "job": f"/jobs/{done}",
        "questions": "/inbox",
        "chats": "/chat",
        "chat": f"/chat/{task}",
        "workers": "/workers",
        "runs": "/runs",
        "run": f"/runs/{run.job_id}",
        "probe": f"/runs/{run.job_id}/probes/0",
        "change": f"/jobs/{changed}/change",
        "review": f"/jobs/{reviewed}",
        "plan": f"/jobs/{plan}",
        "work-order": "/tasks/new?kind=code.bugfix",
        "queue": "/queue",
        "schedules": "/schedules",
        "sessions": "/sessions",
        "dead-letters": "/dead",
        "activity": "/activity",
        "audit": "/audit",
        "connect": "/pair",
        "keys": "/keys",
        "webhooks": "/webhooks",
        "people": "/people",
        "account": "/me",
        "hub": "/hub",
        "api": "/api/v1/docs",
    }


async def taken(surf: Surf, world: World, pages: dict[str, str], folder: Path) -> None:
    """Take four pictures of each page."""
    for scheme in ("light", "dark"):
        for size in (DESKTOP, PHONE):
            surfer = await surf.someone(world.hub, size=size, scheme=scheme)
            for name, path in pages.items():
                await surfer.goes(path)
                await surfer.page.wait_for_timeout(700)  # until progress was told once
                await surfer.page.screenshot(path=folder / f"{name}-{size[0]}-{scheme}.png")
            if surfer.faults:
                sys.exit("\n".join(surfer.faults))


async def sheets(surf: Surf, pages: dict[str, str], folder: Path, out: Path) -> None:
    """Put the four pictures of each page side by side."""
    context = await surf.browser.new_context(viewport={"width": 1958, "height": 482})
    surf.contexts.append(context)
    page = await context.new_page()
    for name in pages:
        files = [f"{name}-{w}-{s}.png" for w in (DESKTOP[0], PHONE[0]) for s in ("light", "dark")]
        told = [base64.b64encode((folder / file).read_bytes()).decode() for file in files]
        images = "".join(f'<img src="data:image/png;base64,{image}">' for image in told)
        await page.set_content(SHEET.format(images=images))
        await page.screenshot(path=out / f"web-{name}.jpg", type="jpeg", quality=60)


async def main(out: Path) -> None:
    chromium = shutil.which(CHROMIUM)
    assert chromium is not None, "needs Debian's package chromium"
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        playwright, browser = await launched(chromium)
        surf = Surf(browser)
        async with open_world(folder / "hub", name="home") as world:
            await world.hub.services.registry.rename(await owner_of(world), "Anna")
            anna, studio = await world.pair("anna-pc"), await world.pair("studio")
            await world.pair("old-laptop")
            for worker in (anna, studio):
                worker.slots, worker.capabilities = 4, (*CAPABILITIES, *CODING, *PLANNING)
            async with anna.online(), studio.online():
                pages = await a_day(world, anna, studio)
                await taken(surf, world, pages, folder)
        await sheets(surf, pages, folder, out)
        shutil.copy(folder / f"tasks-{DESKTOP[0]}-light.png", out / "dashboard.png")
        await surf.close()
        await browser.close()
        await playwright.stop()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    wanted = parser.parse_args().out
    wanted.mkdir(parents=True, exist_ok=True)
    asyncio.run(main(wanted))
