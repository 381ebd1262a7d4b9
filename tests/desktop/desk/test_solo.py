"""Jobs done in the process of a command: no hub, no pairing, nothing of it left behind."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from desktop.core.policy import Policy
from desktop.desk.solo import PREFIX, Solo
from desktop.store import copied
from desktop.store.copied import Job, QuestionRow
from desktop.system.paths import Paths
from shared.database import peek
from shared.errors import AppError
from shared.ids import JobId
from shared.jobs import JobState
from shared.kinds import JsonObject

PATIENCE_SECONDS = 30.0


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    return Paths(data=tmp_path / "data", config=tmp_path / "config", home=tmp_path)


@pytest.fixture
def solo(paths: Paths) -> Iterator[Solo]:
    with made(paths) as solo:
        yield solo


def made(paths: Paths, executors_at: str = "tests.flows.play:EXECUTORS") -> Solo:
    policy = Policy(disk_free_bytes_min=0)
    return Solo(paths, policy, kinds_at="tests.flows.play:KINDS", executors_at=executors_at)


def told(solo: Solo, job_id: JobId) -> Job | None:
    with peek(solo.store) as connection:
        return copied.job(connection, job_id)


def until(what: Callable[[], object]) -> None:
    ends = time.monotonic() + PATIENCE_SECONDS
    while not what():
        assert time.monotonic() < ends
        time.sleep(0.02)


def ended(solo: Solo, job_id: JobId) -> Job:
    def has_ended() -> bool:
        job = told(solo, job_id)
        return job is not None and job.row.state.is_terminal

    until(has_ended)
    job = told(solo, job_id)
    assert job is not None
    return job


def ask(solo: Solo, kind: str, **inputs: str | int) -> JobId:
    given: JsonObject = dict(inputs)
    return solo.request(f"play.{kind}", given)


def test_a_job_is_done(solo: Solo) -> None:
    assert ended(solo, ask(solo, "count", number=3)).row.headline == "Counted to 3."


def test_a_question_is_answered(solo: Solo) -> None:
    job_id = ask(solo, "ask")

    def asked() -> list[QuestionRow]:
        with peek(solo.store) as connection:
            return list(copied.questions(connection, job_id))

    until(asked)
    [question] = asked()
    solo.answer(question.question_id, job_id, "blue")
    assert ended(solo, job_id).row.headline == "It is blue."


def test_a_job_is_stopped(solo: Solo) -> None:
    job_id = ask(solo, "hang")
    until(lambda: (job := told(solo, job_id)) and job.row.state is JobState.RUNNING)
    solo.cancel(job_id)
    assert ended(solo, job_id).row.state is JobState.CANCELLED


def test_nothing_is_left_behind_and_nothing_of_another_is_touched(paths: Paths) -> None:
    with made(paths) as first, made(paths) as second:
        job_id = ask(second, "count", number=1)
        ended(second, job_id)
        assert first.store.exists()
    assert list(paths.data.glob(f"{PREFIX}*")) == []
    assert not paths.store.exists(), "the profile's own store is not its"
    assert "solo" not in {thread.name for thread in threading.enumerate()}


def test_what_a_killed_command_left_goes_with_the_next(paths: Paths) -> None:
    left = paths.data / f"{PREFIX}dead"
    left.mkdir(parents=True)
    (left / "worker.sqlite3").write_bytes(b"")
    with made(paths):
        assert not left.exists()


def test_an_agent_that_cannot_start_is_told(paths: Paths) -> None:
    solo = made(paths, executors_at="tests.flows.play:NOT_THERE")
    with pytest.raises(AppError) as caught, solo:
        pass
    assert caught.value.code == "worker_gone"
