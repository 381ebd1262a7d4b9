"""Jobs that take no slot: beside a full machine, only so many, and in nobody's way."""

from __future__ import annotations

from dataclasses import replace

from hub.core import job as core
from hub.core.board import Board
from hub.core.job import Job, Life
from hub.core.placement import WaitingReason, why
from hub.core.worker import Presence, Worker
from shared.capabilities import Capability
from shared.ids import PersonId, QuestionId, WorkerId
from shared.jobs import LIGHT_MAX
from tests.makers import NOON, PC, make_job

NOW = 1000.0
LIGHT = "llm.probe"
HEAVY = "ml.train"
ABLE = (Capability(kind=LIGHT), Capability(kind=HEAVY))


def presence(slots: int = 1, worker_id: WorkerId = PC) -> Presence:
    return Presence(
        worker_id=worker_id,
        person_id=PersonId("anna"),
        name=worker_id,
        capabilities=ABLE,
        slots=slots,
        last_seen_at=NOON,
    )


def worker() -> Worker:
    return Worker(
        worker_id=PC,
        person_id=PersonId("anna"),
        name=PC,
        platform="",
        app_version="",
        capabilities=ABLE,
        paired_at=NOON,
        last_seen_at=NOON,
    )


def board_with(*jobs: Job, here: Presence | None) -> Board:
    board = Board(frozenset({LIGHT}))
    for job in jobs:
        board.update(job, NOW, NOON)
    if here is not None:
        board.arrive(here)
    return board


def running(job: Job, worker_id: WorkerId = PC) -> Job:
    return replace(job, life=core.start(core.grant(Life(), worker_id, 1)))


def ended(job: Job) -> Job:
    return replace(job, life=core.succeed(job.life))


def light(number: int = 0, age_seconds: float = 0.0) -> Job:
    return make_job(f"light {number:03}", kind=LIGHT, age_seconds=age_seconds)


def heavy(number: int = 0, age_seconds: float = 0.0) -> Job:
    return make_job(f"heavy {number:03}", kind=HEAVY, age_seconds=age_seconds)


def placed(board: Board) -> list[str]:
    return [p.ready.job.kind for p in board.place(NOW)]


def test_a_full_worker_still_gets_jobs_that_take_no_slot() -> None:
    board = board_with(running(heavy()), light(), heavy(1), here=presence(slots=1))
    assert placed(board) == [LIGHT]


def test_many_jobs_that_take_no_slot_keep_no_other_from_one() -> None:
    board = board_with(*(running(light(n)) for n in range(LIGHT_MAX)), here=presence(slots=2))
    assert board.card_of(worker()).free == 2
    for job in (heavy(), light(999)):
        board.update(job, NOW, NOON)
    assert placed(board) == [HEAVY]


def test_only_so_many_are_offered_and_the_next_when_one_ends() -> None:
    board = board_with(*(light(n) for n in range(LIGHT_MAX + 5)), here=presence(slots=1))
    offers = board.place(NOW)
    assert len(offers) == LIGHT_MAX
    assert board.place(NOW) == []

    first = running(offers[0].ready.job)
    board.update(first, NOW, NOON)
    assert board.place(NOW) == []
    board.update(ended(first), NOW, NOON)
    assert len(board.place(NOW)) == 1


def test_a_worker_that_is_paused_gets_none() -> None:
    at_the_machine = board_with(light(), here=presence(slots=0))
    by_the_hub = board_with(light(), here=replace_paused(presence()))
    assert placed(at_the_machine) == placed(by_the_hub) == []


def replace_paused(here: Presence) -> Presence:
    here.is_paused = True
    return here


def test_one_that_asks_leaves_its_place() -> None:
    jobs = [running(light(n)) for n in range(LIGHT_MAX)]
    board = board_with(*jobs, light(999), here=presence())
    assert placed(board) == []
    asking = core.ask(jobs[0].life, QuestionId("q"))
    board.update(replace(jobs[0], life=asking), NOW, NOON)
    assert placed(board) == [LIGHT]


def test_why_one_waits_is_told_of_its_own_room() -> None:
    jobs = [running(light(n)) for n in range(LIGHT_MAX)]
    board = board_with(*jobs, light(999), heavy(7), here=presence(slots=1))
    job = light(999)
    waiting = why(board.ready_of(job.job_id), job, board, (worker(),), now=NOW, wall=NOON)
    assert waiting is not None
    assert (waiting.reason, waiting.is_light, waiting.ahead) == (WaitingReason.BUSY, True, 0)

    free = board_with(running(heavy()), job, here=presence(slots=1))
    starting = why(free.ready_of(job.job_id), job, free, (worker(),), now=NOW, wall=NOON)
    assert starting is not None
    assert starting.reason is WaitingReason.STARTING


def test_a_worker_that_fetches_its_work_counts_all_of_it() -> None:
    here = presence(slots=2)
    here.claims = [frozenset({LIGHT, HEAVY})] * 3
    board = board_with(light(1, 9.0), heavy(1, 5.0), light(2), here=here)
    assert placed(board) == [LIGHT, HEAVY], "in the order of the queue, two in all"


def test_what_is_counted_is_counted_back() -> None:
    board = board_with(here=presence())
    for _ in range(3):
        job = light()
        board.update(job, NOW, NOON)
        [offer] = board.place(NOW)
        board.decline(PC, job.job_id, offer.attempt, is_for_now=True, reason="", now=NOW)
        board.update(running(job), NOW, NOON)
        assert board.card_of(worker()).running == 1
        board.update(ended(running(job)), NOW, NOON)
    here = board.present[PC]
    assert board.rooms.light_room(here) == LIGHT_MAX
    assert board.card_of(worker()).running == 0
