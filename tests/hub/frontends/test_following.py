"""Going on with something in a chat: replies, "continue", /continue; the same computer goes on."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from hub.core.access import Person
from hub.core.job import JobCard
from hub.core.session import IDLE_SECONDS
from hub.core.view import Inbound, Sender, View
from hub.frontends.inbox import ChatInbox
from hub.frontends.outbox import Outbox
from hub.services.deliveries import Deliveries
from shared.capabilities import Capability
from shared.errors import ErrorBody
from shared.events import JobFailed, JobStarted, JobSucceeded, QuestionAsked
from shared.ids import ConversationId, QuestionId
from shared.jobs import JobState, Origin
from shared.kinds import JsonObject
from shared.messages import Grant, Offer
from tests.hub.frontends.test_outbox import HOME, Stage
from tests.hub.worlds import Desk, World
from tests.makers import ABLE, LASTING, make_asking

DESCRIBED: JsonObject = {"headline": "sales.csv: 3 rows.", "rows": 3, "columns": []}


@dataclass
class Talk:
    """A chat with a hub whose loops do not run."""

    world: World
    person: Person
    desk: Desk
    stage: Stage = field(default_factory=Stage)
    numbers: itertools.count[int] = field(default_factory=itertools.count)
    grants: list[Grant] = field(default_factory=list)

    def __post_init__(self) -> None:
        services, environment = self.world.services, self.world.environment
        self.deliveries = Deliveries(self.world.database, environment)
        self.outbox = Outbox(services=services, deliveries=self.deliveries, environment=environment)
        self.outbox.add(self.stage)
        self.inbox = ChatInbox(
            services=services,
            deliveries=self.deliveries,
            environment=environment,
            hub_url="http://hub",
            ring=lambda _: None,
        )

    async def say(
        self,
        text: str,
        *,
        reply: str = "",
        by: Person | None = None,
        in_group: bool = False,
        where: ConversationId = HOME,
    ) -> list[View]:
        person = by or self.person
        sender = Sender(
            frontend="stage",
            external_id=person.name,
            name=person.name,
            person_id=person.person_id,
        )
        self.world.clock.advance(0.001)
        views = await self.inbox(
            Inbound(
                conversation=where,
                sender=sender,
                text=text,
                dedupe=str(next(self.numbers)),
                replies_to=reply,
                in_group=in_group,
            )
        )
        return list(views)

    async def show(self) -> None:
        await self.outbox.word_once()
        for _ in range(50):
            wait = await self.outbox.show_once(HOME)
            if wait is None:
                return
            self.world.clock.advance(wait)

    @property
    def refs(self) -> list[str]:
        """The messages about jobs that are shown, the oldest first."""
        return [
            f"m{number}"
            for number, (_, view, replaced) in enumerate(self.stage.shown, start=1)
            if view.job_id and not replaced
        ]

    async def newest(self) -> JobCard:
        [card] = await self.world.services.views.jobs(self.person.person_id, limit=1)
        return card

    async def begin(self, text: str = "/describe sales.csv") -> tuple[JobCard, Grant]:
        assert await self.say(text) == []
        grant = await self.desk.take()
        await self.desk.report(
            JobStarted(job_id=grant.job_id, attempt=grant.attempt, fence=grant.fence)
        )
        return await self.newest(), grant

    async def run(self, text: str = "/describe sales.csv") -> JobCard:
        _, grant = await self.begin(text)
        await self.finish(grant)
        return await self.newest()

    async def finish(self, grant: Grant, result: JsonObject = DESCRIBED) -> None:
        await self.desk.report(
            JobSucceeded(
                job_id=grant.job_id,
                attempt=grant.attempt,
                fence=grant.fence,
                result=result,
                running_seconds=1,
            )
        )

    async def fail(self, grant: Grant, error: ErrorBody = LASTING) -> None:
        await self.desk.report(
            JobFailed(job_id=grant.job_id, attempt=grant.attempt, fence=grant.fence, error=error)
        )


CODING = Capability(kind="code.bugfix", tools=("mine",))


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path)
    yield world
    world.database.close()


@pytest.fixture
async def talk(world: World) -> Talk:
    anna = await world.person()
    return Talk(world, anna, await world.desk(anna, capabilities=(*ABLE, CODING)))


async def assert_follows(talk: Talk, before: JobCard) -> JobCard:
    """The newest job is of the same task and session, and waits for the same computer."""
    card = await talk.newest()
    assert card.job_id != before.job_id
    assert card.job.task_id == before.job.task_id
    assert card.job.session_id == before.job.session_id
    assert card.job.pinned_to == talk.desk.worker_id
    return card


@pytest.mark.parametrize(
    "said",
    [
        "/continue /train sales.csv",
        "/continue train sales.csv",
        "/continue #{short} /train sales.csv",
        "/continue #{short} head sales.csv",
    ],
)
async def test_continue_with_a_command_goes_on_in_the_session(talk: Talk, said: str) -> None:
    first = await talk.run()
    other = await talk.world.desk(talk.person, "studio-mac", slots=9)
    assert await talk.say(said.format(short=first.short)) == []
    await assert_follows(talk, first)
    assert await other.offers() == []
    assert [m for m in talk.desk.fetch() if isinstance(m, Offer)]


async def test_a_reply_to_any_message_about_a_task_goes_on_with_it(talk: Talk) -> None:
    _, grant = await talk.begin()
    await talk.show()
    await talk.finish(grant)
    await talk.show()
    status, last = talk.refs
    first = await talk.newest()
    for ref in (status, last):
        assert await talk.say("/train sales.csv", reply=ref) == []
        await assert_follows(talk, first)


async def test_a_command_that_replies_to_nothing_begins_a_task(talk: Talk) -> None:
    first = await talk.run()
    for reply in ("", "m999"):
        await talk.say("/train sales.csv", reply=reply)
        assert (await talk.newest()).job.task_id != first.job.task_id


async def test_when_the_session_is_over_one_sentence_says_so_and_the_job_goes_on(
    talk: Talk,
) -> None:
    first = await talk.run()
    talk.world.clock.advance(IDLE_SECONDS + 1)
    [view] = await talk.say("/continue /train sales.csv")
    assert view.text == (
        "The session on anna-pc is over (nothing happened in it for 30 minutes), so this begins "
        "a new one."
    )
    card = await talk.newest()
    assert (card.job.task_id, card.job.session_id) == (first.job.task_id, None)
    assert card.job.pinned_to is None


@pytest.mark.parametrize("word", ["continue", "Continue.", "/continue", "/task continue"])
async def test_continue_alone_tries_again_there_what_failed(talk: Talk, word: str) -> None:
    first, grant = await talk.begin()
    await talk.show()
    await talk.fail(grant)
    other = await talk.world.desk(talk.person, "studio-mac", slots=9)
    assert await talk.say(word, reply=talk.refs[0]) == []
    card = await talk.newest()
    assert (card.job_id, card.state) == (first.job_id, JobState.QUEUED)
    assert card.job.pinned_to == talk.desk.worker_id
    assert await other.offers() == []


async def test_continue_alone_shows_an_open_question_and_does_not_answer_it(talk: Talk) -> None:
    _, grant = await talk.begin("/train")
    question_id = QuestionId(talk.world.environment.new_id())
    await talk.desk.report(
        QuestionAsked(
            job_id=grant.job_id,
            attempt=grant.attempt,
            fence=grant.fence,
            question_id=question_id,
            asking=make_asking().model_copy(update={"allow_text": True}),
        )
    )
    [view] = await talk.say("continue")
    assert (view.text, view.question_id) == ("Which file?", question_id)
    assert [button.label for button in view.buttons] == ["sales.csv", "churn.csv"]
    question = await talk.world.services.views.question(question_id)
    assert question is not None
    assert question.state.is_open


async def test_continue_alone_says_where_the_session_is_and_how_long_it_lives(
    talk: Talk,
) -> None:
    card = await talk.run()
    talk.world.clock.advance(600)
    [view] = await talk.say("continue")
    assert view.text == (
        f"#{card.short} done · describe sales.csv\n"
        "Its session is on anna-pc and lives until 12:30, at most 13:00 if it is used.\n"
        f"To go on: /continue #{card.short} /train, or reply to a message about it with a "
        "command such as /head."
    )
    assert [b.says for b in view.buttons] == []


async def test_continue_alone_says_how_a_job_at_work_stands(talk: Talk) -> None:
    card, _ = await talk.begin()
    [view] = await talk.say("continue")
    assert "Its session is on anna-pc and takes more until 13:00." in view.text
    assert [b.says for b in view.buttons] == [f"/cancel {card.job_id}"]
    talk.world.clock.advance(3601)
    [view] = await talk.say("continue")
    assert "is an hour old: it takes nothing new and ends with this." in view.text


async def test_continue_alone_says_that_a_session_is_over(talk: Talk) -> None:
    await talk.run()
    talk.world.clock.advance(IDLE_SECONDS + 1)
    [view] = await talk.say("continue")
    assert "is over: nothing happened in it for 30 minutes" in view.text


async def test_who_ended_it_is_you_when_it_was_you(talk: Talk) -> None:
    card = await talk.run()
    assert card.job.session_id is not None
    await talk.world.services.sessions.terminate(None, card.job.session_id, "anna on Telegram")
    [view] = await talk.say("continue")
    assert "is over: you on Telegram ended it." in view.text


async def test_continue_with_nothing_there_says_how_to_begin(talk: Talk) -> None:
    [view] = await talk.say("continue")
    assert "nothing to go on with" in view.text


async def test_what_makes_no_job_cannot_be_done_in_a_session(talk: Talk) -> None:
    await talk.run()
    for said in ("/continue /jobs", "/continue /continue /jobs", "/continue /lock"):
        [view] = await talk.say(said)
        assert "is nothing that a computer could go on with" in view.text


async def test_among_people_continue_is_a_word_like_any_other(talk: Talk) -> None:
    await talk.run()
    assert await talk.say("continue", in_group=True) == []


async def test_a_reply_to_what_is_somebody_elses_begins_a_task_of_ones_own(talk: Talk) -> None:
    first, grant = await talk.begin()
    await talk.show()
    bob = await talk.world.person("bob")
    reply = talk.refs[0]
    assert await talk.say("/train sales.csv", reply=reply, by=bob, in_group=True) == []
    [card] = await talk.world.services.views.jobs(bob.person_id)
    assert card.job.task_id != first.job.task_id
    [view] = await talk.say(f"/continue #{first.short}", by=bob, in_group=True)
    assert "There is no such job." in view.text
    await talk.finish(grant)


async def test_a_model_is_asked_about_where_it_was_trained_also_tomorrow(talk: Talk) -> None:
    _, grant = await talk.begin("/train sales.csv Revenue")
    model = {
        "model_id": "m1", "name": "sales", "task": "regression", "target": "Revenue",
        "metric": "R2", "score": 0.8, "score_spread": 0.0, "baseline": 0.0, "rows": 3,
        "columns": 1, "created_at": "2026-11-20T12:00:00Z", "seconds": 1, "complete": True,
    }  # fmt: skip
    result = {"headline": "Ready.", "model": model}
    await talk.desk.report(
        JobSucceeded(
            job_id=grant.job_id, attempt=grant.attempt, fence=grant.fence, result=result,
            running_seconds=1,
        )
    )  # fmt: skip
    talk.world.clock.advance(24 * 3600)
    await talk.world.services.sessions.run_once()
    other = ConversationId("stage:elsewhere")
    [view] = await talk.say(f"/continue #{(await talk.newest()).short} /models", where=other)
    assert "is over" in view.text
    assert (await talk.newest()).job.pinned_to == talk.desk.worker_id


async def coding(talk: Talk) -> JobCard:
    """A work order that is at work."""
    inputs: JsonObject = {"repository": "shop", "instructions": "It loses cents.", "agent": "mine"}
    await talk.world.request(
        talk.person, "code.bugfix", inputs=inputs, conversation=HOME, origin=Origin.CHAT
    )
    grant = await talk.desk.take()
    talk.grants.append(grant)
    started = JobStarted(job_id=grant.job_id, attempt=grant.attempt, fence=grant.fence)
    await talk.desk.report(started)
    await talk.show()
    return await talk.newest()


async def test_words_about_a_coding_job_are_its_next_work_order(talk: Talk) -> None:
    first = await coding(talk)
    for words in ("Now also add a test.", "/task Now also add a test."):
        assert await talk.say(words, reply=talk.refs[0]) == []
        card = await assert_follows(talk, first)
        assert card.kind == "code.bugfix"
        assert card.inputs == {**first.inputs, "instructions": "Now also add a test."}


async def test_the_next_work_order_goes_on_where_the_one_before_came_to(talk: Talk) -> None:
    first = await coding(talk)
    result: JsonObject = {"headline": "Mended.", "branch": "deskhand/k7q2-cents", "base": "main"}
    [grant] = [g for g in talk.grants if g.job_id == first.job_id]
    await talk.finish(grant, result)
    talk.world.clock.advance(IDLE_SECONDS + 1)
    await talk.say("Now also add a test.", reply=talk.refs[0])
    card = await talk.newest()
    assert card.job.session_id is None
    assert card.inputs["branch"] == "deskhand/k7q2-cents"
    assert card.inputs["base"] == "main"
    assert card.inputs["repository"] == "shop"


async def test_words_about_a_coding_job_go_on_with_it_whatever_was_looked_at_since(
    talk: Talk,
) -> None:
    first = await coding(talk)
    await talk.world.request(
        talk.person, "code.diff", inputs={"job": first.job_id}, task_id=first.job.task_id
    )
    assert await talk.say("Now also add a test.", reply=talk.refs[0]) == []
    assert (await talk.newest()).kind == "code.bugfix"


async def test_words_about_other_work_are_a_task_that_knows_what_was_done(talk: Talk) -> None:
    first = await talk.run()
    await talk.show()
    assert await talk.say("Now tell me what is odd in it.", reply=talk.refs[0]) == []
    card = await talk.newest()
    assert (card.kind, card.job.task_id) == ("plan", first.job.task_id)
    assert card.inputs["task"] == "Now tell me what is odd in it."
    assert "sales.csv: 3 rows." in str(card.inputs["earlier"])


async def test_among_people_words_that_reply_to_nothing_ask_for_nothing(talk: Talk) -> None:
    first = await coding(talk)
    assert await talk.say("Now also add a test.", in_group=True) == []
    assert (await talk.newest()).job_id == first.job_id


async def test_of_a_coding_job_it_is_said_that_words_are_enough(talk: Talk) -> None:
    await coding(talk)
    [view] = await talk.say("continue", reply=talk.refs[0])
    assert "say what comes next" in view.text
