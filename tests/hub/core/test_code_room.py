"""Coding jobs: a machine takes so many of them at once, and only what it has the tools for."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from hub.core import job as core
from hub.core.board import Board
from hub.core.job import Job, Life
from hub.core.placement import Waiting, WaitingReason, why
from hub.core.worker import Presence, Worker
from shared.capabilities import Capability
from shared.ids import PersonId, QuestionId, WorkerId
from tests.makers import MAC, NOON, PC, make_job

NOW = 1000.0
FIX, REVIEW, TRAIN = "code.bugfix", "code.review", "ml.train"


def able(*tools: str, jobs_max: int = 1) -> tuple[Capability, ...]:
    code = Capability(kind=FIX, tools=tools, specializations=("python",), jobs_max=jobs_max)
    return (code, code.model_copy(update={"kind": REVIEW}), Capability(kind=TRAIN))


def presence(worker_id: WorkerId, capabilities: tuple[Capability, ...]) -> Presence:
    return Presence(
        worker_id=worker_id,
        person_id=PersonId("anna"),
        name=worker_id,
        capabilities=capabilities,
        slots=5,
        last_seen_at=NOON,
    )


def worker(worker_id: WorkerId, capabilities: tuple[Capability, ...]) -> Worker:
    return Worker(
        worker_id=worker_id,
        person_id=PersonId("anna"),
        name=worker_id,
        platform="",
        app_version="",
        capabilities=capabilities,
        paired_at=NOON,
        last_seen_at=NOON,
    )


def board_with(*jobs: Job, **here: tuple[Capability, ...]) -> Board:
    board = Board()
    for job in jobs:
        board.update(job, NOW, NOON)
    for name, capabilities in here.items():
        board.arrive(presence(WorkerId(name), capabilities))
    return board


def code(name: str, kind: str = FIX, *tools: str) -> Job:
    return make_job(name, kind=kind, tools=tools)


def placed(board: Board) -> list[tuple[str, str]]:
    return sorted((p.ready.job.job_id, p.worker_id) for p in board.place(NOW))


def reason(board: Board, job: Job, *workers: Worker) -> Waiting:
    waiting = why(board.ready_of(job.job_id), job, board, workers, now=NOW, wall=NOON)
    assert waiting is not None
    return waiting


def test_a_machine_gets_so_many_of_a_family_as_it_says_and_others_beside_them() -> None:
    jobs = [code("a"), code("b", REVIEW), code("c"), make_job("train", kind=TRAIN)]
    jobs = [replace(job, created_at=NOON + timedelta(seconds=n - 9)) for n, job in enumerate(jobs)]
    board = board_with(*jobs, pc=able(jobs_max=2))

    assert [name for name, _ in placed(board)] == ["a", "b", "train"]
    waiting = reason(board, jobs[2], worker(WorkerId("pc"), able(jobs_max=2)))
    assert waiting.reason is WaitingReason.BUSY


def test_one_that_asks_or_ends_makes_room_for_the_next() -> None:
    first, second, third = code("a"), code("b"), code("c")
    pc = WorkerId("pc")
    running = replace(first, life=core.start(core.grant(Life(), pc, 1)))
    board = board_with(running, second, third, pc=able(jobs_max=1))
    assert placed(board) == []

    asking = replace(running, life=core.ask(running.life, QuestionId("q")))
    board.update(asking, NOW, NOON)
    assert placed(board) == [("b", "pc")]

    granted = core.start(core.grant(Life(), pc, 1))
    board.update(replace(second, life=granted), NOW, NOON)
    assert placed(board) == [], "the offer that became a grant counts once"
    board.update(replace(second, life=core.succeed(granted)), NOW, NOON)
    assert placed(board) == [("c", "pc")]


def test_a_job_goes_where_the_agent_and_the_specialization_are() -> None:
    jobs = [code("a", FIX, "codex"), code("b", FIX, "claude", "python"), code("c", FIX, "rust")]
    board = board_with(
        *jobs, pc=able("builtin", "claude", jobs_max=3), laptop=able("codex", jobs_max=3)
    )

    assert placed(board) == [("a", "laptop"), ("b", "pc")]


def test_why_one_waits_names_the_machine_that_comes_nearest_and_what_it_lacks() -> None:
    job = code("a", FIX, "codex", "python")
    tools = {PC: able("builtin", "claude"), MAC: (Capability(kind=FIX, tools=("git",)),)}
    board = board_with(job, **{str(name): had for name, had in tools.items()})
    workers = [worker(name, had) for name, had in tools.items()]

    waiting = reason(board, job, *workers)

    assert waiting.reason is WaitingReason.TOOLS_MISSING
    assert (waiting.worker, waiting.missing) == (PC, ("codex",))
    assert waiting.had == ("builtin", "claude", "python")


def test_a_machine_that_cannot_do_the_kind_at_all_is_told_apart() -> None:
    job = code("a", FIX, "codex")
    trains = (Capability(kind=TRAIN),)
    board = board_with(job, pc=trains)

    assert reason(board, job, worker(PC, trains)).reason is WaitingReason.KIND_MISSING
