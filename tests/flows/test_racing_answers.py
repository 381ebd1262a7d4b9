"""A thousand answers to 250 questions race from four surfaces: one wins each, the others are told.

The surfaces are those people have: a program at the REST API, forms of the web, a terminal at the
chat socket, and a computer of theirs that answers in its own log and tells the hub of it.
"""

from __future__ import annotations

import asyncio
import base64
import json
import random
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from desktop.desk.desk import Desk
from hub.core.question import Question, QuestionState
from hub.frontends.web.toast import COOKIE as TOAST
from hub.services.requests import Request
from shared.events import AnswerSuperseded
from shared.ids import JobId, QuestionId, TaskId
from shared.questions import Asking, Choice, QuestionKind
from tests.flows.desks import a_desk
from tests.flows.ring import PATIENCE_SECONDS, Ring
from tests.hub.frontends.web.browsing import Guest, open_guest
from tests.hub.frontends.world import Chat, PuppetWorker, World, open_world, until

pytestmark = [pytest.mark.flow, pytest.mark.timeout(240)]

QUESTIONS = 250
TERMINALS = 5
AT_ONCE = 10
"""Questions that are raced for at a time: with all of them, only the quickest surface would win."""
HEAD_START_SECONDS = 0.1
SEED = 20_261_121
REST, WEB, CHAT, COMPUTER = "rest", "web", "chat", "computer"
SURFACES = (REST, WEB, CHAT, COMPUTER)
ANSWERS = QUESTIONS * len(SURFACES)
PLACES = {REST: "me on the API", WEB: "me on the web", CHAT: "me on the console",
          COMPUTER: "me on desk-pc"}  # fmt: skip
WHICH = Asking(
    key="which",
    kind=QuestionKind.CHOICE,
    text="Whose answer counts?",
    choices=tuple(Choice(value=name, label=name.title()) for name in SURFACES),
)


@dataclass(slots=True)
class Race:
    """What each surface was told of its answers."""

    world: World
    guest: Guest
    terminals: list[tuple[Chat, asyncio.Lock]]
    desk: Desk
    questions: dict[QuestionId, tuple[JobId, TaskId]]
    told: dict[tuple[QuestionId, str], str] = field(default_factory=dict)
    """What a surface was told at once: empty for an answer that counted."""
    chance: random.Random = field(default_factory=lambda: random.Random(SEED))
    room: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_ONCE))

    async def run(self, question_id: QuestionId) -> None:
        """Let all surfaces answer a question at once, a hair apart."""
        async with self.room, asyncio.TaskGroup() as tasks:
            for surface in self.chance.sample(SURFACES, len(SURFACES)):
                tasks.create_task(self._answer(question_id, surface))

    async def _answer(self, question_id: QuestionId, surface: str) -> None:
        await asyncio.sleep(self.chance.random() * HEAD_START_SECONDS)
        match surface:
            case "rest":
                told = await self._by_rest(question_id)
            case "web":
                told = await self._on_the_web(question_id)
            case "chat":
                told = await self._in_chat(question_id)
            case _:
                job_id, _ = self.questions[question_id]
                await self.desk.requests.answer(question_id, job_id, COMPUTER)
                return  # it hears of it with the hub's log
        self.told[question_id, surface] = told

    async def _by_rest(self, question_id: QuestionId) -> str:
        path = f"/questions/{question_id}/answer"
        answered = await self.world.rest.post(path, json={"reply": REST})
        if answered.status_code == httpx.codes.OK:
            return ""
        assert answered.status_code == httpx.codes.CONFLICT, answered.text
        problem = answered.json()
        assert problem["code"] == "question_answered"
        return str(problem["detail"])

    async def _on_the_web(self, question_id: QuestionId) -> str:
        sent = await self.guest.post(f"/questions/{question_id}/answer", reply=WEB)
        assert sent.status_code == httpx.codes.SEE_OTHER, sent.text
        says = str(json.loads(base64.urlsafe_b64decode(sent.cookies[TOAST]))["says"])
        return "" if says == "Answered: Web" else says

    async def _in_chat(self, question_id: QuestionId) -> str:
        chat, turn = self.terminals[hash(question_id) % TERMINALS]
        async with turn, asyncio.timeout(PATIENCE_SECONDS * 4):
            before = len(chat.shown)
            await chat.client.say(question_id, f"/answer {question_id} {CHAT}")
            while question_id not in chat.answered:  # noqa: ASYNC110 - a terminal has no bell
                await asyncio.sleep(0.01)
        return next((v.text for _, v in chat.shown[before:] if v.text.startswith("⚠")), "")


@pytest.fixture
async def race(tmp_path: Path) -> AsyncIterator[Race]:
    async with AsyncExitStack() as stack:
        world = await stack.enter_async_context(open_world(tmp_path / "hub"))
        worker = await world.pair()
        worker.slots = 32
        await stack.enter_async_context(worker.online())
        owner = (await world.hub.services.registry.people())[0]
        ring = Ring(tmp_path, world.hub, owner.person_id)
        desk = await stack.enter_async_context(a_desk(ring))
        guest = await stack.enter_async_context(open_guest(world))
        # A thousand at once on a busy machine: nobody gives up on an answer.
        world.rest.timeout = guest.http.timeout = httpx.Timeout(PATIENCE_SECONDS * 4)
        chats = [await stack.enter_async_context(world.chat()) for _ in range(TERMINALS)]
        questions = await asked(world, worker)
        yield Race(world, guest, [(chat, asyncio.Lock()) for chat in chats], desk, questions)


async def asked(world: World, worker: PuppetWorker) -> dict[QuestionId, tuple[JobId, TaskId]]:
    """Have as many jobs as there are questions, each of which waits for an answer."""
    owner = (await world.hub.services.registry.people())[0]
    request = Request(person_id=owner.person_id, kind="ml.train")
    async with asyncio.TaskGroup() as tasks:
        made = [
            tasks.create_task(world.hub.services.intake.request(request)) for _ in range(QUESTIONS)
        ]
    jobs = [receipt.result().card.job for receipt in made]
    waiting = {job.job_id: job.task_id for job in jobs}
    questions: dict[QuestionId, tuple[JobId, TaskId]] = {}
    while waiting:
        await until(lambda: bool(waiting.keys() & worker.grants.keys()))
        for job_id in sorted(waiting.keys() & worker.grants.keys()):
            question_id = QuestionId(f"019aa000-0000-7000-8000-{len(questions):012x}")
            await worker.starts(worker.grants[job_id])
            await worker.asks(worker.grants[job_id], WHICH, question_id)
            questions[question_id] = job_id, waiting.pop(job_id)
    await until(lambda: worker.acked == len(worker.log))
    return questions


async def settled(world: World, question_id: QuestionId) -> Question:
    question = await world.hub.services.views.question(question_id)
    assert question is not None
    assert question.state is QuestionState.ANSWERED
    return question


async def superseded(race: Race, count: int) -> dict[QuestionId, AnswerSuperseded]:
    """Wait until the log says of so many answers that they came second."""
    feed = race.world.hub.services.feed
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            bodies = [fact.body for fact in await feed.after(0, 100_000)]
            second = [body for body in bodies if isinstance(body, AnswerSuperseded)]
            if len(second) >= count:
                return {body.question_id: body for body in second}
            await feed.wait(feed.position())


async def copied(desk: Desk) -> dict[str, str]:
    """The answers as the computer's own copy of the log has them."""
    rows = await desk.look(
        lambda c: c.execute(
            "select question_id, value from copy_question where state = 'answered'"
        ).fetchall()
    )
    return {str(question_id): str(value) for question_id, value in rows}


async def test_a_thousand_answers_have_one_winner_each_and_the_losers_are_told(
    race: Race,
) -> None:
    began = time.perf_counter()
    async with asyncio.TaskGroup() as tasks:
        for question_id in race.questions:
            tasks.create_task(race.run(question_id))
    took = time.perf_counter() - began
    async with asyncio.timeout(PATIENCE_SECONDS):
        while await race.desk.waiting_count():  # noqa: ASYNC110 - an outbox has no bell
            await asyncio.sleep(0.01)

    answers = {q: (await settled(race.world, q)).answer for q in race.questions}
    wins = Counter(answer.value for answer in answers.values() if answer is not None)
    assert wins.total() == QUESTIONS
    seconds = await superseded(race, QUESTIONS - wins[COMPUTER])

    for question_id, answer in answers.items():
        assert answer is not None
        winner = answer.value
        assert answer.by == PLACES[winner]
        # Exactly one believes that it won: the one whose answer stands.
        at_once = {s: race.told[question_id, s] for s in (REST, WEB, CHAT)}
        believed = {s for s, told in at_once.items() if not told}
        believed |= {COMPUTER} - ({COMPUTER} if question_id in seconds else set())
        assert believed == {winner}, (question_id, at_once)
        # Every other one is told whose answer it was, and what it said.
        who = PLACES[winner]
        for surface, told in at_once.items():
            name = who.replace("me on", "you on", 1) if surface == WEB else who
            assert not told or (name in told and told.rstrip(".").endswith(winner.title())), told
        if question_id in seconds:
            assert seconds[question_id].counted == answer

    copy = await agreed(race.desk, {q: a.value for q, a in answers.items() if a is not None})
    assert len(copy) == QUESTIONS
    await shown_alike(race)
    print(
        f"\n{ANSWERS:,} answers to {QUESTIONS} questions from {len(SURFACES)} surfaces in"
        f" {took:.2f} s ({ANSWERS / took:,.0f} a second); won: "
        + ", ".join(f"{surface} {wins[surface]}" for surface in SURFACES)
        + f"; told that they came second: {ANSWERS - QUESTIONS}"
    )


async def agreed(desk: Desk, wanted: dict[QuestionId, str]) -> dict[str, str]:
    """Wait until the computer's copy has the answers that count."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while (copy := await copied(desk)) != wanted:  # noqa: ASYNC110 - a copy has no bell
            await asyncio.sleep(0.05)
    return copy


async def shown_alike(race: Race) -> None:
    """See for a few questions that API and page show the same answer by the same person."""
    for question_id in list(race.questions)[:: QUESTIONS // 10]:
        answer = (await settled(race.world, question_id)).answer
        assert answer is not None
        _, task_id = race.questions[question_id]
        told = (await race.world.rest.get(f"/tasks/{task_id}/messages")).json()["messages"]
        said = [(one["by"], one["text"]) for one in told if one["author"] == "person"]
        assert (answer.by, answer.value.title()) in said
        page = await race.guest.look(f"/chat/{task_id}")
        assert answer.by.replace("me on", "You on", 1) in page
