"""Commands that do something: told to the program that runs, or written down for its next start."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from desktop.store import facts, outbox
from desktop.system.single_instance import InstanceLock
from shared.database import peek
from shared.events import (
    AnswerGiven,
    CancelAsked,
    JobCancelled,
    JobStarted,
    JobSucceeded,
    QuestionAnswered,
    QuestionAsked,
    RetryAsked,
    TaskRequested,
    body_of,
)
from shared.ids import JobId, short
from shared.questions import Answer
from tests.desktop.command_world import (
    ASKING,
    HERE,
    QUESTION,
    STUDIO,
    PaperDesk,
    Profile,
    beside,
    profile,
    running,
)

__all__ = ["profile"]

ROOT = Path(__file__).parents[2]


def said_to_hub(profile: Profile) -> list[object]:
    """What stands in the machine's own log, to be told."""
    with peek(profile.paths.store) as connection:
        return [body_of(event) for event in outbox.read(connection, start=1, count_max=100)]


def fact(profile: Profile, name: str) -> str:
    with peek(profile.paths.store) as connection:
        return facts.get(connection, name)


async def test_a_task_is_asked_for_here_there_or_anywhere(profile: Profile) -> None:
    async with running(profile):
        code, said, complaint = await beside(
            profile, "task", "ml.train", "file=sales.csv", "target=amount", "--on", "studio"
        )
        assert (code, complaint) == (0, "")
        _, told, _ = await beside(profile, "task", "ml.models", "--json")
    first, second = said_to_hub(profile)
    assert isinstance(first, TaskRequested)
    assert isinstance(second, TaskRequested)
    assert (first.kind, first.worker_id) == ("ml.train", STUDIO)
    assert first.inputs == {"file": "sales.csv", "target": "amount"}
    assert second.worker_id is None
    assert short(first.job_id) in said
    assert json.loads(told) == {"job_id": second.job_id, "job": short(second.job_id)}


def test_a_file_beside_the_person_is_named_whole_for_this_machine(
    profile: Profile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "tables"
    folder.mkdir()
    (folder / "sales.csv").write_text("a,b\n")
    monkeypatch.chdir(folder)
    profile.answer("task", "ml.train", "file=sales.csv", "budget_seconds=5", "--here")
    profile.answer("task", "ml.train", "file=sales.csv")
    here, anywhere = said_to_hub(profile)
    assert isinstance(here, TaskRequested)
    assert isinstance(anywhere, TaskRequested)
    assert here.inputs["file"] == str(folder / "sales.csv")
    assert here.worker_id == HERE
    assert anywhere.inputs["file"] == "sales.csv", "another machine has other folders"


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("ml.fly",), "ml.train"),
        (("ml.train", "fiel=x"), "It takes: file"),
        (("ml.train", "file"), "Write name=value"),
        (("ml.train", "budget_seconds=long"), "budget_seconds"),
        (("ml.train", "--on", "nowhere"), "Known: anna-pc, Studio"),
    ],
)
def test_a_task_that_cannot_be_is_refused_before_anybody_hears_of_it(
    profile: Profile, words: tuple[str, ...], complaint: str
) -> None:
    code, _, said = profile.run("task", *words)
    assert code == 1
    assert complaint in said
    assert said_to_hub(profile) == []


def test_what_is_said_while_nothing_runs_is_told_at_the_next_start(profile: Profile) -> None:
    said = profile.answer("task", "ml.models")
    assert "does not run now" in said
    (asked,) = said_to_hub(profile)
    assert isinstance(asked, TaskRequested)
    (row,) = json.loads(profile.answer("jobs", "--json"))
    assert (row["id"], row["state"]) == (asked.job_id, "queued")
    assert (row["hub_knows"], row["kept_here"]) == (False, False)
    assert "Waits for the hub." in profile.answer("job", row["short"])
    assert "waits for the hub" in profile.answer("jobs")
    assert "1 change waits for the hub" in profile.answer("status")


def test_waiting_needs_a_program_that_runs(profile: Profile) -> None:
    code, _, complaint = profile.run("task", "ml.models", "--wait")
    assert (code, "deskhand --headless" in complaint) == (1, True)
    assert said_to_hub(profile) == []


def test_a_program_that_starts_this_moment_is_not_written_past(profile: Profile) -> None:
    with InstanceLock(profile.paths.lock):
        code, _, complaint = profile.run("pause")
    assert code == 1
    assert complaint
    assert fact(profile, "paused_until") == ""


@pytest.mark.parametrize("reply", ["1", "churn", "Churn", "Chu"])
def test_a_question_is_answered_as_people_type(profile: Profile, reply: str) -> None:
    one = profile.queue(1, "churn")
    profile.start(one)
    profile.ask(one)
    said = profile.answer("answer", short(one), reply)
    assert f"#{short(one)} gets: Churn" in said
    assert said_to_hub(profile) == [AnswerGiven(question_id=QUESTION, job_id=one, value="Churn")]
    code, _, complaint = profile.run("answer", short(one), "2")
    assert (code, "asks nothing now" in complaint) == (1, True)


def test_what_is_no_answer_is_not_given(profile: Profile) -> None:
    one = profile.queue(1, "churn")
    profile.start(one)
    profile.ask(one)
    code, _, complaint = profile.run("answer", short(QUESTION), "perhaps")
    assert (code, "1 Churn, 2 Tenure" in complaint) == (1, True)
    assert profile.run("answer", "ZZZZ", "1")[0] == 1
    assert said_to_hub(profile) == []


def test_jobs_are_stopped_and_tried_again(profile: Profile) -> None:
    one, other = profile.queue(1, "churn"), profile.queue(2, "sales")
    profile.start(other)
    profile.fail(other, "It is gone.")
    profile.answer("cancel", short(one))
    profile.answer("retry", short(other))
    assert said_to_hub(profile) == [CancelAsked(job_id=one), RetryAsked(job_id=other)]
    code, _, complaint = profile.run("retry", short(one))
    assert (code, "did not fail" in complaint) == (1, True)


async def test_a_pause_holds_here_and_over_the_line(profile: Profile) -> None:
    assert "deskhand resume" in profile.answer("pause")
    assert fact(profile, "paused_until") == "until resumed"
    profile.answer("resume")
    assert fact(profile, "paused_until") == ""
    async with running(profile) as desk:
        await beside(profile, "pause", "30m")
        assert desk.holding.is_paused
        assert desk.held_back is not None
        await beside(profile, "resume")
        assert not desk.holding.is_paused


async def test_leaving_a_hub_is_asked_back_and_keeps_files(profile: Profile) -> None:
    code, _, complaint = profile.run("unpair")
    assert (code, "--yes" in complaint) == (1, True)
    profile.paths.token.write_text("secret")
    assert "has left Anna's hub" in profile.answer("unpair", "--yes")
    assert not profile.paths.token.exists()
    assert profile.paths.models.is_dir()
    assert profile.run("jobs")[0] == 1


async def test_a_window_is_opened_by_the_program_that_has_some(profile: Profile) -> None:
    assert "not run" in profile.run("open", "jobs")[2]
    async with running(profile):
        code, _, complaint = await beside(profile, "open", "jobs", "K7Q2")
    assert (code, "without windows" in complaint) == (1, True)


async def test_diagnostics_are_written_either_way(profile: Profile, tmp_path: Path) -> None:
    await beside(profile, "diagnostics", str(tmp_path / "alone.zip"))
    async with running(profile):
        code, said, _ = await beside(profile, "diagnostics", str(tmp_path / "beside.zip"))
    assert code == 0
    assert "beside.zip" in said
    assert (tmp_path / "alone.zip").stat().st_size > 100
    assert (tmp_path / "beside.zip").stat().st_size > 100


async def asked_for(desk: PaperDesk) -> JobId:
    """Wait until a job was asked for."""
    async with asyncio.timeout(10):
        body = await desk.said.get()
    assert isinstance(body, TaskRequested)
    return body.job_id


@pytest.mark.parametrize(
    ("ending", "code", "words"),
    [
        ("succeeded", 0, "The model is ready."),
        ("cancelled", 4, "cancelled"),
    ],
)
async def test_waiting_ends_with_what_the_end_means(
    profile: Profile, ending: str, code: int, words: str
) -> None:
    async with running(profile) as desk, asyncio.TaskGroup() as tasks:
        waiting = tasks.create_task(beside(profile, "task", "ml.train", "--wait"))
        job = await asked_for(desk)
        await desk.happens(JobStarted(job_id=job, attempt=1, fence=1))
        if ending == "succeeded":
            body = JobSucceeded(
                job_id=job,
                attempt=1,
                fence=1,
                result={"headline": "The model is ready."},
                running_seconds=1,
            )
            await desk.happens(body)
        else:
            await desk.happens(JobCancelled(job_id=job, attempt=1, fence=1))
        async with asyncio.timeout(10):
            got, said, _ = await waiting
    assert got == code
    assert words in said


async def test_an_open_question_is_asked_at_the_terminal(profile: Profile) -> None:
    """At a real terminal: the question, an answer that is none, the answer, the end."""
    ours, theirs = os.openpty()
    async with running(profile) as desk:
        program = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "desktop", "--home", str(profile.paths.home),
            "task", "ml.train", "--wait",
            cwd=ROOT, stdin=theirs, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        os.close(theirs)
        assert program.stdout is not None
        job = await asked_for(desk)
        await desk.happens(
            QuestionAsked(job_id=job, attempt=1, fence=1, question_id=QUESTION, asking=ASKING)
        )
        async with asyncio.timeout(20):
            said = await program.stdout.readuntil(b"> ")
            assert b"1  Churn" in said
            os.write(ours, b"perhaps\n")
            assert b"none of the answers" in await program.stdout.readuntil(b"> ")
            os.write(ours, b"2\n")
            assert isinstance(await desk.said.get(), AnswerGiven)
            await desk.happens(
                QuestionAnswered(
                    job_id=job, question_id=QUESTION, answer=Answer(value="Tenure", by="Anna")
                )
            )
            await desk.happens(JobCancelled(job_id=job, attempt=1, fence=1))
            assert await program.wait() == 4
        os.close(ours)
    assert AnswerGiven(question_id=QUESTION, job_id=job, value="Tenure") in said_to_hub(profile)


async def test_a_question_that_somebody_else_answers_is_let_go(profile: Profile) -> None:
    ours, theirs = os.openpty()
    async with running(profile) as desk:
        program = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "desktop", "--home", str(profile.paths.home),
            "task", "ml.train", "--wait",
            cwd=ROOT, stdin=theirs, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        os.close(theirs)
        assert program.stdout is not None
        job = await asked_for(desk)
        await desk.happens(
            QuestionAsked(job_id=job, attempt=1, fence=1, question_id=QUESTION, asking=ASKING)
        )
        async with asyncio.timeout(20):
            await program.stdout.readuntil(b"> ")
            answer = Answer(value="Tenure", by="Anna on Telegram")
            await desk.happens(QuestionAnswered(job_id=job, question_id=QUESTION, answer=answer))
            told = await program.stdout.readuntil(b"Tenure")
            assert b"Answered by Anna on Telegram" in told
            with contextlib.suppress(ProcessLookupError):
                program.send_signal(2)
            rest, _ = await program.communicate()
            assert b"The job goes on" in rest
            assert program.returncode == 130
        os.close(ours)
