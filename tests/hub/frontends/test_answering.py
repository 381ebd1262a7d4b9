"""Which question words answer: by reply, by being the only one, and never somebody else's."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from hub.core.access import Person
from hub.core.view import Inbound, Sender, View
from shared.ids import ConversationId, QuestionId
from shared.questions import Asking, Choice, QuestionKind
from tests.hub.frontends.test_outbox import Stage
from tests.hub.frontends.world import PuppetWorker, World, open_world, until

HOME = ConversationId("stage:1")
GROUP = ConversationId("stage:group:9")
FIRST = QuestionId("019aa000-0000-7000-8000-000000000003")
SECOND = QuestionId("019aa000-0000-7000-8000-000000000004")
WHICH_FILE = Asking(
    key="file",
    kind=QuestionKind.CLARIFICATION,
    text="Which file?",
    choices=(Choice(value="/d/a.csv", label="a.csv"), Choice(value="/d/b.csv", label="b.csv")),
    allow_text=True,
)


@dataclass
class Talk:
    """People who talk to a hub through a stage, and a worker that asks."""

    world: World
    stage: Stage
    worker: PuppetWorker
    anna: Person
    granted: list[str] = field(default_factory=list)

    async def say(
        self,
        text: str,
        *,
        where: ConversationId = HOME,
        who: Person | None = None,
        replies_to: str = "",
    ) -> list[str]:
        person = who or self.anna
        sender = Sender(
            frontend="stage", external_id=person.name, name="x", person_id=person.person_id
        )
        views = await self.world.hub.inbox(
            Inbound(
                conversation=where,
                sender=sender,
                text=text,
                dedupe=uuid.uuid4().hex,
                in_group="group" in where,
                replies_to=replies_to,
            )
        )
        return [view.text for view in views]

    async def ask(self, question_id: QuestionId, where: ConversationId = HOME) -> str:
        """Bring it about that a question is shown; the message that shows it."""
        before = set(self.worker.grants)
        await self.say("/train", where=where)
        await until(lambda: bool(set(self.worker.grants) - before))
        [job_id] = set(self.worker.grants) - before
        await self.worker.asks(self.worker.grants[job_id], WHICH_FILE, question_id)

        def shown() -> list[View]:
            return [view for _, view, _ in self.stage.shown if view.question_id == question_id]

        await until(lambda: bool(shown()))
        # The note of which message shows it is written right after.
        while True:
            ref = await self.world.hub.outbox._deliveries.shown_ref(
                where, f"question:{question_id}"
            )
            if ref is not None:
                return ref
            await asyncio.sleep(0)

    async def answer_of(self, question_id: QuestionId) -> str:
        question = await self.world.hub.services.views.question(question_id)
        assert question is not None
        return question.answer.value if question.answer else ""

    async def somebody_else(self) -> Person:
        return await self.world.hub.services.registry.add_person("bob")


@pytest.fixture
async def talk(tmp_path: Path) -> AsyncIterator[Talk]:
    async with open_world(tmp_path) as world:
        stage = Stage()
        world.hub.outbox.add(stage)
        worker = await world.pair()
        [anna] = await world.hub.services.registry.people()
        async with worker.online():
            yield Talk(world, stage, worker, anna)


async def test_words_answer_the_only_open_question(talk: Talk) -> None:
    await talk.ask(FIRST)
    assert await talk.say("a file of mine.csv") == []
    assert await talk.answer_of(FIRST) == "a file of mine.csv"


async def test_a_reply_answers_the_question_it_replies_to(talk: Talk) -> None:
    first = await talk.ask(FIRST)
    await talk.ask(SECOND)
    assert await talk.say("b.csv", replies_to=first) == []
    assert (await talk.answer_of(FIRST), await talk.answer_of(SECOND)) == ("/d/b.csv", "")


async def test_a_reply_to_a_settled_question_says_who_was_first(talk: Talk) -> None:
    first = await talk.ask(FIRST)
    await talk.say("b.csv")
    await talk.ask(SECOND)
    told = await talk.say("a.csv", replies_to=first)
    assert told == ["⚠ Answered already by me on Stage: b.csv."]
    assert await talk.answer_of(SECOND) == ""


async def test_a_reply_to_some_other_message_is_just_words(talk: Talk) -> None:
    await talk.ask(FIRST)
    assert await talk.say("a.csv", replies_to="an older message") == []
    assert await talk.answer_of(FIRST) == "/d/a.csv"


async def test_with_several_open_it_asks_which_and_takes_none(talk: Talk) -> None:
    await talk.ask(FIRST)
    await talk.ask(SECOND)
    [told] = await talk.say("a.csv")
    assert told.startswith("2 questions are open. Which one does this answer?\n#")
    assert told.count("Which file?") == 2
    assert (await talk.answer_of(FIRST), await talk.answer_of(SECOND)) == ("", "")
    assert await talk.say("2") == []
    assert await talk.answer_of(SECOND) == "/d/b.csv"


async def test_a_question_shown_here_is_answered_here_wherever_its_job_was_asked_for(
    talk: Talk,
) -> None:
    await talk.say("/help")
    await talk.world.rest.post("/tasks", json={"kind": "ml.train"})
    grant = await talk.worker.any_grant()
    await talk.worker.asks(grant, WHICH_FILE, FIRST)
    await until(lambda: any(v.question_id == FIRST for _, v, _ in talk.stage.shown))
    await talk.say("a.csv")
    assert await talk.answer_of(FIRST) == "/d/a.csv"


async def test_in_a_group_words_that_answer_nothing_get_silence(talk: Talk) -> None:
    await talk.ask(FIRST, GROUP)
    for chatter in ("lunch?", "a", "I think a.csv is wrong"):
        assert await talk.say(chatter, where=GROUP) == []
    assert await talk.answer_of(FIRST) == ""
    await talk.say("a.csv", where=GROUP)
    assert await talk.answer_of(FIRST) == "/d/a.csv"


async def test_in_a_group_only_the_person_asked_can_answer(talk: Talk) -> None:
    ref = await talk.ask(FIRST, GROUP)
    bob = await talk.somebody_else()
    assert await talk.say("a.csv", where=GROUP, who=bob) == []
    foreign = ["⚠ This question is for me."]
    assert await talk.say("a.csv", where=GROUP, who=bob, replies_to=ref) == foreign
    assert await talk.say(f"/answer {FIRST} 1", where=GROUP, who=bob) == foreign
    assert await talk.answer_of(FIRST) == ""
    assert await talk.say("anything.csv", where=GROUP, replies_to=ref) == []
    assert await talk.answer_of(FIRST) == "anything.csv"


async def test_another_persons_question_is_not_even_there_elsewhere(talk: Talk) -> None:
    await talk.ask(FIRST)
    bob = await talk.somebody_else()
    [told] = await talk.say(f"/answer {FIRST} 1", where=ConversationId("stage:2"), who=bob)
    assert told.startswith("⚠ No open question belongs to")


async def test_what_is_for_one_person_never_goes_to_a_group(talk: Talk) -> None:
    await talk.say("/help", where=GROUP)
    await talk.world.pair("studio-mac")
    hub, worded = talk.world.hub, 0
    while worded < hub.services.feed.position():
        worded = await hub.outbox._deliveries.cursor()
    await talk.say("/help")
    await talk.world.pair("third-mac")
    await until(lambda: any("third-mac" in view.text for _, view, _ in talk.stage.shown))
    assert {where for where, _, _ in talk.stage.shown} == {HOME}


async def test_strangers_in_a_group_may_talk_and_a_command_of_theirs_is_refused(
    talk: Talk,
) -> None:
    async def say(text: str) -> tuple[View, ...]:
        return await talk.world.hub.inbox(
            Inbound(
                conversation=GROUP,
                sender=Sender(frontend="stage", external_id="666", name="eve"),
                text=text,
                dedupe=uuid.uuid4().hex,
                in_group=True,
            )
        )

    assert await say("hello all") == ()
    [told] = await say("/jobs")
    assert told.text.startswith("This hub does not know you.")
