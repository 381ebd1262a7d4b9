"""When jobs may start: each rule alone, hours over midnight and over a clock change."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from desktop.core.policy import Policy, parse_policy, write_policy
from desktop.core.run_policy import (
    DAYS,
    Day,
    Readings,
    RunRules,
    Sense,
    cores_max,
    held_back,
    is_open,
    next_edge,
    seconds_between,
)
from shared.errors import BadInput

VIENNA = ZoneInfo("Europe/Vienna")
FRIDAY = datetime(2026, 11, 20, 12, 0, tzinfo=VIENNA)
UNKNOWN = Readings()


@pytest.mark.parametrize(
    ("rules", "readings", "code"),
    [
        (RunRules(), Readings(is_on_battery=True, is_metered=True, idle_seconds=0), None),
        (RunRules(on_battery=False), Readings(is_on_battery=True), "on_battery"),
        (RunRules(on_battery=False), Readings(is_on_battery=False), None),
        (RunRules(on_battery=False), UNKNOWN, None),
        (
            RunRules(battery_min_share=0.4),
            Readings(is_on_battery=True, battery_share=0.39),
            "battery_low",
        ),
        (RunRules(battery_min_share=0.4), Readings(is_on_battery=True, battery_share=0.4), None),
        (RunRules(battery_min_share=0.4), Readings(is_on_battery=False, battery_share=0.1), None),
        (RunRules(battery_min_share=0.4), Readings(is_on_battery=True), None),
        (RunRules(on_metered=False), Readings(is_metered=True), "on_metered"),
        (RunRules(on_metered=False), UNKNOWN, None),
        (RunRules(while_active=False), Readings(idle_seconds=299), "in_use"),
        (RunRules(while_active=False), Readings(idle_seconds=300), None),
        (RunRules(while_active=False), UNKNOWN, None),
        (RunRules(hours="08:00-12:00"), UNKNOWN, "outside_hours"),
        (RunRules(hours="12:00-13:00"), UNKNOWN, None),
        (RunRules(hours="22:00-06:00"), UNKNOWN, "outside_hours"),
        (RunRules(days=(Day.SAT, Day.SUN)), UNKNOWN, "outside_hours"),
        (RunRules(days=(Day.FRI,)), UNKNOWN, None),
    ],
)
def test_each_rule_holds_back_what_it_says_and_an_unknown_sense_holds_nothing(
    rules: RunRules, readings: Readings, code: str | None
) -> None:
    told = held_back(rules, readings, FRIDAY)
    assert (told.code if told else None) == code
    if told is not None:
        assert told.retryable
        assert told.hint
        assert (told.retry_after_seconds or 0) > 0


def test_what_is_held_back_says_until_when() -> None:
    told = held_back(RunRules(hours="18:00-08:00"), UNKNOWN, FRIDAY)
    assert told is not None
    assert told.message == (
        "This computer starts jobs from 18:00 to 08:00 only; the next are taken at 18:00."
    )
    assert told.retry_after_seconds == 6 * 3600
    weekend = held_back(RunRules(hours="09:00-17:00", days=(Day.MON,)), UNKNOWN, FRIDAY)
    assert weekend is not None
    assert "from 09:00 to 17:00 on Mon only" in weekend.message
    assert "on Monday at 09:00" in weekend.message
    tomorrow = held_back(RunRules(hours="09:00-10:00"), UNKNOWN, FRIDAY)
    assert tomorrow is not None
    assert "tomorrow at 09:00" in tomorrow.message


def test_hours_over_midnight_belong_to_the_day_they_begin() -> None:
    rules = RunRules(hours="22:00-06:00", days=(Day.FRI,))
    assert is_open(rules, FRIDAY.replace(hour=23))
    saturday = FRIDAY + timedelta(days=1)
    assert is_open(rules, saturday.replace(hour=5, minute=59))
    assert not is_open(rules, saturday.replace(hour=6))
    assert not is_open(rules, FRIDAY.replace(hour=5)), "that night began on Thursday"


def test_the_clock_that_is_put_back_makes_the_wait_an_hour_longer() -> None:
    evening = datetime(2026, 10, 24, 20, 0, tzinfo=VIENNA)  # at 3:00 it is 2:00 again
    edge = next_edge(RunRules(hours="08:00-18:00"), evening)
    assert edge is not None
    assert seconds_between(evening, edge) == 13 * 3600


def test_a_rule_that_is_off_needs_no_sense() -> None:
    assert RunRules(hours="08:00-18:00", cpu_share_max=0.5).senses == frozenset()
    assert RunRules(on_battery=False).senses == {Sense.BATTERY}
    assert RunRules(battery_min_share=0.2, on_metered=False).senses == {
        Sense.BATTERY,
        Sense.METERED,
    }
    assert RunRules(while_active=False).senses == {Sense.IDLE}


@pytest.mark.parametrize(
    ("share", "cores", "wanted"),
    [(None, 8, None), (0.5, 8, 4), (0.5, 1, None), (0.1, 8, 1), (0.34, 3, 2), (1, 8, None)],
)
def test_a_share_of_the_processor_is_whole_cores_and_at_least_one(
    share: float | None, cores: int, wanted: int | None
) -> None:
    assert cores_max(RunRules(cpu_share_max=share), cores) == wanted


CLOCK = st.times().map(lambda t: f"{t:%H:%M}")


@given(
    hours=st.tuples(CLOCK, CLOCK).map("-".join),
    days=st.sets(st.sampled_from(DAYS)),
    minutes=st.integers(0, 60 * 24 * 400),
)
def test_at_an_edge_the_hours_turn_and_before_it_they_do_not(
    hours: str, days: set[Day], minutes: int
) -> None:
    rules = RunRules(hours=hours, days=tuple(sorted(days)))
    utc = ZoneInfo("UTC")
    now = datetime(2026, 1, 1, tzinfo=utc) + timedelta(minutes=minutes)
    edge = next_edge(rules, now)
    is_open_now = is_open(rules, now)
    if edge is None:
        assert is_open_now
        return
    assert edge > now
    assert is_open(rules, edge - timedelta(seconds=1)) == is_open_now
    assert is_open(rules, edge) != is_open_now


@pytest.mark.parametrize("hours", ["8-18", "08:00", "24:00-25:00", "08:00-18:00 ", "08:60-09:00"])
def test_hours_that_are_none_are_refused(hours: str) -> None:
    if hours.strip() != hours:
        assert RunRules(hours=hours).hours == hours.strip()
        return
    with pytest.raises(ValidationError):
        RunRules(hours=hours)


def test_the_rules_are_a_table_of_the_policy_and_written_as_they_are_read() -> None:
    policy = Policy(
        run=RunRules(
            on_battery=False, hours="18:00-08:00", days=(Day.SAT, Day.SUN), cpu_share_max=0.5
        ),
        disk_free_bytes_min=7,
    )
    text = write_policy(policy)
    assert 'days = ["sat", "sun"]' in text
    assert "on_metered" not in text
    assert parse_policy(text) == policy
    assert "[run]" not in write_policy(Policy())


def test_a_broken_rule_names_its_line() -> None:
    with pytest.raises(BadInput, match=r"run\.hours.*line 2"):
        parse_policy('[run]\nhours = "all night"\n')
