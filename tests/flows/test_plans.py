"""Plans over real sockets and in real children: carried out, killed in the middle, cancelled."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from desktop.agent.setup import EXECUTORS_AT, KINDS_AT
from desktop.core.llm.rules import LlmRules
from desktop.core.llm.types import Endpoint
from desktop.jobs.code.samples.model import MODEL, serving
from desktop.jobs.plan.samples.model import COMPOSES, PLANS, Rule, answers
from desktop.jobs.plan.samples.writing import clarify, plan, question, step, taken, value
from hub.app import running
from hub.services.requests import Request
from hub.settings import Settings
from shared.ids import JobId
from shared.jobs import JobState, Origin
from tests.flows.ring import PATIENCE_SECONDS, Ring, Worker, everything, farewell

pytestmark = [pytest.mark.flow, pytest.mark.timeout(120)]

TASK = "Say what is in the two notes, and write it down."
FIRST, SECOND = "What is in the first?", "What is in the second?"
PLAN = plan(
    "Write down what is in two notes.",
    step("one", "Read the first", "llm.ask", gives={"text": "text"}, words=FIRST),
    step(
        "two", "Read the second", "llm.ask", taken("text", "one", "text"),
        gives={"text": "text"}, words=SECOND,
    ),
    step(
        "page", "Write it down", "files.write", value("file", "both.md"),
        taken("text", "two", "text"), gives={"file": "file"}, permission="write",
        criteria=(("file_exists", ""),),
    ),
)  # fmt: skip
RULES = (
    Rule((PLANS, "The person says:"), PLAN),
    Rule((PLANS,), clarify("It is not clear.", question("How long?", "Short", "Long"))),
    Rule((COMPOSES,), "Both are empty [1][2]; that is written down [3]."),
    Rule((FIRST,), "Nothing is in the first."),
    Rule((SECOND,), "Nothing is in either."),
)


@dataclass
class Model:
    """A scripted model that counts what it is asked, and may keep somebody waiting."""

    held: str = ""
    """Words of requests that wait."""
    asked: Counter[str] = field(default_factory=Counter)
    is_waiting: threading.Event = field(default_factory=threading.Event)
    freed: threading.Event = field(default_factory=threading.Event)

    def __call__(self, body: Mapping[str, object]) -> dict[str, object]:
        text = str(body.get("messages"))
        rule = next(rule for rule in RULES if all(word in text for word in rule.when))
        self.asked[rule.when[0]] += 1
        if self.held and self.held in rule.when:
            self.is_waiting.set()
            self.freed.wait(PATIENCE_SECONDS)
        return answers(RULES)(body)


@dataclass
class Place:
    ring: Ring
    worker: Worker
    model: Model
    files: Path

    async def begin(self) -> JobId:
        """Ask for the task, and answer until it is carried out."""
        receipt = await self.ring.hub.services.intake.request(
            Request(
                person_id=self.ring.person_id,
                kind="plan",
                inputs={"task": TASK},
                origin=Origin.API,
            )
        )
        job_id = receipt.card.job_id
        asked = await self.ring.question(job_id)
        assert asked.asking.text == "How long?"
        await self.ring.answer(job_id, "Short")
        await self.ring.until(job_id, JobState.RUNNING)
        approval = await self.ring.question(job_id)
        assert "3. Write it down (files.write, writes files, after 2)" in approval.asking.text
        await self.ring.answer(job_id, "Go")
        return job_id

    async def until_held(self) -> None:
        assert await asyncio.to_thread(self.model.is_waiting.wait, PATIENCE_SECONDS)

    async def questions(self, job_id: JobId) -> int:
        history = await self.ring.history(job_id)
        return sum(fact.type == "question_asked" for fact in history)


@contextlib.asynccontextmanager
async def a_place(folder: Path, model: Model) -> AsyncIterator[Place]:
    """A hub and a worker with the product's kinds, and a model that answers by rules."""
    files = folder / "files"
    files.mkdir()
    with serving(model) as address:
        endpoint = Endpoint(name="script", base_url=address, is_local=True, models=(MODEL,))
        policy = everything(files).model_copy(update={"llm": LlmRules(endpoints=(endpoint,))})
        settings = Settings(data=folder / "hub", port=0, host="127.0.0.1")
        async with running(settings) as hub:
            (owner,) = await hub.services.registry.people()
            ring = Ring(folder=folder, hub=hub, person_id=owner.person_id)
            try:
                worker = await ring.pair("anna-pc", policy=policy)
                worker.setup = replace(worker.setup, kinds_at=KINDS_AT, executors_at=EXECUTORS_AT)
                worker.start()
                yield Place(ring, worker, model, files)
            finally:
                model.freed.set()
                await farewell(ring.workers)


async def test_a_task_is_planned_asked_about_and_carried_out(tmp_path: Path) -> None:
    async with a_place(tmp_path, Model()) as place:
        job_id = await place.begin()
        card = await place.ring.until(job_id, JobState.SUCCEEDED, JobState.FAILED)
        assert card.result is not None, card
        assert card.result["answer"] == "Both are empty [1][2]; that is written down [3]."
        assert card.result["files"] == ["both.md"]
        assert (place.files / "both.md").read_text().strip() == "Nothing is in either."
        assert place.model.asked == {PLANS: 2, COMPOSES: 1, FIRST: 1, SECOND: 1}


async def test_a_worker_that_dies_in_the_middle_goes_on_and_repeats_nothing(tmp_path: Path) -> None:
    model = Model(held=SECOND)
    async with a_place(tmp_path, model) as place:
        job_id = await place.begin()
        await place.until_held()
        await place.worker.stop()
        model.held = ""
        model.freed.set()
        place.worker.start()
        card = await place.ring.until(job_id, JobState.SUCCEEDED, JobState.FAILED)
        assert card.state is JobState.SUCCEEDED, card
        # The call that was cut off is made again; what was answered before is not.
        assert model.asked == {PLANS: 2, COMPOSES: 1, FIRST: 1, SECOND: 2}
        assert await place.questions(job_id) == 2
        assert [path.name for path in place.files.iterdir()] == ["both.md"]


async def test_a_cancelled_plan_ends_its_steps_and_does_no_more(tmp_path: Path) -> None:
    model = Model(held=SECOND)
    async with a_place(tmp_path, model) as place:
        job_id = await place.begin()
        await place.until_held()
        await place.ring.hub.services.intake.cancel(place.ring.person_id, job_id, "anna")
        await place.ring.until(job_id, JobState.CANCELLED)
        model.freed.set()
        await place.worker.until_idle()
        assert model.asked == {PLANS: 2, FIRST: 1, SECOND: 1}
        assert list(place.files.iterdir()) == []
