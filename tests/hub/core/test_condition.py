"""How a computer is, in one word."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hub.core.condition import DISK_FREE_BYTES_MIN, Condition, condition_of
from hub.core.worker import Worker, WorkerCard
from shared.ids import PersonId, WorkerId
from shared.messages import Metrics
from tests.makers import NOON

WORKER = Worker(
    worker_id=WorkerId("w"),
    person_id=PersonId("anna"),
    name="anna-pc",
    platform="Linux",
    app_version="1",
    capabilities=(),
    paired_at=NOON,
    last_seen_at=NOON,
)
PAUSED = replace(WORKER, is_paused=True)


def metrics(disk_free_bytes: int) -> Metrics:
    return Metrics(
        cpu_share=0.5, memory_used_bytes=1, memory_total_bytes=2, disk_free_bytes=disk_free_bytes
    )


def card(worker: Worker = WORKER, **fields: object) -> WorkerCard:
    told = {"is_online": True, "slots": 2, "working": 0, "asking": 0, "metrics": None, **fields}
    return WorkerCard(worker=worker, **told)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("told", "condition"),
    [
        (card(), Condition.IDLE),
        (card(working=1), Condition.BUSY),
        (card(working=1, asking=1), Condition.ASKING),
        (card(is_online=False, slots=0), Condition.OFFLINE),
        (card(PAUSED, is_online=False, slots=0), Condition.OFFLINE),
        (card(PAUSED), Condition.PAUSED),
        (card(PAUSED, working=1), Condition.DRAINING),
        (card(PAUSED, asking=1), Condition.DRAINING),
        (card(slots=0), Condition.PAUSED),
        (card(metrics=metrics(DISK_FREE_BYTES_MIN)), Condition.IDLE),
        (card(metrics=metrics(DISK_FREE_BYTES_MIN - 1)), Condition.TROUBLED),
    ],
    ids=[
        "idle", "busy", "asking", "offline", "offline-paused", "paused", "draining",
        "draining-asks", "paused-there", "room", "no-room",
    ],
)  # fmt: skip
def test_what_its_person_should_see_first_wins(told: WorkerCard, condition: Condition) -> None:
    assert condition_of(told) is condition


def test_a_machine_whose_reports_are_not_signed_is_in_trouble_even_when_away() -> None:
    assert condition_of(card(is_online=False), is_mistrusted=True) is Condition.TROUBLED
