"""The workload: one person in two chats and at three computers, who asks, answers and changes
their mind; and at the end an attendant who answers what is still open.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol, TypeVar

from desktop.store import copied
from hub.core.question import GIVE_UP, MARK_DONE, RETRY, Question
from hub.services import Services
from hub.services.requests import Request
from shared.errors import AppError, ErrorBody
from shared.events import AnswerGiven, CancelAsked, RetryAsked, TaskRequested
from shared.ids import JobId, PersonId, TaskId
from shared.jobs import JobState, Priority
from shared.kinds import JsonObject
from shared.questions import Asking
from tests.simulation.hosts import Gone, HubHost, WorkerHost
from tests.simulation.kinds import ONCE, PLAN, RUN, SAFE

T = TypeVar("T")
AGAIN_SECONDS = 3.0
HELD_BACK = ErrorBody(code="paused", message="Paused.", retryable=True)


class Stage(Protocol):
    hub: HubHost
    workers: list[WorkerHost]
    person_id: PersonId

    @property
    def is_busy(self) -> bool:
        """People still have wishes."""

    def note(self, what: str) -> None: ...


@dataclass
class Asked:
    """All that people have asked for, and what they were told."""

    jobs: list[JobId] = field(default_factory=list)
    """Acknowledged by the hub."""
    written: list[JobId] = field(default_factory=list)
    """Written into a computer's own log."""
    repeats_wished: Counter[JobId] = field(default_factory=Counter)
    """How often a person may have said "run it again"."""
    marked_done: set[JobId] = field(default_factory=set)
    revoked: set[str] = field(default_factory=set)


class Person:
    """Makes up wishes."""

    def __init__(self, stage: Stage, asked: Asked, chance: random.Random) -> None:
        self._stage, self._asked, self._chance = stage, asked, chance
        self._pause_seconds = chance.choice((4.0, 12.0, 12.0, 30.0))
        self._answers = chance.random() < 0.85
        """Or leaves questions alone until the very end."""

    async def run(self) -> None:
        while True:
            await asyncio.sleep(self._chance.expovariate(1 / self._pause_seconds))
            if not self._stage.is_busy:
                return
            try:
                await self._wish()
            except Gone:
                continue
            except AppError as error:
                self._stage.note(f"told: {error.code}")

    async def _wish(self) -> None:
        raise NotImplementedError

    def _script(self) -> tuple[str, JsonObject]:
        chance = self._chance
        script: JsonObject = {
            "seconds": round(chance.choice((0.2, 2.0, 10.0, 50.0)) * chance.uniform(0.5, 1.5), 3)
        }
        if chance.random() < 0.35:
            script["asks"] = chance.randint(1, 2)
            if chance.random() < 0.3:
                script["default"] = "left"
        if chance.random() < 0.25:
            script["fails"] = chance.choice(("passing", "lasting", "gone"))
            script["times"] = chance.randint(1, 3)
        elif chance.random() < 0.1:
            seconds = round(chance.choice((0.2, 2.0, 10.0)) * chance.uniform(0.5, 1.5), 3)
            return PLAN.name, {"steps": chance.randint(1, 8), "seconds": seconds}
        elif chance.random() < 0.15:
            seconds = round(chance.choice((0.2, 2.0, 10.0)) * chance.uniform(0.5, 1.5), 3)
            return RUN.name, {"parts": chance.randint(1, 40), "seconds": seconds}
        return chance.choice((ONCE.name, ONCE.name, SAFE.name)), script

    def _answer_to(self, asking: Asking, job_id: JobId) -> str:
        value = self._chance.choice([choice.value for choice in asking.choices])
        self._note_answer(job_id, value)
        return value

    def _note_answer(self, job_id: JobId, value: str) -> None:
        if value == RETRY:
            self._asked.repeats_wished[job_id] += 1
        elif value == MARK_DONE:
            self._asked.marked_done.add(job_id)


class Chatter(Person):
    """A person in a chat: what they say is sent again until the hub has taken it."""

    def __init__(self, name: str, stage: Stage, asked: Asked, chance: random.Random) -> None:
        super().__init__(stage, asked, chance)
        self.name = name
        self._number = 0

    async def _wish(self) -> None:
        dice = self._chance.random()
        if dice < 0.45:
            await self._ask()
        elif dice < 0.8 and self._answers:
            await self._answer()
        elif dice < 0.9:
            await self._cancel()
        elif dice < 0.97:
            await self._retry()
        elif dice < 0.985:
            await self._pause()
        else:
            await self._revoke()

    async def _ask(self) -> None:
        kind, script = self._script()
        self._number += 1
        pinned = (
            self._chance.choice(self._stage.workers).name if self._chance.random() < 0.2 else ""
        )
        request = Request(
            person_id=self._stage.person_id,
            kind=kind,
            inputs=script,
            title=f"{self.name} {self._number}",
            priority=self._chance.choice(list(Priority)),
            worker_name=pinned,
            dedupe=f"{self.name} {self._number}",
        )
        deeds = [self._persist(lambda hub: hub.intake.request(request))]
        if self._chance.random() < 0.1:
            deeds.append(self._persist(lambda hub: hub.intake.request(request)))
        for receipt in await asyncio.gather(*deeds):
            self._asked.jobs.append(receipt.card.job_id)

    async def _answer(self) -> None:
        person = self._stage.person_id
        questions = await self._stage.hub.call(lambda hub: hub.views.open_questions(person))
        if questions:
            question = self._chance.choice(questions)
            value = self._answer_to(question.asking, question.job_id)
            await self._settle(question, value)

    async def _settle(self, question: Question, value: str) -> None:
        person = self._stage.person_id
        await self._stage.hub.call(
            lambda hub: hub.intake.answer(person, question.question_id, value, self.name)
        )

    async def _cancel(self) -> None:
        person = self._stage.person_id
        if self._asked.jobs:
            job_id = self._chance.choice(self._asked.jobs)
            await self._stage.hub.call(lambda hub: hub.intake.cancel(person, job_id, self.name))

    async def _retry(self) -> None:
        person = self._stage.person_id
        states = frozenset({JobState.FAILED, JobState.DEAD, JobState.INTERRUPTED})
        cards = await self._stage.hub.call(lambda hub: hub.views.jobs(person, states=states))
        if cards:
            job_id = self._chance.choice(cards).job_id
            self._asked.repeats_wished[job_id] += 1
            await self._stage.hub.call(lambda hub: hub.intake.retry(person, job_id, self.name))

    async def _pause(self) -> None:
        worker = self._chance.choice(self._stage.workers)
        if worker.agent is not None:
            worker.agent.hold(HELD_BACK)
            await asyncio.sleep(self._chance.uniform(1, 60))
        if worker.agent is not None:
            worker.agent.hold(None)

    async def _revoke(self) -> None:
        if self._asked.revoked or self._chance.random() < 0.5:
            return
        worker = self._chance.choice(self._stage.workers)
        self._asked.revoked.add(worker.name)
        self._stage.note(f"{worker.name} is shown out")
        person = self._stage.person_id
        await self._persist(
            lambda hub: hub.registry.revoke(person, worker.pairing.worker_id, self.name)
        )

    async def _persist(self, deed: Callable[[Services], Awaitable[T]]) -> T:
        """Say it until the hub has taken it."""
        while True:
            try:
                return await self._stage.hub.call(deed)
            except Gone:
                await asyncio.sleep(self._chance.uniform(0, AGAIN_SECONDS))


class Sitter(Person):
    """A person at a computer, who sees only its copy and writes only into its log."""

    def __init__(
        self, worker: WorkerHost, stage: Stage, asked: Asked, chance: random.Random
    ) -> None:
        super().__init__(stage, asked, chance)
        self._worker = worker
        self._pause_seconds *= 2

    async def _wish(self) -> None:
        dice = self._chance.random()
        if dice < 0.4:
            await self._ask()
        elif dice < 0.8 and self._answers:
            await self._answer()
        elif dice < 0.9:
            await self._cancel()
        else:
            await self._retry()

    async def _ask(self) -> None:
        kind, script = self._script()
        new_id = self._worker.environment.new_id
        own = self._worker.pairing.worker_id
        body = TaskRequested(
            task_id=TaskId(new_id()),
            job_id=JobId(new_id()),
            kind=kind,
            inputs=script,
            title=f"at {self._worker.name}",
            worker_id=own if self._chance.random() < 0.3 else None,
        )
        await self._worker.say(body)
        self._asked.written.append(body.job_id)

    async def _answer(self) -> None:
        rows = await self._worker.read(copied.open_questions)
        rows = tuple(row for row in rows if not row.given)
        if rows:
            row = self._chance.choice(rows)
            value = self._answer_to(row.asking, row.job_id)
            await self._worker.say(
                AnswerGiven(question_id=row.question_id, job_id=row.job_id, value=value)
            )

    async def _cancel(self) -> None:
        rows = await self._worker.read(lambda c: copied.newest(c, 20))
        if rows:
            await self._worker.say(CancelAsked(job_id=self._chance.choice(rows).job_id))

    async def _retry(self) -> None:
        rows = await self._worker.read(lambda c: copied.newest(c, 20))
        wanted = (JobState.FAILED, JobState.DEAD, JobState.INTERRUPTED)
        rows = tuple(row for row in rows if row.state in wanted)
        if rows:
            job_id = self._chance.choice(rows).job_id
            self._asked.repeats_wished[job_id] += 1
            await self._worker.say(RetryAsked(job_id=job_id))


class Attendant(Chatter):
    """Answers all that is open, so that every job can come to its end."""

    async def run_until(self, is_over: Callable[[], bool]) -> None:
        while not is_over():
            await asyncio.sleep(1.0)
            try:
                await self._look()
            except (Gone, AppError):
                continue

    async def _look(self) -> None:
        person = self._stage.person_id
        for question in await self._stage.hub.call(lambda hub: hub.views.open_questions(person)):
            value = self._value_for(question)
            self._note_answer(question.job_id, value)
            await self._settle(question, value)
        if self._asked.revoked:
            await self._free_pinned()

    async def _free_pinned(self) -> None:
        """What only a machine could do that was shown out is given up."""
        person = self._stage.person_id
        gone = {w.pairing.worker_id for w in self._stage.workers if w.name in self._asked.revoked}
        states = frozenset({JobState.QUEUED})
        for card in await self._stage.hub.call(lambda hub: hub.views.jobs(person, states=states)):
            if card.job.pinned_to in gone:
                await self._stage.hub.call(partial(_give_up, person_id=person, job_id=card.job_id))

    def _value_for(self, question: Question) -> str:
        if question.is_hubs:
            return self._chance.choice((RETRY, MARK_DONE, GIVE_UP, GIVE_UP))
        return self._chance.choice([choice.value for choice in question.asking.choices])


async def _give_up(hub: Services, person_id: PersonId, job_id: JobId) -> None:
    await hub.intake.cancel(person_id, job_id, "attendant")
