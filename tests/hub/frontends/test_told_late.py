"""What a computer did without the hub reaches chats without noise, with its true times."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import timedelta

from hub.core.view import Tone
from hub.frontends.facts import Late
from hub.frontends.wording import view_of
from shared.errors import ErrorBody
from shared.events import (
    AnswerGiven,
    CancelAsked,
    JobCancelled,
    JobFailed,
    JobResumed,
    JobStarted,
    JobSucceeded,
    QuestionAsked,
    TaskRequested,
)
from shared.ids import JobId, QuestionId, TaskId
from shared.jobs import JobSpec, Origin
from shared.messages import Grant
from tests.hub.frontends.test_console import QUESTION, WHICH_FILE
from tests.hub.frontends.test_wording import FACTS, JOB, NOW, RESULT
from tests.hub.frontends.world import PuppetWorker, World, until

FAILURE = ErrorBody(code="one_column", message="It has 1 column.", hint="Add one.")


def kept(worker: PuppetWorker, minutes_ago: float) -> Grant:
    """Let a machine write down a job of its own, and its start."""
    job_id, task_id = JobId(str(uuid.uuid4())), TaskId(str(uuid.uuid4()))
    spec = JobSpec(
        job_id=job_id, task_id=task_id, kind="ml.train", title="train churn", origin=Origin.LOCAL
    )
    asked = TaskRequested(
        task_id=task_id, job_id=job_id, kind="ml.train", title="train churn", text="train churn",
        worker_id=worker.worker_id, is_kept=True,
    )  # fmt: skip
    worker.writes(asked, minutes_ago=minutes_ago)
    worker.writes(JobStarted(job_id=job_id, attempt=1, fence=1, job=spec), minutes_ago=minutes_ago)
    return Grant(job_id=job_id, attempt=1, fence=1)


def done(grant: Grant) -> JobSucceeded:
    return JobSucceeded(
        job_id=grant.job_id, attempt=1, fence=1, result={"headline": "Model ready."},
        running_seconds=240,
    )  # fmt: skip


async def test_a_job_that_was_over_before_the_hub_knew_is_one_message_with_its_times(
    world: World,
) -> None:
    worker = await world.pair()
    async with world.chat() as chat:
        await chat.say("/jobs")
        before = len(chat.shown)
        grant = kept(worker, minutes_ago=27)
        worker.writes(QuestionAsked(
            job_id=grant.job_id, attempt=1, fence=1, question_id=QUESTION, asking=WHICH_FILE
        ), minutes_ago=26)  # fmt: skip
        worker.writes(AnswerGiven(
            question_id=QUESTION, job_id=grant.job_id, value="/d/a.csv", is_used=True
        ), minutes_ago=25)  # fmt: skip
        worker.writes(
            JobResumed(job_id=grant.job_id, attempt=1, fence=1, question_id=QUESTION),
            minutes_ago=25,
        )
        worker.writes(done(grant), minutes_ago=23)
        async with worker.online():
            final = await chat.view(lambda view: view.final)
            await until(lambda: worker.acked == len(worker.log))
        first, _, rest = final.text.partition("\n")
        assert first.startswith("Trained on anna-pc while offline, ")
        assert " to " in first
        assert rest == "Model ready."
        assert chat.texts[before:] == [final.text]


async def test_a_job_stopped_where_it_was_asked_for_without_the_hub_is_no_news(
    world: World,
) -> None:
    worker = await world.pair()
    async with world.chat() as chat:
        await chat.say("/jobs")
        before = len(chat.shown)
        stopped = kept(worker, minutes_ago=27)
        worker.writes(CancelAsked(job_id=stopped.job_id), minutes_ago=26)
        worker.writes(JobCancelled(job_id=stopped.job_id, attempt=1, fence=1), minutes_ago=26)
        worker.writes(done(kept(worker, minutes_ago=25)), minutes_ago=20)
        async with worker.online():
            await chat.view(lambda view: view.final)
        assert len(chat.texts[before:]) == 1


async def test_a_job_that_still_runs_when_the_hub_is_back_is_followed_as_any_other(
    world: World,
) -> None:
    worker = await world.pair()
    async with world.chat() as chat:
        await chat.say("/jobs")
        grant = kept(worker, minutes_ago=27)
        async with worker.online():
            status = await chat.view(lambda view: view.tone is Tone.RUNNING)
            assert status.text == "Training on anna-pc …"
            await worker.asks(grant, WHICH_FILE, QUESTION)
            await chat.view(lambda view: view.tone is Tone.ASKING)
            assert await chat.say("b") == []
            await worker.succeeds(grant, {"headline": "Model ready."})
            final = await chat.view(lambda view: view.final)
            assert final.text == "Model ready."


async def test_the_chat_whose_answer_came_second_is_told_once_and_quietly(world: World) -> None:
    worker = await world.pair()
    async with world.chat() as chat, worker.online():
        await chat.say("/train")
        grant = await worker.any_grant()
        await worker.starts(grant)
        await worker.asks(grant, WHICH_FILE, QUESTION)
        await chat.view(lambda view: view.tone is Tone.ASKING)
        assert await chat.say("b") == []
        await chat.view(lambda view: view.tone is Tone.DONE)

        used = AnswerGiven(
            question_id=QUESTION, job_id=grant.job_id, value="/d/a.csv", is_used=True
        )
        await worker.says(used)
        mended = await chat.view(lambda view: view.tone is Tone.DONE)
        assert mended.text == "Which file?\nAnswered by you on anna-pc: a.csv"
        second = await chat.view(lambda view: "came second" in view.text)
        assert second.is_quiet
        assert second.text.endswith(
            " had gone on with a.csv already, answered by you on anna-pc. "
            "b.csv, by you on the console, came second."
        )
        await worker.succeeds(grant, {"headline": "Model ready."})
        await chat.view(lambda view: view.final)
        assert sum("came second" in text for text in chat.texts) == 1


async def test_an_answer_of_a_computer_that_came_second_is_no_news_in_chats(world: World) -> None:
    worker = await world.pair()
    async with world.chat() as chat, worker.online():
        await chat.say("/train")
        grant = await worker.any_grant()
        await worker.starts(grant)
        await worker.asks(grant, WHICH_FILE, QUESTION)
        await chat.view(lambda view: view.tone is Tone.ASKING)
        assert await chat.say("b") == []
        await chat.view(lambda view: view.tone is Tone.DONE)
        late = AnswerGiven(question_id=QUESTION, job_id=grant.job_id, value="/d/a.csv")
        await worker.says(late)
        await worker.succeeds(grant, {"headline": "Model ready."})
        await chat.view(lambda view: view.final)
        assert not [text for text in chat.texts if "came second" in text]


def test_an_end_that_is_told_late_has_its_times() -> None:
    began, ended = NOW - timedelta(minutes=30), NOW - timedelta(minutes=26)
    late = replace(FACTS, late=Late(began_at=began, ended_at=ended, is_kept=False))
    body = JobSucceeded(job_id=JOB, attempt=1, fence=1, result=RESULT, running_seconds=200)
    told = view_of(body, late)
    assert told is not None
    assert told.text.startswith("Trained on anna-pc, 14:00 to 14:04.\nChurn model ready")
    failed = view_of(JobFailed(job_id=JOB, attempt=1, fence=1, error=FAILURE), late)
    assert failed is not None
    assert failed.text.startswith("⚠ Training on anna-pc failed, 14:00 to 14:04. It has 1 column.")
    kept_late = replace(late, late=Late(began_at=None, ended_at=ended, is_kept=True))
    alone = view_of(body, kept_late)
    assert alone is not None
    assert alone.text.startswith("Trained on anna-pc while offline, 14:04.")


def test_a_question_that_was_answered_before_the_hub_heard_it_is_not_asked() -> None:
    asked = QuestionAsked(
        job_id=JOB, attempt=1, fence=1, question_id=QuestionId("q"), asking=WHICH_FILE
    )
    assert view_of(asked, replace(FACTS, is_settled=True)) is None
