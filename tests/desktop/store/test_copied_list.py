"""The list of jobs: sorted and filtered by the store, page by page, mended by what changed."""

from __future__ import annotations

import contextlib
import itertools
import sqlite3
from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop.store import copied_list
from desktop.store.copied import JobRow
from desktop.store.copied_list import Order, Shelf, Wanted
from desktop.store.words import match_of
from shared.events import WorkerBack
from tests.desktop.store.copied_world import (
    NOON,
    STUDIO,
    fail,
    happen,
    job_id,
    log,
    open_copy,
    queue,
    start,
)

ALL = Wanted()


@pytest.fixture(scope="module")
def store() -> Iterator[sqlite3.Connection]:
    """Forty jobs of all sorts; several share a title, a state and a machine."""
    with contextlib.closing(open_copy()) as connection:
        for number in range(1, 41):
            title = ("Churn", "churn", "Éclair", "sales <b>", "")[number % 5]
            one = queue(connection, number, title, ("ml.train", "data.describe")[number % 2])
            if number % 3:
                start(connection, one, STUDIO if number % 4 else "elsewhere")
            if number % 6 == 1:
                fail(connection, one)
            log(connection, one, f"epoch {number} of 40", "loss 0.1")
        yield connection


def numbers(rows: tuple[JobRow, ...]) -> list[int]:
    return [row.number for row in rows]


def all_pages(store: sqlite3.Connection, wanted: Wanted, limit: int) -> list[int]:
    found: list[int] = []
    after: JobRow | None = None
    while rows := copied_list.page(store, wanted, after, limit):
        found += numbers(rows)
        after = rows[-1]
    return found


@pytest.mark.parametrize("is_reversed", [False, True])
@pytest.mark.parametrize("order", Order)
def test_pages_together_are_the_whole_list(
    store: sqlite3.Connection, order: Order, is_reversed: bool
) -> None:
    wanted = Wanted(order=order, is_reversed=is_reversed)
    whole = copied_list.page(store, wanted, limit=100)
    assert len(whole) == 40
    assert all_pages(store, wanted, 7) == numbers(whole)
    for one, other in itertools.pairwise(whole):
        assert copied_list.precedes(one, other, wanted)
        assert not copied_list.precedes(other, one, wanted)


@pytest.mark.parametrize(
    "wanted",
    [
        *(Wanted(order=order, is_reversed=back) for order in Order for back in (False, True)),
        Wanted(shelf=Shelf.FAILED),
        Wanted(machine="studio"),
        Wanted(kind="ml.train"),
        Wanted(words="epoch"),
    ],
)
def test_no_page_reads_or_sorts_the_whole_table(store: sqlite3.Connection, wanted: Wanted) -> None:
    asked: list[str] = []
    after = copied_list.page(store, replace(wanted, words=""), limit=1)[0]
    store.set_trace_callback(asked.append)
    copied_list.page(store, wanted)
    copied_list.page(store, wanted, after)
    store.set_trace_callback(None)
    for statement in (one for one in asked if "copy_job" in one and not one.startswith("--")):
        plan = [row[3] for row in store.execute(f"explain query plan {statement}")]
        assert not [step for step in plan if step == "SCAN copy_job"], (statement, plan)
        if not wanted.words:
            assert not [step for step in plan if "TEMP B-TREE" in step], (statement, plan)


def test_filters_go_together(store: sqlite3.Connection) -> None:
    wanted = Wanted(shelf=Shelf.RUNNING, machine="studio", kind="ml.train")
    rows = copied_list.page(store, wanted)
    assert rows
    assert {(row.machine, row.kind, row.state.value) for row in rows} == {
        ("Studio", "ml.train", "running")
    }


def test_words_are_found_in_titles_in_tasks_and_in_logs(store: sqlite3.Connection) -> None:
    assert len(copied_list.page(store, Wanted(words="eclai"))) == 8
    assert len(copied_list.page(store, Wanted(words="please"))) == 40
    assert numbers(copied_list.page(store, Wanted(words="epoch 17"))) == [17]
    assert copied_list.page(store, Wanted(words="epoch churn")) == ()


@given(st.text(max_size=40))
def test_nothing_that_is_typed_is_a_syntax_error(typed: str) -> None:
    with contextlib.closing(sqlite3.connect(":memory:")) as connection:
        connection.execute("create virtual table words using fts5(text)")
        if match := match_of(typed):
            connection.execute("select * from words where words match ?", (match,)).fetchall()


@pytest.mark.parametrize(
    "typed", ['"', "a NOT b", 'x" OR "y', "text:hello", "NEAR(a b)", "^a", "a*b", "(", "a\0b", "-a"]
)
def test_signs_of_the_query_language_are_words(store: sqlite3.Connection, typed: str) -> None:
    assert copied_list.page(store, Wanted(words=typed)) in ((), copied_list.page(store, ALL))


def test_machines_and_kinds_are_told_once(store: sqlite3.Connection) -> None:
    assert copied_list.machines(store) == ("anna-pc", "Studio")
    assert copied_list.kinds(store) == ("data.describe", "ml.train")


def test_what_is_live_or_failed_is_counted(store: sqlite3.Connection) -> None:
    counts = copied_list.shelf_counts(store)
    assert counts[Shelf.WAITING] == 13
    assert Shelf.DONE not in counts
    assert sum(counts.values()) == 40


def test_changes_are_the_jobs_that_events_told_of() -> None:
    with contextlib.closing(open_copy()) as store:
        one, two = queue(store, 1), queue(store, 2)
        seen = copied_list.mark(store)
        start(store, one)
        told = copied_list.changes(store, Wanted(shelf=Shelf.WAITING), seen)
        assert (told.numbers, told.rows, told.is_everything) == (frozenset({1}), (), False)
        fail(store, two)
        told = copied_list.changes(store, ALL, told.mark)
        assert [row.job_id for row in told.rows] == [two]
        assert copied_list.changes(store, ALL, told.mark).numbers == frozenset()


def test_a_new_line_brings_its_job_into_a_search() -> None:
    with contextlib.closing(open_copy()) as store:
        one = queue(store, 1)
        seen = copied_list.mark(store)
        log(store, one, "a needle")
        assert copied_list.changes(store, ALL, seen).numbers == frozenset()
        told = copied_list.changes(store, Wanted(words="needle"), seen)
        assert [row.job_id for row in told.rows] == [one]


def test_a_copy_that_was_begun_anew_is_read_anew() -> None:
    with contextlib.closing(open_copy()) as store:
        queue(store, 1)
        seen = copied_list.mark(store)
        store.execute("delete from event")
        assert copied_list.changes(store, ALL, seen).is_everything


def test_a_flood_of_changes_is_read_anew() -> None:
    with contextlib.closing(open_copy()) as store:
        seen = copied_list.mark(store)
        for number in range(copied_list.CHANGES_MAX + 1):
            queue(store, number)
        told = copied_list.changes(store, ALL, seen)
        assert told.is_everything
        assert told.rows == ()


def test_a_job_of_a_machine_that_is_renamed_has_its_new_name() -> None:
    with contextlib.closing(open_copy()) as store:
        start(store, queue(store, 1), STUDIO)
        happen(store, WorkerBack(worker_id=STUDIO, name="Attic", since=NOON, until=NOON))
        assert copied_list.machines(store) == ("Attic",)
        assert copied_list.page(store, Wanted(machine="attic"))[0].job_id == job_id(1)


def test_words_that_are_in_too_many_lines_are_told() -> None:
    with contextlib.closing(open_copy()) as store:
        one = queue(store, 1)
        for _ in range(copied_list.FOUND_LINES_MAX // 200):
            log(store, one, *["the same"] * 200)
        assert not copied_list.has_too_many_lines(store, "same")
        log(store, one, "the same")
        assert copied_list.has_too_many_lines(store, "same")
        assert not copied_list.has_too_many_lines(store, "other")
        assert not copied_list.has_too_many_lines(store, "")
