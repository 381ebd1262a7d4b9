"""The transcripts: what was told to be kept is there, once, whatever happens in between."""

from __future__ import annotations

import asyncio
import dataclasses
import sqlite3
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from desktop.core.llm.types import CellEnd, CellState
from desktop.store.transcripts import forgetting, opening, pages, reading, writing
from desktop.store.transcripts.records import Wanted
from desktop.store.transcripts.tables import MIGRATIONS
from desktop.store.transcripts.transcripts import Transcripts
from shared.database import Database
from shared.environment import Environment, SystemClock
from shared.errors import STORE_CORRUPT, NotFound, Unavailable
from shared.kinds.llm import UsageFacts
from tests.desktop.store.transcripts.world import (
    DONE,
    MODELS,
    NOW,
    OTHER,
    RUN,
    USAGE,
    answered,
    failed,
    new_run,
    turn,
)


class HurriedClock(SystemClock):
    """A minute goes by with each look."""

    def __init__(self) -> None:
        self._looks = 0

    def monotonic(self) -> float:
        self._looks += 1
        return 60.0 * self._looks


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Transcripts]:
    opened = Transcripts(tmp_path)
    yield opened
    await opened.aclose()


@pytest.fixture
def connection() -> Iterator[sqlite3.Connection]:
    """Transcripts of one run of six cells: 0 and 1 answered, 2 failed, the others open."""
    made = sqlite3.connect(":memory:", isolation_level=None)
    for migration in MIGRATIONS:
        migration(made)
    writing.make_run(made, new_run())
    answered(made, RUN, 0)
    answered(made, RUN, 1, dataclasses.replace(DONE, choice="B", cost_usd=None))
    answered(made, RUN, 2, failed())
    yield made
    made.close()


async def test_a_turn_comes_back_with_everything_that_is_known_of_it(store: Transcripts) -> None:
    await store.make_run(new_run())

    await store.save_turn(RUN, 4, turn(0))
    await store.save_turn(RUN, 4, turn(1, "B 🙂\x00"))

    assert await store.turns(RUN, 4) == (turn(0), turn(1, "B 🙂\x00"))


async def test_the_first_writing_of_a_turn_counts(store: Transcripts) -> None:
    await store.make_run(new_run())

    first = await store.save_turn(RUN, 0, turn(text="A"))
    second = await store.save_turn(RUN, 0, turn(text="B"))

    assert (first, second) == (True, False)
    assert [one.reply.text for one in await store.turns(RUN, 0)] == ["A"]


async def test_the_first_end_of_a_cell_counts(store: Transcripts) -> None:
    await store.make_run(new_run())

    assert await store.end_cell(RUN, 0, DONE)
    assert not await store.end_cell(RUN, 0, failed())

    assert (await store.probe(RUN, 0)).end == DONE
    assert (await store.run(RUN)).done == 1


async def test_a_run_that_is_made_again_is_as_it_was(store: Transcripts) -> None:
    assert await store.make_run(new_run())
    await store.end_cell(RUN, 0, DONE)

    assert not await store.make_run(new_run(scenarios=9))

    assert (await store.run(RUN)).total == 6
    assert await store.open_cells(RUN) == [1, 2, 3, 4, 5]


async def test_what_was_saved_is_on_the_disk_when_the_call_returns(
    store: Transcripts, tmp_path: Path
) -> None:
    await store.make_run(new_run())

    await asyncio.gather(*(store.save_turn(RUN, index, turn()) for index in range(6)))

    with opening.reading(tmp_path) as beside:
        assert sum(len(reading.turns(beside, RUN, index)) for index in range(6)) == 6


async def test_half_characters_of_a_model_are_kept_as_far_as_they_can_be(
    store: Transcripts,
) -> None:
    await store.make_run(new_run())

    await store.save_turn(RUN, 0, turn(text="A \ud83d\ude42 \ud800"))

    assert [one.reply.text for one in await store.turns(RUN, 0)] == ["A 🙂 \ufffd"]


async def test_a_cell_knows_its_scenario_its_model_and_the_seed(store: Transcripts) -> None:
    await store.make_run(new_run(repeats=2))

    probe = await store.probe(RUN, 7)

    assert (probe.cell.scenario, probe.cell.model, probe.cell.repeat) == ("s1", MODELS[1], 1)
    assert probe.scenario == new_run().scenarios[1]
    assert (probe.seed, probe.end, probe.turns) == (7, None, ())


async def test_what_is_not_there_is_told(store: Transcripts) -> None:
    with pytest.raises(NotFound, match="no transcripts of a run"):
        await store.save_turn(OTHER, 0, turn())
    await store.make_run(new_run())
    with pytest.raises(NotFound, match="no probe 6: it has 6"):
        await store.probe(RUN, 6)


def test_a_run_is_counted_as_it_goes(connection: sqlite3.Connection) -> None:
    run = reading.run(connection, RUN)

    assert (run.total, run.done, run.answered, run.failed) == (6, 3, 2, 1)
    assert run.count(CellState.OPEN) == 3
    assert run.faults == {"RATE_LIMIT": 1}
    assert run.cost_usd == 0.25
    assert run.usage == UsageFacts(
        **{name: 3 * count for name, count in USAGE.model_dump(exclude={"is_estimated"}).items()}
    )
    assert {(one.model, one.state, one.cells) for one in run.tallies} == {
        (MODELS[0], CellState.ANSWERED, 1),
        (MODELS[1], CellState.ANSWERED, 1),
        (MODELS[0], CellState.FAILED, 1),
    }


def test_failed_cells_open_again_and_keep_their_turns(connection: sqlite3.Connection) -> None:
    assert writing.reopen_cells(connection, RUN, faults=["AUTH_ERROR"]) == 0
    assert writing.reopen_cells(connection, RUN, models=[MODELS[1]]) == 0
    assert writing.reopen_cells(connection, RUN, indexes=[0, 1]) == 0

    assert writing.reopen_cells(connection, RUN) == 1

    run = reading.run(connection, RUN)
    assert (run.done, run.failed, run.faults) == (2, 0, {})
    assert run.usage.input_tokens == 60
    assert len(reading.probe(connection, RUN, 2).turns) == 1
    assert writing.end_cell(connection, RUN, 2, DONE, 1)
    assert reading.run(connection, RUN).usage.input_tokens == 90


def test_statistics_get_a_row_a_cell(connection: sqlite3.Connection) -> None:
    first, second, third, *_, last = reading.rows(connection, RUN)

    assert (first.scenario, first.cluster, first.model) == ("s0", "c0", MODELS[0])
    assert (first.choice, first.chosen_value, second.chosen_value) == ("A", "honesty", "care")
    assert (first.tokens, first.total_ms, first.cost_usd) == (42, 80.25, 0.25)
    assert (third.state, third.fault, second.cost_usd) == (CellState.FAILED, "RATE_LIMIT", None)
    assert (last.index, last.state, last.cluster) == (5, CellState.OPEN, "c1")


def test_the_newest_run_comes_first_and_is_found_by_every_name(
    connection: sqlite3.Connection,
) -> None:
    writing.make_run(connection, new_run(OTHER, at=NOW + timedelta(days=1)))

    assert [run.run_id for run in reading.runs(connection)] == [OTHER, RUN]
    assert reading.run_named(connection, None) == OTHER
    assert reading.run_named(connection, "2") == RUN
    assert reading.run_named(connection, RUN) == RUN
    with pytest.raises(NotFound, match="a run 3"):
        reading.run_named(connection, "3")


@pytest.mark.parametrize(
    ("wanted", "indexes"),
    [
        pytest.param(Wanted(), [0, 1, 2, 3, 4, 5], id="all"),
        pytest.param(Wanted(state=CellState.ANSWERED), [0, 1], id="by state"),
        pytest.param(Wanted(model=MODELS[1]), [1, 3, 5], id="by model"),
        pytest.param(Wanted(scenario="s1"), [2, 3], id="by scenario"),
        pytest.param(Wanted(fault="RATE_LIMIT"), [2], id="by fault"),
        pytest.param(Wanted(model=MODELS[0], state=CellState.OPEN), [4], id="by both"),
        pytest.param(Wanted(text="BECAUSE IT"), [0, 1, 2], id="by words"),
        pytest.param(Wanted(text="s2"), [4, 5], id="by the scenario's name"),
        pytest.param(Wanted(text="%"), [], id="by a sign that means something to SQL"),
        pytest.param(Wanted(model="nobody"), [], id="by a model that was not asked"),
        pytest.param(Wanted(scenario="s9"), [], id="by a scenario that is not there"),
    ],
)
def test_pages_show_what_is_wanted_and_go_on_where_they_ended(
    connection: sqlite3.Connection, wanted: Wanted, indexes: list[int]
) -> None:
    found, after = list[int](), -1
    while True:
        page = pages.cells(connection, RUN, wanted, after=after, count=2)
        found += [one.cell.index for one in page.cells]
        if page.next_after is None:
            break
        after = page.next_after

    assert found == indexes


def test_a_search_looks_at_so_many_cells_and_says_where_to_go_on(
    connection: sqlite3.Connection,
) -> None:
    wanted = Wanted(text="nowhere to be found")
    writing.make_run(connection, new_run("big", scenarios=600, repeats=2))

    page = pages.cells(connection, "big", wanted)

    assert (page.cells, page.next_after) == ((), pages.CELLS_SEARCHED_MAX - 1)
    assert pages.cells(connection, "big", wanted, after=pages.CELLS_SEARCHED_MAX).next_after is None


def test_a_purged_run_leaves_nothing(connection: sqlite3.Connection) -> None:
    writing.make_run(connection, new_run(OTHER))
    answered(connection, OTHER, 0)

    assert writing.purge(connection, [RUN, "nobody"]) == 1

    assert [run.run_id for run in reading.runs(connection)] == [OTHER]
    for table in ("turn", "cell", "scenario", "tally"):
        keys = connection.execute(f"select distinct run_key from {table}").fetchall()
        assert len(keys) == 1


async def test_only_one_process_writes(store: Transcripts, tmp_path: Path) -> None:
    await store.make_run(new_run())

    with pytest.raises(Unavailable) as caught:
        await Transcripts(tmp_path, Environment(clock=HurriedClock())).make_run(new_run())

    assert caught.value.code == "transcripts_busy"
    assert caught.value.retryable


async def test_the_next_writer_waits_for_the_one_before(store: Transcripts, tmp_path: Path) -> None:
    await store.make_run(new_run())
    next_one = Transcripts(tmp_path)

    async with asyncio.TaskGroup() as group:
        made = group.create_task(next_one.make_run(new_run(OTHER)))
        await asyncio.sleep(0)
        await store.aclose()

    assert made.result()
    await next_one.aclose()


async def test_a_damaged_file_is_set_aside_and_told(tmp_path: Path) -> None:
    (tmp_path / opening.FILE_NAME).write_bytes(b"no database at all" * 1000)

    store = Transcripts(tmp_path)
    await store.make_run(new_run())
    await store.aclose()

    (kept,) = opening.set_aside(tmp_path)
    assert (tmp_path / kept).read_bytes().startswith(b"no database")


async def test_damage_inside_is_found_after_a_crash(tmp_path: Path) -> None:
    store = Transcripts(tmp_path)
    await store.make_run(new_run(scenarios=300))
    await store.aclose()
    path = tmp_path / opening.FILE_NAME
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 2 : len(raw) // 2 + 4096] = b"\xff" * 4096
    path.write_bytes(raw)
    (tmp_path / f"{opening.FILE_NAME}.suspect").touch()

    store = Transcripts(tmp_path)
    assert await store.make_run(new_run())

    assert opening.set_aside(tmp_path)
    await store.aclose()


async def test_damage_that_shows_while_it_is_open_costs_one_call(tmp_path: Path) -> None:
    store = Transcripts(tmp_path)
    await store.make_run(new_run(scenarios=300))
    await store.aclose()
    path = tmp_path / opening.FILE_NAME
    whole = path.read_bytes()
    path.write_bytes(whole[: 4096 * 12] + b"\xff" * (len(whole) - 4096 * 12))
    store = Transcripts(tmp_path)

    with pytest.raises(Unavailable) as caught:
        await store.make_run(new_run(OTHER, scenarios=300))

    assert caught.value.code == STORE_CORRUPT
    assert await store.make_run(new_run(OTHER))
    assert opening.set_aside(tmp_path)
    await store.aclose()


def test_without_any_run_that_is_said(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="No model was probed"), opening.reading(tmp_path):
        pass


async def test_transcripts_of_a_newer_program_are_left_alone(tmp_path: Path) -> None:
    Database(tmp_path / opening.FILE_NAME, (*MIGRATIONS, lambda _: None)).close()

    with pytest.raises(Unavailable, match="newer"), opening.reading(tmp_path):
        pass
    with pytest.raises(Unavailable, match="newer"):
        await Transcripts(tmp_path).run(RUN)
    assert not opening.set_aside(tmp_path)


async def test_a_purge_while_nobody_writes_is_done_at_once(tmp_path: Path) -> None:
    store = Transcripts(tmp_path)
    await store.make_run(new_run())
    await store.make_run(new_run(OTHER))
    await store.save_turn(RUN, 0, turn(text="a secret of mine"))
    await store.aclose()

    assert forgetting.forget(tmp_path, [RUN, "a job that was no run"], NOW) == 1

    with opening.reading(tmp_path) as connection:
        assert [run.run_id for run in reading.runs(connection)] == [OTHER]
    assert not forgetting.is_due(tmp_path)
    assert b"a secret of mine" not in (tmp_path / opening.FILE_NAME).read_bytes()


async def test_a_purge_while_somebody_writes_is_left_to_them(
    store: Transcripts, tmp_path: Path
) -> None:
    await store.make_run(new_run())

    assert await asyncio.to_thread(forgetting.forget, tmp_path, [RUN], NOW) == 1
    await store.forget_due()

    with pytest.raises(NotFound):
        await store.run(RUN)
    assert not forgetting.is_due(tmp_path)


async def test_a_purge_that_was_cut_off_is_done_at_the_next_start(tmp_path: Path) -> None:
    store = Transcripts(tmp_path)
    await store.make_run(new_run())
    await store.aclose()
    (tmp_path / forgetting.NOTES).mkdir()
    (tmp_path / forgetting.NOTES / RUN).touch()

    store = Transcripts(tmp_path)

    with pytest.raises(NotFound):
        await store.run(RUN)
    await store.aclose()


def test_a_cell_that_failed_before_its_first_turn_has_an_end(
    connection: sqlite3.Connection,
) -> None:
    end = CellEnd(state=CellState.FAILED, fault="AUTH_ERROR", message="no")

    assert writing.end_cell(connection, RUN, 5, end, 1)

    assert reading.probe(connection, RUN, 5).end == end


def test_a_cell_that_waits_says_why_until_it_ends(connection: sqlite3.Connection) -> None:
    writing.note_fault(connection, RUN, 5, "OVERLOADED", "Too busy.")
    writing.note_fault(connection, RUN, 0, "OVERLOADED", "Too busy.")

    (waiting,) = pages.cells(connection, RUN, Wanted(fault="OVERLOADED")).cells

    assert (waiting.cell.index, waiting.state, waiting.message) == (5, CellState.OPEN, "Too busy.")
    answered(connection, RUN, 5)
    assert not pages.cells(connection, RUN, Wanted(fault="OVERLOADED")).cells
    assert reading.run(connection, RUN).faults == {"RATE_LIMIT": 1}
