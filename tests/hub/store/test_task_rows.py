"""Pages of the list of tasks against a plain list: every filter, every order, while rows change."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.core.task_row import RowCursor, RowFilter, RowPage, RowSort
from hub.store import task_rows
from hub.store.database import STORE_NAME, open_store
from shared.errors import BadInput
from shared.ids import PersonId, WorkerId, short, uuid7
from shared.jobs import JobState, Origin, Priority
from shared.times import from_ms

BEGAN_MS = 1_760_000_000_000
ANNA, BEN = (PersonId(uuid7(1, bytes([n] * 10))) for n in (1, 2))
PCS = [WorkerId(uuid7(2, bytes([n] * 10))) for n in range(2)]
STORED = [state for state in JobState if state is not JobState.OFFERED]
HELD = (JobState.GRANTED, JobState.RUNNING)
WORDS = ("sales", "100%", "snake_case", "Café")


@dataclass(frozen=True)
class Made:
    """A job as the plain list has it."""

    job_id: str
    task_id: str
    person_id: PersonId
    kind: str
    state: JobState
    priority: Priority
    origin: Origin
    worker_id: WorkerId | None
    pinned_to: WorkerId | None
    title: str
    text: str
    asked_ms: int
    updated_ms: int

    @property
    def place(self) -> WorkerId | None:
        is_waiting = self.state is JobState.QUEUED
        return self.pinned_to if is_waiting else self.worker_id or self.pinned_to


@pytest.fixture
def store(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    open_store(tmp_path).close()
    connection = sqlite3.connect(tmp_path / STORE_NAME, isolation_level=None)
    connection.execute("PRAGMA synchronous = OFF")
    for person_id, name in ((ANNA, "anna"), (BEN, "ben")):
        connection.execute(
            "INSERT INTO people (person_id, name, created_ms) VALUES (?, ?, 0)", (person_id, name)
        )
    yield connection
    connection.close()


DRAWN = st.tuples(
    st.integers(0, 11),
    st.sampled_from(("ml.train", "ml.predict")),
    st.sampled_from(STORED),
    st.sampled_from(list(Priority)),
    st.sampled_from((Origin.CHAT, Origin.API)),
    st.sampled_from((None, *PCS)),
    st.sampled_from((None, *PCS)),
    st.sampled_from(WORDS),
    st.integers(0, 50),
)
ROWS = st.integers(0, 40).flatmap(lambda count: st.lists(DRAWN, min_size=count, max_size=count))
MOMENTS = st.integers(0, 40).map(lambda n: from_ms(BEGAN_MS + n))
ONE_FILTER = st.one_of(
    st.sampled_from((ANNA, BEN)).map(lambda value: {"person_id": value}),
    st.frozensets(st.sampled_from(list(JobState)), max_size=3).map(lambda value: {"states": value}),
    st.sampled_from(("ml.train", "probe.run")).map(lambda value: {"kind": value}),
    st.sampled_from(PCS).map(lambda value: {"worker_id": value}),
    st.sampled_from(list(Priority)).map(lambda value: {"priority": value}),
    st.just({"origin": Origin.API}),
    MOMENTS.map(lambda value: {"since": value}),
    MOMENTS.map(lambda value: {"until": value}),
    st.sampled_from(("sal", "0%", "e_c", "sales zebra", "CAF")).map(lambda value: {"words": value}),
)
# More than a few at once would let nothing through.
FILTERS = st.lists(ONE_FILTER, max_size=2).map(
    lambda parts: RowFilter(**{key: value for part in parts for key, value in part.items()})
)
WIDE = RowFilter()


def fill(store: sqlite3.Connection, drawn: list[tuple[object, ...]]) -> dict[str, Made]:
    for table in ("tasks", "jobs", "events"):
        store.execute(f"DELETE FROM {table}")
    dice = random.Random(1)
    made = {}
    for number, (task, kind, state, priority, origin, worker, pin, word, updated) in enumerate(
        drawn
    ):
        asked_ms = BEGAN_MS + number
        job = Made(
            job_id=uuid7(asked_ms, dice.randbytes(10)),
            task_id=uuid7(BEGAN_MS, bytes([task] * 10)),  # type: ignore[list-item]
            person_id=(ANNA, BEN)[int(str(task)) % 2],
            kind=str(kind),
            state=JobState(str(state)),
            priority=Priority(str(priority)),
            origin=Origin(str(origin)),
            worker_id=WorkerId(str(worker)) if worker else None,
            pinned_to=WorkerId(str(pin)) if pin else None,
            title=f"train {word}",
            text=f"the {word} of {task}",
            asked_ms=asked_ms,
            updated_ms=BEGAN_MS + int(str(updated)),
        )
        made[job.job_id] = job
        insert(store, job)
    return made


def insert(store: sqlite3.Connection, job: Made) -> None:
    store.execute(
        "INSERT OR REPLACE INTO tasks VALUES (?, ?, ?, '', ?)",
        (job.task_id, job.person_id, job.text, job.asked_ms),
    )
    store.execute(
        f"INSERT OR REPLACE INTO jobs VALUES ({','.join('?' * 26)}, '', NULL, 0)",
        (
            job.job_id, short(job.job_id), job.task_id, job.person_id, job.kind, job.priority,
            "[]", job.pinned_to, job.asked_ms, job.title, "{}", job.origin, "", job.state, 1, 0,
            0, 0, job.worker_id, int(job.state in HELD), None, "", None, None, None, job.updated_ms,
        ),
    )  # fmt: skip


def plainly(made: dict[str, Made], wanted: RowFilter, sort: RowSort) -> list[str]:
    """The ids of the wanted rows' jobs, in order."""
    newest: dict[str, Made] = {}
    texts: dict[str, str] = {}
    for job in sorted(made.values(), key=lambda job: job.job_id):
        newest[job.task_id] = job
        texts[job.task_id] = job.text
    found = [job for job in newest.values() if fits(replace(job, text=texts[job.task_id]), wanted)]
    if sort is RowSort.UPDATED:
        found.sort(key=lambda job: (job.updated_ms, job.job_id), reverse=True)
    else:
        found.sort(key=lambda job: job.job_id, reverse=sort is RowSort.NEWEST)
    return [job.job_id for job in found]


def fits(job: Made, wanted: RowFilter) -> bool:
    said = f"{job.title}\n{job.text}".lower()
    asked = from_ms(job.asked_ms)
    return (
        wanted.person_id in (None, job.person_id)
        and (not wanted.states or job.state in wanted.states)
        and wanted.kind in ("", job.kind)
        and wanted.worker_id in (None, job.place)
        and wanted.priority in (None, job.priority)
        and wanted.origin in (None, job.origin)
        and (wanted.since is None or asked >= wanted.since)
        and (wanted.until is None or asked < wanted.until)
        and all(
            word in said or word.upper() == short(job.job_id)
            for word in wanted.words.lower().split()
        )
    )


def pages(
    store: sqlite3.Connection, wanted: RowFilter, sort: RowSort, limit: int, looked_max: int
) -> Iterator[RowPage]:
    cursor: RowCursor | None = None
    while True:
        page = task_rows.page(store, wanted, sort, cursor, limit, looked_max)
        yield page
        if page.older is None:
            break
        cursor = RowCursor.read(page.older.write(), sort)


def ids(page: RowPage) -> list[str]:
    return [row.job.job_id for row in page.rows]


@settings(
    max_examples=200,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    drawn=ROWS,
    wanted=FILTERS,
    sort=st.sampled_from(list(RowSort)),
    limit=st.integers(1, 7),
    looked_max=st.sampled_from((3, 10, 1000)),
)
def test_pages_hold_every_wanted_row_once_and_in_order(
    store: sqlite3.Connection,
    drawn: list[tuple[object, ...]],
    wanted: RowFilter,
    sort: RowSort,
    limit: int,
    looked_max: int,
) -> None:
    made = fill(store, drawn)
    read = list(pages(store, wanted, sort, limit, looked_max))
    assert [job_id for page in read for job_id in ids(page)] == plainly(made, wanted, sort)
    assert all(len(page.rows) <= limit for page in read)

    # And the same rows on the way back.
    back: list[str] = []
    cursor = read[-1].newer
    while cursor is not None:
        page = task_rows.page(store, wanted, sort, cursor, limit, looked_max)
        back = ids(page) + back
        cursor = page.newer
        turned = task_rows.page(store, wanted, sort, page.older, limit, 1000)
        rest = plainly(made, wanted, sort)[len(plainly(made, wanted, sort)) - len(ids(read[-1])) :]
        assert not page.rows or ids(turned) == (back + rest)[len(page.rows) :][:limit]
    assert back + ids(read[-1]) == plainly(made, wanted, sort)


@settings(
    max_examples=100,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    drawn=st.lists(DRAWN, min_size=5, max_size=30),
    sort=st.sampled_from(list(RowSort)),
    changes=st.lists(st.tuples(st.integers(0, 29), st.sampled_from(STORED)), max_size=10),
    looked_max=st.sampled_from((4, 1000)),
)
def test_a_row_that_does_not_change_is_seen_once_while_others_do(
    store: sqlite3.Connection,
    drawn: list[tuple[object, ...]],
    sort: RowSort,
    changes: list[tuple[int, JobState]],
    looked_max: int,
) -> None:
    made = fill(store, drawn)
    names = sorted(made)
    wanted = RowFilter(states=frozenset({JobState.SUCCEEDED, JobState.QUEUED, JobState.DEAD}))
    before = plainly(made, wanted, sort)
    changed: set[str] = set()
    seen: list[str] = []
    coming = iter(changes)
    for page in pages(store, wanted, sort, 2, looked_max):
        seen += ids(page)
        for number, state in [change for change, _ in zip(coming, range(2), strict=False)]:
            job = made[names[number % len(names)]]
            later = replace(job, state=state, updated_ms=BEGAN_MS + 1000 + len(changed))
            made[job.job_id] = later
            insert(store, later)
            changed.add(job.job_id)
    untouched = [job_id for job_id in before if job_id not in changed]
    assert [job_id for job_id in seen if job_id not in changed] == untouched


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(drawn=st.lists(DRAWN, max_size=30), person_id=st.sampled_from((None, ANNA)))
def test_states_are_counted_by_the_newest_job_of_each_task(
    store: sqlite3.Connection, drawn: list[tuple[object, ...]], person_id: PersonId | None
) -> None:
    made = fill(store, drawn)
    told = task_rows.counts(store, person_id)
    for state in STORED:
        wanted = RowFilter(person_id=person_id, states=frozenset({state}))
        assert told[state].count == len(plainly(made, wanted, RowSort.NEWEST))
        assert not told[state].is_more
    kinds = {job.kind for job in made.values() if person_id in (None, job.person_id)}
    assert task_rows.kinds(store, person_id) == sorted(kinds)


def test_a_short_id_finds_its_job(store: sqlite3.Connection) -> None:
    drawn = (3, "ml.train", JobState.DEAD, Priority.HIGH, Origin.CHAT, None, None, "sales", 1)
    made = fill(store, [drawn, (4, *drawn[1:])])
    [first, _] = made
    for words in (short(first), f"#{short(first).lower()}"):
        page = task_rows.page(store, RowFilter(words=words), RowSort.NEWEST, None, 9)
        assert ids(page) == [first]


def test_a_row_tells_its_task_how_long_it_ran_and_whose_it_is(store: sqlite3.Connection) -> None:
    drawn = (
        3,
        "ml.train",
        JobState.SUCCEEDED,
        Priority.HIGH,
        Origin.CHAT,
        PCS[0],
        None,
        "sales",
        40,
    )
    made = fill(store, [drawn, drawn])
    job = list(made.values())[-1]
    began = from_ms(job.updated_ms) - timedelta(seconds=5)
    for at in (began - timedelta(seconds=60), began):
        store.execute(
            "INSERT INTO events (person_id, device, epoch, seq, at, type, version, entity, body)"
            " VALUES (?, 'hub', 1, 1, ?, 'job_granted', 1, ?, '{}')",
            (job.person_id, at.isoformat(), job.job_id),
        )
    [row] = task_rows.page(store, WIDE, RowSort.NEWEST, None, 9).rows
    assert (row.task_id, row.jobs, row.owner) == (job.task_id, 2, "ben")
    assert row.text == "the sales of 3"
    assert row.seconds(began + timedelta(hours=1)) == 5.0


@pytest.mark.parametrize(
    "text",
    ["", "x", "fn", "bn1", "fo" + "0" * 13 + ANNA, "fn" + "²" * 13 + ANNA, "fn" + "0" * 13 + "x"],
    ids=["nothing", "short", "no key", "no id", "other order", "odd digits", "bad id"],
)
def test_a_cursor_that_nobody_gave_is_refused(text: str) -> None:
    with pytest.raises(BadInput, match="cannot be found"):
        RowCursor.read(text, RowSort.NEWEST)


@pytest.mark.parametrize("sort", list(RowSort))
@pytest.mark.parametrize("is_back", [False, True])
@pytest.mark.parametrize("digit", ["0", "f"])
def test_a_cursor_at_the_end_of_all_numbers_is_a_place_too(
    store: sqlite3.Connection, sort: RowSort, is_back: bool, digit: str
) -> None:
    edge = "-".join(digit * length for length in (8, 4, 4, 4, 12))
    cursor = RowCursor(sort=sort, job_id=edge, updated_ms=10**13 - 1, is_back=is_back)
    assert task_rows.page(store, WIDE, sort, cursor, 5).rows == ()
