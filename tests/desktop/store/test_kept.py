"""What this machine keeps without a hub survives a crash, and is done once."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from desktop.core.attempt import AttemptState
from desktop.store import facts, kept
from desktop.store.database import open_store
from desktop.store.facts import Pairing
from desktop.store.hands import Hands
from shared.database import Database
from shared.environment import Environment
from shared.errors import BadInput
from shared.events import (
    AnswerGiven,
    CancelAsked,
    JobCancelled,
    JobFailed,
    JobInterrupted,
    JobParked,
    JobResumed,
    JobStarted,
    QuestionAsked,
    TaskRequested,
    body_of,
)
from shared.ids import JobId, QuestionId, TaskId, WorkerId
from shared.questions import Asking, Choice, QuestionKind
from tests.makers import KINDS

ME = WorkerId("01a1fdf6-01bb-781f-9fad-94ee4efff531")
ASKING = Asking(
    key="colour",
    kind=QuestionKind.CHOICE,
    text="Which colour?",
    choices=(Choice(value="red", label="Red"), Choice(value="blue", label="Blue")),
)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with open_store(tmp_path / "store.sqlite3") as opened:
        pairing = Pairing(
            hub_url="http://127.0.0.1:1",
            worker_id=ME,
            worker_name="anna-pc",
            hub_name="hub",
            person_name="anna",
        )
        opened.submit(lambda c: facts.save_pairing(c, pairing)).result(10)
        yield opened


async def hands_of(database: Database) -> Hands:
    """Open the worker's hands, as after a crash of whoever had them before."""
    hands = Hands(database, Environment(), lambda: None)
    await hands.recover(KINDS, "anna-pc restarted while it ran.")
    return hands


def request(kind: str = "probe.run") -> TaskRequested:
    return TaskRequested(
        task_id=TaskId(str(uuid.uuid4())),
        job_id=JobId(str(uuid.uuid4())),
        kind=kind,
        inputs={},
        worker_id=ME,
        is_kept=True,
    )


async def keep(hands: Hands, body: TaskRequested) -> None:
    await hands.keep(body, kept.spec_for(body))


async def start(hands: Hands, body: TaskRequested) -> None:
    assert await hands.start(body.job_id, kept.FIRST, kept.FIRST) is not None


async def written(hands: Hands) -> list[type[object]]:
    return [type(body_of(event)) for event in await hands.own_log.events(1, 100)]


async def test_a_kept_job_waits_through_a_crash(database: Database) -> None:
    body = request()
    await keep(await hands_of(database), body)

    hands = await hands_of(database)

    [waiting] = hands.waiting
    assert (waiting.spec.job_id, waiting.is_kept) == (body.job_id, True)
    assert await written(hands) == [TaskRequested]


async def test_a_start_tells_what_is_being_done(database: Database) -> None:
    hands = await hands_of(database)
    body = request()
    await keep(hands, body)
    await start(hands, body)

    [_, event] = await hands.own_log.events(1, 100)
    told = body_of(event)
    assert isinstance(told, JobStarted)
    assert told.job == kept.spec_for(body)


async def test_a_crash_in_the_middle_begins_a_repeatable_job_again_a_few_times(
    database: Database,
) -> None:
    hands = await hands_of(database)
    body = request()
    await keep(hands, body)
    for _ in range(kept.CRASHES_MAX):
        await start(hands, body)
        hands = await hands_of(database)
        assert [a.spec.job_id for a in hands.waiting] == [body.job_id]

    await start(hands, body)
    hands = await hands_of(database)

    assert not hands.waiting, "it may be what stops this program: the hub decides from here on"
    *_, last = await hands.own_log.events(1, 100)
    told = body_of(last)
    assert isinstance(told, JobFailed), "a hub that has not heard of the job could not miss it"
    assert (told.error.code, told.error.retryable) == ("crashed_too_often", True)


async def test_a_crash_in_the_middle_of_a_job_with_effects_is_told_as_interrupted(
    database: Database,
) -> None:
    hands = await hands_of(database)
    body = request("code.push")
    await keep(hands, body)
    await start(hands, body)

    hands = await hands_of(database)

    assert await written(hands) == [TaskRequested, JobStarted, JobInterrupted]
    assert not hands.waiting


async def test_what_was_answered_is_not_asked_again_after_a_crash(database: Database) -> None:
    hands = await hands_of(database)
    body = request()
    await keep(hands, body)
    await start(hands, body)
    await hands.ask(body.job_id, ASKING)
    question_id = await asked(hands)
    given = AnswerGiven(question_id=question_id, job_id=body.job_id, value="blue", is_used=True)
    assert await hands.use_answer(given) is not None

    hands = await hands_of(database)

    [waiting] = hands.waiting
    assert waiting.spec.answers == {"colour": "blue"}
    assert await written(hands) == [
        TaskRequested, JobStarted, QuestionAsked, AnswerGiven, JobResumed,
    ]  # fmt: skip


async def asked(hands: Hands) -> QuestionId:
    bodies = [body_of(event) for event in await hands.own_log.events(1, 100)]
    [question] = [body for body in bodies if isinstance(body, QuestionAsked)]
    return question.question_id


async def test_an_answer_that_fits_nothing_changes_nothing(database: Database) -> None:
    hands = await hands_of(database)
    body = request()
    await keep(hands, body)
    await start(hands, body)
    await hands.ask(body.job_id, ASKING)
    given = AnswerGiven(question_id=await asked(hands), job_id=body.job_id, value="green")

    with pytest.raises(BadInput, match="none of the answers"):
        await hands.use_answer(given)

    assert (await written(hands))[-1] is QuestionAsked
    assert hands.attempts[0].state is AttemptState.ASKING


async def test_a_second_answer_here_finds_nobody_who_waits(database: Database) -> None:
    hands = await hands_of(database)
    body = request()
    await keep(hands, body)
    await start(hands, body)
    await hands.ask(body.job_id, ASKING)
    given = AnswerGiven(question_id=await asked(hands), job_id=body.job_id, value="red")
    assert await hands.use_answer(given) is not None

    assert await hands.use_answer(given) is None


async def test_a_stop_before_a_crash_is_not_forgotten(database: Database) -> None:
    hands = await hands_of(database)
    body = request()
    await keep(hands, body)
    await start(hands, body)
    await hands.say(CancelAsked(job_id=body.job_id))

    hands = await hands_of(database)

    assert not hands.waiting
    assert (await written(hands))[-1] is JobCancelled


async def test_a_job_that_was_stopped_before_its_start_never_starts(database: Database) -> None:
    hands = await hands_of(database)
    body = request()
    await keep(hands, body)
    [waiting] = hands.waiting
    outcome = JobCancelled(job_id=body.job_id, attempt=1, fence=1)

    await hands.end_waiting(waiting, outcome, CancelAsked(job_id=body.job_id))

    assert await hands.start(body.job_id, kept.FIRST, kept.FIRST) is None
    assert await written(await hands_of(database)) == [TaskRequested, CancelAsked, JobCancelled]


async def test_a_granted_job_that_asks_is_parked_and_not_kept(database: Database) -> None:
    hands = await hands_of(database)
    spec = kept.spec_for(request())
    await hands.accept(spec, 1)
    assert await hands.start(spec.job_id, 1, 3) is not None
    await hands.ask(spec.job_id, ASKING)

    hands = await hands_of(database)

    assert not hands.waiting
    assert (await written(hands))[-1] is JobParked


async def test_a_job_known_by_its_start_alone_can_be_described(database: Database) -> None:
    hands = await hands_of(database)
    spec = kept.spec_for(request()).model_copy(update={"answers": {"colour": "red"}})
    await hands.accept(spec, 1)
    await hands.start(spec.job_id, 1, 3)

    assert await hands.known_spec(spec.job_id) == spec
    assert await hands.known_spec(JobId("unknown")) is None
