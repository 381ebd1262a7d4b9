"""The fleet is asked when none of a person's own computers has room, and never for some things."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from hub.core.board import Board
from hub.core.fleet_rules import FLEET_SLOTS
from hub.core.job import Job
from hub.core.placement import WaitingReason, why
from hub.core.worker import Presence, Worker
from shared.capabilities import Capability
from shared.fleet import FLEET_PLATFORM
from shared.ids import JobId, PersonId, WorkerId
from tests.makers import NOON, PC, make_job

FLEET = WorkerId("fleet")
ABLE = (Capability(kind="llm.ask", tools=("local",)), Capability(kind="ml.train"))
ANNA = PersonId("anna")


def here(worker_id: WorkerId, *, slots: int, is_fleet: bool = False) -> Presence:
    return Presence(
        worker_id=worker_id,
        person_id=ANNA,
        name=str(worker_id),
        capabilities=ABLE,
        slots=slots,
        last_seen_at=NOON,
        is_fleet=is_fleet,
    )


def board_of(*presences: Presence, light: frozenset[str] = frozenset()) -> Board:
    board = Board(light)
    for presence in presences:
        board.arrive(presence)
    return board


def placed(board: Board, *jobs: Job) -> list[tuple[str, str]]:
    for job in jobs:
        board.update(job, 0.0, NOON)
    return [(one.ready.job.job_id, one.worker_id) for one in board.place(0.0)]


def asks(name: str, age_seconds: float = 0.0, **fields: Any) -> Job:
    return make_job(name, age_seconds=age_seconds, kind="llm.ask", **fields)


@pytest.mark.parametrize("light", [frozenset[str](), frozenset({"llm.ask"})])
def test_a_computer_of_ones_own_comes_first_however_much_room_the_fleet_has(
    light: frozenset[str],
) -> None:
    board = board_of(here(FLEET, slots=FLEET_SLOTS, is_fleet=True), here(PC, slots=1), light=light)
    assert placed(board, asks("a")) == [("a", PC)]


def test_what_ones_own_have_no_room_for_goes_to_the_fleet() -> None:
    board = board_of(here(FLEET, slots=2, is_fleet=True), here(PC, slots=1))
    jobs = [asks(name, age_seconds=10 - n) for n, name in enumerate("abcd")]
    assert placed(board, *jobs) == [("a", PC), ("b", FLEET), ("c", FLEET)]


def test_each_job_takes_a_slot_of_the_fleet_also_one_that_takes_none_elsewhere() -> None:
    board = board_of(here(FLEET, slots=2, is_fleet=True), light=frozenset({"llm.ask"}))
    assert len(placed(board, *(asks(name) for name in "abc"))) == 2


@pytest.mark.parametrize(
    "fields",
    [
        {"tools": ("local",)},
        {"pinned_to": PC},
        {"part_of": JobId("plan"), "is_lent": True},
    ],
    ids=["local", "pinned to a computer", "a step of a plan"],
)
def test_what_is_to_stay_at_home_is_never_offered_to_the_fleet(fields: dict[str, object]) -> None:
    board = board_of(here(FLEET, slots=9, is_fleet=True))
    assert placed(board, asks("a", 0.0, **fields)) == []
    board.arrive(here(PC, slots=1))
    assert [(o.ready.job.job_id, o.worker_id) for o in board.place(0.0)] == [("a", PC)]


def worker(worker_id: WorkerId, platform: str, pull_slots: int = 0) -> Worker:
    return Worker(
        worker_id=worker_id,
        person_id=ANNA,
        name=str(worker_id),
        platform=platform,
        app_version="",
        capabilities=ABLE,
        paired_at=NOON,
        last_seen_at=NOON,
        pull_slots=pull_slots,
    )


STANDS = worker(FLEET, FLEET_PLATFORM, FLEET_SLOTS)


def test_only_the_hubs_own_row_stands_for_the_fleet() -> None:
    """A machine says itself what its platform is."""
    assert STANDS.is_fleet
    assert not worker(PC, FLEET_PLATFORM).is_fleet
    assert not worker(PC, "REST", 4).is_fleet


@pytest.mark.parametrize(
    ("job", "presences", "reason"),
    [
        (asks("a"), (), WaitingReason.WORKER_OFFLINE),
        (asks("a"), (here(FLEET, slots=0, is_fleet=True),), WaitingReason.PAUSED),
        (
            asks("a"),
            (replace(here(FLEET, slots=5, is_fleet=True), is_paused=True),),
            WaitingReason.PAUSED,
        ),
        (
            asks("a", tools=("local",)),
            (here(FLEET, slots=5, is_fleet=True),),
            WaitingReason.NO_WORKER,
        ),
    ],
    ids=["broker away", "no slots", "paused", "to stay at home"],
)
def test_why_a_job_waits_is_right_when_the_fleet_cannot_take_it(
    job: Job, presences: tuple[Presence, ...], reason: WaitingReason
) -> None:
    board = board_of(*presences)
    board.update(job, 0.0, NOON)
    told = why(board.ready_of(job.job_id), job, board, [STANDS], now=0.0, wall=NOON)
    assert told is not None
    assert told.reason is reason


def test_a_full_fleet_is_told_as_busy() -> None:
    board = board_of(here(FLEET, slots=1, is_fleet=True))
    first, second = asks("a", age_seconds=5), asks("b")
    placed(board, first, second)
    told = why(board.ready_of(second.job_id), second, board, [STANDS], now=0.0, wall=NOON)
    assert told is not None
    assert (told.reason, told.worker) == (WaitingReason.BUSY, "fleet")
