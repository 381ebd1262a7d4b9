"""Cron in time zones, against a walk over the minutes that knows nothing of the library."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from hub.core.cron import (
    checked,
    count_between,
    last_before,
    next_after,
    shortest_seconds,
    upcoming,
)
from shared.errors import BadInput

VIENNA = "Europe/Vienna"
NEW_YORK = "America/New_York"
LORD_HOWE = "Australia/Lord_Howe"
KATHMANDU = "Asia/Kathmandu"
ZONES = (VIENNA, NEW_YORK, LORD_HOWE, KATHMANDU, "Africa/Casablanca", "Pacific/Apia", "UTC")
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
DAYS = 2
CHANGES = (
    # Around what the clocks of these zones do: forward and back, by an hour and by half of one.
    datetime(2026, 3, 28, tzinfo=UTC), datetime(2026, 10, 24, tzinfo=UTC),
    datetime(2026, 3, 7, tzinfo=UTC), datetime(2026, 10, 31, tzinfo=UTC),
    datetime(2026, 4, 3, tzinfo=UTC), datetime(2026, 10, 2, tzinfo=UTC),
)  # fmt: skip


def values(field: str, low: int, high: int) -> set[int]:
    """Read a field: numbers, ranges, stars and steps."""
    found: set[int] = set()
    for part in field.split(","):
        span, _, step = part.partition("/")
        first, _, last = span.partition("-")
        begin, end = (low, high) if span == "*" else (int(first), int(last or first))
        found |= set(range(begin, end + 1, int(step or 1)))
    return found


def by_hand(cron: str, zone: str, start: datetime) -> list[datetime]:
    """The moments of a few days after another, by looking at each minute."""
    minute, hour, day, month, weekday = cron.split()
    minutes, hours = values(minute, 0, 59), values(hour, 0, 23)
    days, months, weekdays = values(day, 1, 31), values(month, 1, 12), values(weekday, 0, 7)

    def names(face: datetime) -> bool:
        on_day = face.day in days
        on_weekday = bool({face.isoweekday(), face.isoweekday() % 7} & weekdays)
        both = on_day and on_weekday
        either = on_day or on_weekday
        is_day = both if day.startswith("*") or weekday.startswith("*") else either
        return face.hour in hours and face.minute in minutes and face.month in months and is_day

    first = start.replace(second=0, microsecond=0) - DAY
    walk = [first + n * MINUTE for n in range((DAYS + 2) * 24 * 60)]
    faces = [moment.astimezone(ZoneInfo(zone)).replace(tzinfo=None, fold=0) for moment in walk]
    if minute.startswith("*") or hour.startswith("*"):
        found = {moment for moment, face in zip(walk, faces, strict=True) if names(face)}
    else:
        # By the calendar: what is skipped is the first moment after, what comes twice the first.
        found = set()
        face, highest, last = faces[0], 0, max(faces)
        while face < last:
            if names(face):
                while faces[highest] < face:
                    highest += 1
                found.add(walk[highest])
            face += MINUTE
    return sorted(one for one in found if start < one <= start + DAYS * DAY)


def field(low: int, high: int) -> st.SearchStrategy[str]:
    number = st.integers(low, high)
    spans = st.tuples(number, number).map(lambda two: f"{min(two)}-{max(two)}")
    steps = st.integers(2, max(2, high // 2)).map(lambda step: f"*/{step}")
    lists = st.lists(number, min_size=1, max_size=3, unique=True).map(
        lambda many: ",".join(map(str, sorted(many)))
    )
    return st.one_of(st.just("*"), lists, spans, steps)


crons = st.tuples(
    field(0, 59), field(0, 23), field(1, 28), field(1, 12), field(0, 6)
).map(" ".join)  # fmt: skip
daily = st.tuples(field(0, 59), field(0, 6)).map(lambda two: f"{two[0]} {two[1]} * * *")
starts = st.one_of(
    st.integers(0, 15 * 365 * 24 * 60).map(lambda n: datetime(2020, 1, 1, tzinfo=UTC) + n * MINUTE),
    st.tuples(st.sampled_from(CHANGES), st.integers(0, 3 * 24 * 3600)).map(
        lambda two: two[0] + timedelta(seconds=two[1])
    ),
)


@settings(max_examples=60)
@given(cron=st.one_of(crons, daily), zone=st.sampled_from(ZONES), start=starts)
@example("30 2 * * *", VIENNA, datetime(2026, 10, 25, 1, 15, tzinfo=UTC))
@example("15 2 * * *", LORD_HOWE, datetime(2026, 10, 3, 12, 0, tzinfo=UTC))
@example("*/30 2 25 10 *", VIENNA, datetime(2026, 10, 24, 12, 0, tzinfo=UTC))
@example("*/7 */2 * * *", LORD_HOWE, datetime(2026, 4, 4, 12, 0, tzinfo=UTC))
@example("*/10 1 * * *", LORD_HOWE, datetime(2026, 4, 4, 12, 0, tzinfo=UTC))
def test_the_moments_are_those_that_a_walk_over_the_minutes_finds(
    cron: str, zone: str, start: datetime
) -> None:
    end = start + DAYS * DAY
    found = []
    for due in upcoming(cron, ZoneInfo(zone), start):
        if due > end:
            break
        found.append(due)
    assert found == by_hand(cron, zone, start)


CASES = [
    # The night in which 2:00 to 3:00 is skipped, and the one in which it comes twice.
    ("30 2 * * *", VIENNA, (2026, 3, 28, 12), ["03-29 01:00", "03-30 00:30", "03-31 00:30"]),
    ("0 3 * * *", VIENNA, (2026, 3, 28, 12), ["03-29 01:00", "03-30 01:00", "03-31 01:00"]),
    ("30 2 * * *", VIENNA, (2026, 10, 24, 12), ["10-25 00:30", "10-26 01:30", "10-27 01:30"]),
    ("0 8 * * 1-5", VIENNA, (2026, 10, 23, 12), ["10-26 07:00", "10-27 07:00", "10-28 07:00"]),
    ("0 */2 * * *", VIENNA, (2026, 3, 28, 22, 30), ["03-28 23:00", "03-29 02:00", "03-29 04:00"]),
    ("*/30 * * * *", VIENNA, (2026, 10, 25, 0), ["10-25 00:30", "10-25 01:00", "10-25 01:30"]),
    ("30 2 * * *", NEW_YORK, (2026, 3, 7, 12), ["03-08 07:00", "03-09 06:30", "03-10 06:30"]),
    ("30 1 * * *", NEW_YORK, (2026, 10, 31, 12), ["11-01 05:30", "11-02 06:30", "11-03 06:30"]),
    # Half an hour is skipped: 2:00 to 2:30.
    ("15 2 * * *", LORD_HOWE, (2026, 10, 3, 0), ["10-03 15:30", "10-04 15:15", "10-05 15:15"]),
    ("45 1 * * *", LORD_HOWE, (2026, 4, 4, 0), ["04-04 14:45", "04-05 15:15", "04-06 15:15"]),
    ("0 9 * * *", KATHMANDU, (2026, 3, 28, 12), ["03-29 03:15", "03-30 03:15", "03-31 03:15"]),
]


@pytest.mark.parametrize(("cron", "zone", "start", "expected"), CASES)
def test_clocks_that_change_bring_each_time_once(
    cron: str, zone: str, start: tuple[int, ...], expected: list[str]
) -> None:
    begin = datetime(*start, tzinfo=UTC)  # type: ignore[misc, arg-type]
    found = islice(upcoming(cron, ZoneInfo(zone), begin), 3)
    assert [f"{due:%m-%d %H:%M}" for due in found] == expected


@given(cron=daily, zone=st.sampled_from(ZONES), start=starts)
def test_what_comes_next_is_later_and_what_was_last_is_not(
    cron: str, zone: str, start: datetime
) -> None:
    where = ZoneInfo(zone)
    following = next_after(cron, where, start)
    assert following > start
    last = last_before(cron, where, following)
    assert last == following
    before = last_before(cron, where, start)
    assert before is not None
    assert before <= start
    assert count_between(cron, where, before, following, count_max=5) == 1


def test_an_hour_that_comes_twice_is_not_missed_from_a_year_before() -> None:
    start = datetime(2025, 12, 1, tzinfo=UTC)
    found = islice(upcoming("*/30 2 25 10 *", ZoneInfo(VIENNA), start), 4)
    assert [f"{due:%H:%M}" for due in found] == ["00:00", "00:30", "01:00", "01:30"]


def test_counting_ends_where_nobody_counts_on() -> None:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    where = ZoneInfo(VIENNA)
    assert count_between("*/5 * * * *", where, start, start + 30 * DAY, count_max=100) == 100
    assert count_between("0 0 29 2 *", where, start, start + 3000 * DAY, count_max=9) == 2


@pytest.mark.parametrize(
    "cron",
    [
        "", "* * * *", "* * * * * *", "0 0 31 2 *", "61 * * * *", "0 25 * * *", "a b c d e",
        "0 8 * * 9", "*/0 * * * *", "0 0 30 2 *", "0 8 * * \u0661", "1,, * * * *", "- - - - -",
        "0 8 * * 1-5; rm", "9" * 99 + " * * * *", "* " * 60, "\0 * * * *", "# # # # #", "L L L L L",
        "5-1 * * * *", "0 0 * * 1#9",
    ],
)  # fmt: skip
def test_what_is_no_cron_is_refused(cron: str) -> None:
    with pytest.raises(BadInput) as caught:
        checked(cron)
    assert caught.value.code == "schedule_cron"


@given(st.text(alphabet="0123456789*/,-#L MONFRIjan\u0662", max_size=60))
def test_whatever_is_typed_is_read_or_refused(text: str) -> None:
    try:
        cron = checked(text)
    except BadInput:
        return
    assert next_after(cron, UTC, datetime(2026, 1, 1, tzinfo=UTC)).year < 2080
    assert shortest_seconds(cron) >= 60


@pytest.mark.parametrize(
    ("cron", "minutes"),
    [
        ("* * * * *", 1), ("*/5 * * * *", 5), ("0,58 * * * *", 2), ("0,58 8 * * *", 58),
        ("0 8,9 * * *", 60), ("0 0,23 * * *", 60), ("30 8 * * *", 24 * 60), ("0 */2 * * *", 120),
        ("5,55 0,23 * * *", 10), ("0 9 1 * *", 24 * 60),
    ],
)  # fmt: skip
def test_the_shortest_time_between_two_is_known(cron: str, minutes: int) -> None:
    assert shortest_seconds(cron) == minutes * 60
