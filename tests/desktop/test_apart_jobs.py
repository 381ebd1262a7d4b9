"""Jobs with a child of their own, in a whole worker: limited, killed, put down and gone on with."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Callable, Iterable
from pathlib import Path

import pytest

from desktop.abilities import AGENTS_AFTER_SECONDS
from desktop.agent.setup import Seams
from desktop.core.attempt import AttemptState
from desktop.core.code.rules import CodeRules
from desktop.store import copied, copied_lines
from desktop.store.copied import Job
from desktop.system.code_tools import AGENTS_FILE
from shared.database import peek
from shared.environment import Environment, SystemClock
from shared.events import AnswerGiven, CancelAsked, JobFailed, TaskRequested
from shared.ids import JobId, TaskId
from shared.jobs import JobState
from shared.messages import Accept, Decline
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
from tests.desktop.runner.hard_children import is_alive

ROOT = Path(__file__).parents[2]
KINDS = "tests.desktop.runner.apart_play"
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


async def ask(worker: Worker, kind: str, **inputs: int | str) -> JobId:
    """Ask for a job at the computer, without a hub."""
    await until(lambda: worker.statuses)
    job_id = JobId(ENVIRONMENT.new_id())
    body = TaskRequested(
        task_id=TaskId(ENVIRONMENT.new_id()),
        job_id=job_id,
        kind=kind,
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


def logged(home: Path, job_id: JobId) -> list[str]:
    with peek(home / "worker.sqlite3") as connection:
        return [line.text for line in copied_lines.tail(connection, job_id, count=10)]


async def ended(home: Path, job_id: JobId) -> Job:
    await until(lambda: told(home, job_id).row.state.is_terminal)
    return told(home, job_id)


async def test_a_forge_s_token_reaches_the_coding_child_and_no_other(tmp_path: Path) -> None:
    wanted: list[list[str]] = []

    def read_keys(names: Iterable[str], _paths: object) -> dict[str, str]:
        wanted.append(list(names))
        return dict.fromkeys(names, "secret")

    code = CodeRules(repositories=("https://git.example.org/*",))
    seams = Seams(read_keys=read_keys)
    async with working(tmp_path, NO_HUB, kinds=KINDS, code=code, seams=seams) as worker:
        apart = await ended(tmp_path, await ask(worker, "apart.names"))
        shared = await ended(tmp_path, await ask(worker, "shared.names"))

    assert apart.result is not None
    assert {"GITHUB_TOKEN", "GIT_TOKEN_GIT_EXAMPLE_ORG", "OPENAI_API_KEY"} <= set(
        str(apart.result["value"]).split()
    )
    assert shared.result is not None
    assert "TOKEN" not in str(shared.result["value"])
    assert "OPENAI_API_KEY" in str(shared.result["value"])


async def test_only_so_many_run_at_once_by_the_owner_s_rules(tmp_path: Path) -> None:
    code = CodeRules(concurrent=1)
    async with working(tmp_path, NO_HUB, slots=4, kinds=KINDS, code=code) as worker:
        first = await ask(worker, "apart.hang")
        await until(lambda: logged(tmp_path, first))
        second = await ask(worker, "apart.add", number=1)
        other = await ended(tmp_path, await ask(worker, "shared.add", number=1))
        assert other.row.state is JobState.SUCCEEDED
        states = {a.spec.job_id: a.state for a in worker.agent.attempts}
        assert states[second] is AttemptState.GRANTED

        await worker.agent.say(CancelAsked(job_id=first))
        assert (await ended(tmp_path, second)).row.headline == "Added."


async def test_a_hub_that_offers_too_many_is_told_not_now(hub: HubDouble, tmp_path: Path) -> None:
    code = CodeRules(concurrent=1)
    async with working(tmp_path, hub.base, slots=4, kinds=KINDS, code=code):
        await until(lambda: hub.end is not None and hub.end.phase == "open")
        assert isinstance(await offered(hub, spec("apart.hang")), Accept)
        declined = await offered(hub, spec("apart.hang"))
        assert isinstance(declined, Decline)
        assert (declined.error.code, declined.error.retryable) == ("code_busy", True)


async def test_one_whose_child_is_killed_is_begun_again_here(tmp_path: Path) -> None:
    async with working(tmp_path, NO_HUB, kinds=KINDS) as worker:
        job_id = await ask(worker, "apart.kill", number=2)
        job = await ended(tmp_path, job_id)

    assert job.row.headline == "Alive."


async def test_one_of_a_hub_whose_child_is_killed_is_given_back(
    hub: HubDouble, tmp_path: Path
) -> None:
    async with working(tmp_path, hub.base, kinds=KINDS):
        await until(lambda: hub.end is not None and hub.end.phase == "open")
        await granted(hub, spec("apart.kill", number=99))
        failed = await hub.until_event("job_failed")

    assert isinstance(failed, JobFailed)
    assert (failed.error.code, failed.error.retryable) == ("job_killed", True)


async def test_quitting_lets_it_put_its_work_down_and_the_next_start_goes_on(
    tmp_path: Path,
) -> None:
    async with working(tmp_path, NO_HUB, kinds=KINDS) as worker:
        job_id = await ask(worker, "apart.put_down")
        await until(lambda: logged(tmp_path, job_id))
        process = int(logged(tmp_path, job_id)[0].split()[-1])
    assert not is_alive(process)
    assert told(tmp_path, job_id).row.state is JobState.RUNNING

    async with working(tmp_path, NO_HUB, kinds=KINDS):
        job = await ended(tmp_path, job_id)
    assert (job.row.headline, job.row.state) == ("Went on.", JobState.SUCCEEDED)


async def test_one_that_asks_when_the_program_ends_asks_again_and_uses_the_answer(
    tmp_path: Path,
) -> None:
    def questions() -> list[copied.QuestionRow]:
        with peek(tmp_path / "worker.sqlite3") as connection:
            return list(copied.questions(connection, job_id))

    async with working(tmp_path, NO_HUB, kinds=KINDS) as worker:
        job_id = await ask(worker, "apart.ask")
        await until(questions)
    async with working(tmp_path, NO_HUB, kinds=KINDS) as worker:
        await until(lambda: [one for one in questions() if one.is_open and len(questions()) > 1])
        last = max(questions(), key=lambda one: one.question_id)
        answer = AnswerGiven(question_id=last.question_id, job_id=job_id, value="red")
        await worker.agent.say(answer)
        job = await ended(tmp_path, job_id)
    assert job.row.headline == "It is red."


@pytest.mark.parametrize("deaf", ["", "deaf"], ids=["listens", "deaf"])
async def test_stopping_one_leaves_no_process(tmp_path: Path, deaf: str) -> None:
    async with working(tmp_path, NO_HUB, kinds=KINDS) as worker:
        job_id = await ask(worker, "apart.scatter", text=deaf)
        await until(lambda: logged(tmp_path, job_id))
        processes = [int(word) for word in logged(tmp_path, job_id)[0].split()[1:]]
        await worker.agent.say(CancelAsked(job_id=job_id))
        job = await ended(tmp_path, job_id)

        assert job.row.state is JobState.CANCELLED
        assert [is_alive(process) for process in processes] == [False] * 3


async def test_a_job_that_is_killed_from_outside_names_the_signal(tmp_path: Path) -> None:
    async with working(tmp_path, NO_HUB, kinds=KINDS) as worker:
        job_id = await ask(worker, "apart.put_down")
        await until(lambda: logged(tmp_path, job_id))
        os.kill(int(logged(tmp_path, job_id)[0].split()[-1]), signal.SIGKILL)
        await until(lambda: worker.agent.attempts[0].postponed == 1)
        await until(lambda: len(logged(tmp_path, job_id)) > 1)


class Leaping(SystemClock):
    """A clock that a test sets forward."""

    ahead_seconds = 0.0

    def monotonic(self) -> float:
        return super().monotonic() + self.ahead_seconds


async def test_agents_are_looked_for_in_a_child_and_the_hub_is_told_anew(
    hub: HubDouble, tmp_path: Path
) -> None:
    clock = Leaping()
    environment = Environment(clock=clock)
    async with working(tmp_path, hub.base, kinds=KINDS, environment=environment) as worker:
        await until(lambda: hub.end is not None and hub.end.phase == "open")
        assert "codex" not in (await worker.agent.station.hello()).model_dump_json()
        worker.agent.station.beat()
        await asyncio.sleep(0)
        assert not (tmp_path / AGENTS_FILE).exists(), "nothing is started for it at the start"

        clock.ahead_seconds = AGENTS_AFTER_SECONDS
        worker.agent.station.beat()
        await until((tmp_path / AGENTS_FILE).exists)
        worker.agent.station.beat()
        worker.agent.station.beat()
        told = {c.kind: c for c in (await worker.agent.station.hello()).capabilities}
        assert {"codex", "landlock"} <= set(told["apart.add"].tools)
        with peek(tmp_path / "worker.sqlite3") as connection:
            assert copied.newest(connection, 10) == (), "it is in no list of jobs"
