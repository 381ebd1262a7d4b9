"""Jobs that share a child, in a whole worker: kept, postponed, lost and begun again."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import psutil
import pytest

from desktop.agent.setup import Seams
from desktop.core.attempt import AttemptState
from desktop.store import copied
from desktop.store.copied import Job, QuestionRow
from shared.database import peek
from shared.events import AnswerGiven, CancelAsked, JobFailed, JobSucceeded, TaskRequested
from shared.ids import JobId, TaskId
from shared.jobs import LIGHT_MAX, JobState
from shared.messages import Accept, Decline, Grant
from tests.desktop.link.hub_double import HubDouble
from tests.desktop.link.workers import (
    ENVIRONMENT,
    WORKER,
    Worker,
    granted,
    offered,
    spec,
    working,
)

ROOT = Path(__file__).parents[2]
KINDS = "tests.desktop.runner.shared_play"
NO_HUB = "http://127.0.0.1:1"
PATIENCE_SECONDS = 30.0
LOOK_SECONDS = 0.02


@pytest.fixture(autouse=True)
def _importable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))


@pytest.fixture
async def hub() -> AsyncIterator[HubDouble]:
    async with HubDouble().serving() as double:
        yield double


async def until(what: Callable[[], object]) -> None:
    ends = time.monotonic() + PATIENCE_SECONDS
    while not what():
        assert time.monotonic() < ends, "waited in vain"
        await asyncio.sleep(LOOK_SECONDS)


async def ask(worker: Worker, name: str, **inputs: int | str) -> JobId:
    """Ask for a job at the computer, without a hub."""
    await until(lambda: worker.statuses)
    job_id = JobId(ENVIRONMENT.new_id())
    body = TaskRequested(
        task_id=TaskId(ENVIRONMENT.new_id()),
        job_id=job_id,
        kind=f"shared.{name}",
        inputs=dict(inputs),
        worker_id=WORKER,
    )
    await worker.agent.say(body)
    return job_id


def told(home: Path, job_id: JobId) -> Job:
    with peek(home / "worker.sqlite3") as connection:
        job = copied.job(connection, job_id)
    assert job is not None
    return job


async def ended(home: Path, job_id: JobId) -> Job:
    await until(lambda: told(home, job_id).row.state.is_terminal)
    return told(home, job_id)


def files_with(folder: Path, text: str) -> list[Path]:
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert files
    return [path for path in files if text.encode() in path.read_bytes()]


def children() -> list[psutil.Process]:
    """The shared children of this process; a child's guard is a child of that."""
    return [
        child
        for child in psutil.Process().children()
        if "run-job" in child.cmdline() and child.status() != psutil.STATUS_ZOMBIE
    ]


async def test_a_postponed_job_waits_in_nobodys_way_and_comes_to_its_end(tmp_path: Path) -> None:
    async with working(tmp_path, NO_HUB, slots=1, kinds=KINDS) as worker:
        job_id = await ask(worker, "postpone", number=3)
        job = await ended(tmp_path, job_id)

        assert job.row.headline == "At last."
    with peek(tmp_path / "worker.sqlite3") as connection:
        types = [step.type for step in copied.steps(connection, job_id)]
    assert types.count("job_started") == 1, "the log tells once that it started"


async def test_a_wait_survives_a_restart(tmp_path: Path) -> None:
    async with working(tmp_path, NO_HUB, kinds=KINDS) as worker:
        job_id = await ask(worker, "postpone", number=1, text="2.5")
        await until(lambda: worker.agent.attempts[0].not_before is not None)
    async with working(tmp_path, NO_HUB, kinds=KINDS) as worker:
        await until(lambda: worker.agent.attempts)
        assert worker.agent.attempts[0].state is AttemptState.GRANTED
        job = await ended(tmp_path, job_id)
        assert job.row.headline == "At last."


async def test_what_waits_too_long_fails_for_good(tmp_path: Path) -> None:
    async with working(tmp_path, NO_HUB, kinds=KINDS) as worker:
        job_id = await ask(worker, "postpone", number=1, text="90000")
        job = await ended(tmp_path, job_id)
        assert job.row.state is JobState.FAILED
        assert job.row.error is not None
        assert "25 hours" in job.row.error.message


async def test_a_job_that_waits_is_stopped(tmp_path: Path) -> None:
    async with working(tmp_path, NO_HUB, kinds=KINDS) as worker:
        job_id = await ask(worker, "postpone", number=1, text="3600")
        await until(lambda: worker.agent.attempts[0].not_before is not None)
        await worker.agent.say(CancelAsked(job_id=job_id))
        job = await ended(tmp_path, job_id)
        assert job.row.state is JobState.CANCELLED


async def test_a_killed_child_loses_nothing(tmp_path: Path) -> None:
    async with working(tmp_path, NO_HUB, kinds=KINDS) as worker:
        alone = [await ask(worker, "kill", text=str(number)) for number in range(5)]
        for job_id in alone:
            assert (await ended(tmp_path, job_id)).row.headline == "Alive."


async def test_a_job_that_asked_when_its_child_died_asks_again(tmp_path: Path) -> None:
    def question(*_: object) -> list[QuestionRow]:
        with peek(tmp_path / "worker.sqlite3") as connection:
            return list(copied.questions(connection, job_id))

    async with working(tmp_path, NO_HUB, kinds=KINDS) as worker:
        job_id = await ask(worker, "ask")
        await until(question)
        os.kill(children()[0].pid, signal.SIGKILL)
        await until(lambda: len(question()) > 1)
        await until(lambda: worker.agent.attempts[0].state is AttemptState.ASKING)
        last = max(question(), key=lambda one: one.question_id)
        answer = AnswerGiven(question_id=last.question_id, job_id=job_id, value="red")
        await worker.agent.say(answer)
        assert (await ended(tmp_path, job_id)).row.headline == "It is red."


async def test_light_jobs_take_no_slot_and_only_so_many_come_from_a_hub(
    hub: HubDouble, tmp_path: Path
) -> None:
    async with working(tmp_path, hub.base, slots=1, kinds=KINDS) as worker:
        await until(lambda: hub.end is not None and hub.end.phase == "open")
        for _ in range(LIGHT_MAX):
            assert isinstance(await offered(hub, spec("shared.hang")), Accept)
        declined = await offered(hub, spec("shared.hang"))
        assert isinstance(declined, Decline)
        assert (declined.error.code, declined.error.retryable) == ("light_busy", True)
        assert worker.agent.station.beat().slots == 1


async def test_a_job_of_the_hub_is_given_back_with_its_wait(hub: HubDouble, tmp_path: Path) -> None:
    async with working(tmp_path, hub.base, kinds=KINDS):
        await until(lambda: hub.end is not None and hub.end.phase == "open")
        await granted(hub, spec("shared.postpone", number=1, text="77"))
        failed = await hub.until_event("job_failed")
        assert isinstance(failed, JobFailed)
        assert (failed.error.code, failed.error.retryable) == ("busy", True)
        assert failed.error.retry_after_seconds == 77


async def test_hundreds_of_jobs_of_a_hub_share_one_child(hub: HubDouble, tmp_path: Path) -> None:
    async with working(tmp_path, hub.base, slots=1, kinds=KINDS):
        await until(lambda: hub.end is not None and hub.end.phase == "open")
        jobs = [spec("shared.add", number=number) for number in range(LIGHT_MAX)]
        for job in jobs:
            assert isinstance(await offered(hub, job), Accept)
        for job in jobs:
            await hub.say(Grant(job_id=job.job_id, attempt=1, fence=1))
        await hub.until(lambda: len(hub.of_type("job_succeeded")) == LIGHT_MAX)
        done = [body for body in hub.bodies if isinstance(body, JobSucceeded)]
        assert len({str(body.result["value"]) for body in done}) == 1


async def test_a_key_is_in_no_environment_log_or_store(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    canary = "sk-canary-91f2-never-to-be-seen"
    monkeypatch.setenv("OPENAI_API_KEY", canary)
    async with working(tmp_path, NO_HUB, kinds=KINDS) as worker:
        hanging = await ask(worker, "hang")
        job_id = await ask(worker, "key", text="OPENAI_API_KEY")
        await ended(tmp_path, job_id)
        [child] = children()
        assert canary not in str(child.environ())
        assert canary not in str(child.cmdline())
        await worker.agent.say(CancelAsked(job_id=hanging))
        await ended(tmp_path, hanging)
    assert files_with(tmp_path, canary) == []
    heard = capfd.readouterr()
    assert canary not in heard.out + heard.err


async def test_keys_come_from_where_the_worker_is_told_to_look(tmp_path: Path) -> None:
    names: list[str] = []

    def read(asked: object, _paths: object) -> dict[str, str]:
        assert isinstance(asked, list)
        names.extend(asked)
        return {"XAI_API_KEY": "four"}

    seams = Seams(read_keys=read)
    async with working(tmp_path, NO_HUB, kinds=KINDS, seams=seams) as worker:
        job_id = await ask(worker, "key", text="XAI_API_KEY")
        assert (await ended(tmp_path, job_id)).row.headline == "Found."
    assert "ANTHROPIC_API_KEY" in names
