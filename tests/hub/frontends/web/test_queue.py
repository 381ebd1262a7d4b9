"""The page of the queue."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from hub.core.backlog import Group
from hub.core.meter import Hour
from hub.core.placement import Waiting, WaitingReason
from hub.frontends.web.pages.queue import depth_curve, filled, wait_curve
from hub.frontends.web.reasons import reason
from shared.capabilities import Lacking
from shared.ids import JobId, WorkerId
from tests.hub.frontends.web.reader import Reader
from tests.hub.frontends.world import World
from tests.makers import NOON

BUSY = Waiting(
    reason=WaitingReason.BUSY, kind="ml.train", worker_id=WorkerId("w"), worker="anna-pc"
)
LACKING = Lacking(kind="ml.train", command="deskhand setup ml")


def says(waiting: Waiting, count: int = 2) -> str:
    group = Group(waiting=waiting, count=count, oldest_id=JobId("j"), oldest_at=NOON)
    told = reason(group, NOON)
    return f"{told.says} {told.command}".strip()


@pytest.mark.parametrize(
    ("waiting", "sentence"),
    [
        (
            replace(BUSY, reason=WaitingReason.NO_WORKER),
            "2 jobs wait for a computer: none is connected.",
        ),
        (
            replace(BUSY, reason=WaitingReason.KIND_MISSING, lacking=LACKING),
            "2 jobs wait for training tools, which anna-pc lacks. Run this on anna-pc: "
            "deskhand setup ml",
        ),
        (
            replace(BUSY, reason=WaitingReason.TOOLS_MISSING, missing=("codex",), had=("git",)),
            "2 jobs wait. This asks for codex, which anna-pc does not have; it has git. Run this "
            "on anna-pc: deskhand agents",
        ),
        (
            replace(BUSY, reason=WaitingReason.KIND_MISSING, worker="", kind="x.y"),
            "2 jobs wait to run x.y: that cannot be done by any of the computers.",
        ),
        (
            replace(
                BUSY, reason=WaitingReason.WORKER_OFFLINE, since=NOON - timedelta(minutes=3)
            ),
            "2 jobs wait for anna-pc, which is offline (seen 3 min ago).",
        ),
        (
            replace(BUSY, reason=WaitingReason.ALL_OFFLINE, since=NOON - timedelta(hours=2)),
            "2 jobs wait for a computer that can train: none is online. anna-pc was seen 2 h ago "
            "as the last one.",
        ),
        (
            replace(BUSY, reason=WaitingReason.PAUSED),
            "2 jobs wait for anna-pc, which is paused.",
        ),
        (BUSY, "2 jobs wait for a free slot: every computer that can train is busy."),
        (
            replace(BUSY, reason=WaitingReason.DECLINED, detail="The file is not there."),
            "2 jobs wait: anna-pc said no. The file is not there.",
        ),
        (
            replace(BUSY, reason=WaitingReason.RETRY_WAIT, until=NOON + timedelta(seconds=40)),
            "2 jobs wait after a failure; the first is tried again in 40 s.",
        ),
        (replace(BUSY, reason=WaitingReason.STARTING), "2 jobs about to start."),
    ],
    ids=[
        "no-worker", "lacking", "tools", "cannot", "offline", "all-offline", "paused", "busy",
        "declined", "retry", "starting",
    ],
)  # fmt: skip
def test_every_reason_has_a_sentence(waiting: Waiting, sentence: str) -> None:
    assert says(waiting) == sentence


def test_one_job_waits_and_two_wait() -> None:
    assert says(BUSY, 1).startswith("1 job waits for")


def test_a_curve_begins_where_something_is_known_and_has_no_holes() -> None:
    assert filled((None, None, 3.0, None, 5.0, None)) == (3.0, 3.0, 5.0, 5.0)
    assert filled((None, None)) == ()


def test_a_curve_without_figures_says_so() -> None:
    nothing = Hour(depth=(None,), wait=(None,), started=0, wait_p50=None, wait_p95=None)
    assert depth_curve(nothing).says == "nothing was measured yet"
    assert wait_curve(nothing).says == "nothing started in the last hour"
    some = replace(nothing, wait=(4.0,), started=7, wait_p50=4.0, wait_p95=61.0)
    assert wait_curve(some).figure == "half within 4 s"
    assert wait_curve(some).says == "19 of 20 within 1 min 1 s; 7 jobs started"
    assert wait_curve(replace(some, wait_p50=0.2)).figure == "half within a second"


async def test_what_waits_is_apart_from_what_runs(world: World, reader: Reader) -> None:
    for priority in ("high", "default", "default", "low"):
        await world.rest.post("/tasks", json={"kind": "ml.models", "priority": priority})
    page = await reader.get("/queue")
    for figure in (
        "High priority 1 waiting",
        "Normal priority 2 waiting",
        "Low priority 1 waiting",
    ):
        assert figure in page.text
    assert "4 jobs wait for a computer: none is connected." in page.text
    assert "/pair" in page.links
    assert "ml.models 4 0" in page.text


async def test_an_empty_queue_says_so(reader: Reader) -> None:
    assert "Nothing waits." in (await reader.get("/queue")).text


async def test_the_last_hour_is_drawn(world: World, reader: Reader) -> None:
    gauge = world.hub.services.gauge
    await world.rest.post("/tasks", json={"kind": "ml.models"})
    gauge.run_once()
    owner = next(iter(key for key in gauge._meters if key is not None))
    now = world.hub.environment.monotonic()
    gauge._meters[owner].sample(now - 120, (0, 5, 0))
    page = await reader.get("/queue")
    assert "now 1, at most 5" in page.text
    assert "<polyline" in page.html
