"""The benchmark of a hub's scale, in small: what it says it counts, it counts."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from hub.store.database import STORE_NAME
from tests.benchmarks.report import OURS, Part, table
from tests.benchmarks.scale.following import measure_progress
from tests.benchmarks.scale.idle import LIMIT, WEBSOCKETS, measure_idle
from tests.benchmarks.scale.pages import KIND, kept_in, measure_queries
from tests.benchmarks.scale.restart import first_offer
from tests.benchmarks.scale.sizes import Sizes, allow_files
from tests.benchmarks.scale.storm import lose_hub, until_told, wrongs
from tests.benchmarks.scale.world import World, percentile

pytestmark = [pytest.mark.flow, pytest.mark.slow, pytest.mark.timeout(300)]

TINY = Sizes(
    idle=(2, 4),
    each=4,
    beat_seconds=0.5,
    progress_jobs=3,
    progress_rate=50.0,
    progress_seconds=0.5,
)


def test_workers_are_counted_at_rest_and_their_jobs_after_the_hub_was_killed(
    tmp_path: Path,
) -> None:
    part = Part("scale", "Hub scale")
    world = World(tmp_path, 1, TINY.each, beat_seconds=TINY.beat_seconds)
    try:
        floors = measure_idle(part, world, TINY)
        world.say_to_workers("hold")
        world.hub.ask("ask 4 2")
        until_told(world, "job_started", 4)
        assert wrongs(tmp_path / "hub") == 4, "none of them has ended"
        back = lose_hub(world, are_called=True, meanwhile="end")
        until_told(world, "job_succeeded", 4)
        assert sum(told["aborted"] for told in world.ask_workers()) == 0
    finally:
        world.end()
    assert wrongs(tmp_path / "hub") == 0
    grant_again(tmp_path / "hub")
    assert wrongs(tmp_path / "hub") == 1
    assert back.seconds > 0
    assert floors[LIMIT] > 0
    each = next(one for one in part.figures if one.name.startswith("memory of one"))
    assert set(each.samples) == {OURS, LIMIT, WEBSOCKETS}
    assert "2 idle workers" in table(part)


def grant_again(folder: Path) -> None:
    """Tell a grant in the log that was told already."""
    connection = sqlite3.connect(folder / STORE_NAME)
    columns = [row[1] for row in connection.execute("PRAGMA table_info(events)")]
    others = ", ".join(name for name in columns if name not in ("hub_seq", "seq"))
    connection.execute(
        f"INSERT INTO events (seq, {others}) SELECT 1000000, {others} FROM events"
        " WHERE type = 'job_granted' LIMIT 1"
    )
    connection.commit()
    connection.close()


def test_progress_reaches_a_page_of_the_hub_and_of_the_bare_server() -> None:
    part = Part("scale", "Hub scale")
    measure_progress(part, TINY)
    arrived = next(one for one in part.figures if one.name.startswith("progress messages"))
    assert arrived.median() == 100, "the line was never full"
    assert arrived.median(LIMIT) == 100
    assert part.figures[0].goal


def test_a_small_store_is_asked_all_its_queries_and_offers_a_job_after_its_start(
    tmp_path: Path,
) -> None:
    part = Part("scale", "Hub scale")
    anna, workers, machine = kept_in(tmp_path, 100)
    measure_queries(part, tmp_path, anna, workers, 100)
    assert kept_in(tmp_path, 100) == (anna, workers, machine), "it was written once"
    assert part.figures[0].median() > part.figures[0].median(LIMIT)
    assert part.figures[0].is_met is None, "the goal is one for a million jobs"
    seconds, cpu = first_offer(tmp_path, machine, KIND)
    assert cpu > 0
    assert seconds > 0


def test_files_are_allowed_as_far_as_the_machine_lets_them() -> None:
    assert allow_files(10) == 10
    assert allow_files(10**9) < 10**9


@pytest.mark.parametrize(("share", "found"), [(0.5, 3), (0.99, 4), (0, 1)])
def test_a_percentile_is_one_of_the_values(share: float, found: float) -> None:
    assert percentile([4, 1, 3, 2], share) == found
    assert percentile([], share) == 0
