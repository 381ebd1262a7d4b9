"""When something is to be done, as people write it: read, refused with a reason, said again."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.core.cron import checked
from hub.core.schedule_telling import describe
from hub.core.schedule_words import split, when
from shared.errors import BadInput

ZONE = "Europe/Vienna"
READ = [
    ("weekday 8:00 /predict a.csv", "0 8 * * 1-5", "/predict a.csv"),
    (
        "every monday and thursday at 7am summarize it, please",
        "0 7 * * 1,4",
        "summarize it, please",
    ),
    ("2 hours look at the page", "0 */2 * * *", "look at the page"),
    ("hour look", "0 * * * *", "look"),
    ("half hour look", "*/30 * * * *", "look"),
    ("15 minutes look", "*/15 * * * *", "look"),
    ("1st 9:00 pay the rent", "0 9 1 * *", "pay the rent"),
    ("1st and 15th at noon count", "0 12 1,15 * *", "count"),
    ("month on the 1st at 9:00 count", "0 9 1 * *", "count"),
    ("last day of the month 17:00 count", "0 17 L * *", "count"),
    ("first monday 9:00 count", "0 9 * * 1#1", "count"),
    ("3rd tuesday 9:00 count", "0 9 * * 2#3", "count"),
    ("last friday at noon count", "0 12 * * 5L", "count"),
    ("24th of december 8:00 sing", "0 8 24 12 *", "sing"),
    ("day at 8 and 17 count", "0 8,17 * * *", "count"),
    ("day 8:00, count", "0 8 * * *", "count"),
    ("sat, sun 10:30 rest", "30 10 * * 0,6", "rest"),
    ("mon-fri at 9 am and 5 pm count", "0 9,17 * * 1-5", "count"),
    ("fri to mon 8:30 count", "30 8 * * 0,1,5,6", "count"),
    ("weekend 10.15 rest", "15 10 * * 0,6", "rest"),
    ("week on monday 7:00 count", "0 7 * * 1", "count"),
    ('"0 8 * * 1-5" /predict a.csv', "0 8 * * 1-5", "/predict a.csv"),
    ("“0 8 * * mon-fri” /predict a.csv", "0 8 * * mon-fri", "/predict a.csv"),
    ("0 8 * * 1-5 /predict a, b", "0 8 * * 1-5", "/predict a, b"),
    ("@daily count", "0 0 * * *", "count"),
    ("EVERY Day 12am count", "0 0 * * *", "count"),
]


@pytest.mark.parametrize(("text", "cron", "rest"), READ)
def test_what_people_write_is_read(text: str, cron: str, rest: str) -> None:
    found, words = split(text, bool)
    assert (found.cron, found.zone, words) == (cron, "", rest)


def test_a_zone_is_read_where_there_is_one() -> None:
    found, words = split(f"day 8:00 in {ZONE} look in reports", ZONE.__eq__)
    assert (found.zone, words) == (ZONE, "look in reports")
    found, words = split("day 8:00 in reports/weekly look", ZONE.__eq__)
    assert (found.zone, words) == ("", "in reports/weekly look")


@pytest.mark.parametrize(
    ("text", "code", "told"),
    [
        ("", "schedule_words", "When should it be done?"),
        ("every", "schedule_words", "When should it be done?"),
        ("now and then look", "schedule_words", "I cannot tell when from 'now and then look'."),
        ("monday look", "schedule_time", "At what time?"),
        ("day at 25 look", "schedule_time", "'25' is no time of day."),
        ("day 8:75 look", "schedule_time", "'8:75' is no time of day."),
        ("day 13pm look", "schedule_time", "'13pm' is no time of day."),
        ("day 8:30 and 17:00 look", "schedule_time", "need the same minutes"),
        ("7 minutes look", "schedule_step", "7 minutes do not fit into an hour."),
        ("5 hours look", "schedule_step", "5 hours do not fit into a day."),
        ("0 minutes look", "schedule_step", "0 minutes do not fit"),
        ("monday at 9 and thursday at 10 look", "schedule_words", "Only one time fits here"),
        ("0 0 31 2 * look", "schedule_cron", "never comes"),
        ("32nd 9:00 look", "schedule_cron", "never comes"),
    ],
)
def test_what_is_unclear_is_said_with_a_way_on(text: str, code: str, told: str) -> None:
    with pytest.raises(BadInput) as caught:
        split(text, bool)
    assert caught.value.code == code
    assert told in caught.value.message
    assert caught.value.hint


def test_nothing_may_stand_behind_a_time_alone() -> None:
    assert when("every weekday 8:00", bool).cron == "0 8 * * 1-5"
    with pytest.raises(BadInput):
        when("every weekday 8:00 and so on", bool)
    with pytest.raises(BadInput):
        when("day 8:00 " + "x" * 10_000, bool)


@pytest.mark.parametrize("cron", [cron for _, cron, _ in READ if "-fri" not in cron])
def test_what_was_read_is_said_so_that_it_is_read_the_same(cron: str) -> None:
    assert split(f"{describe(cron)} do it", bool)[0].cron == cron


@pytest.mark.parametrize(
    ("cron", "told"),
    [
        ("0 8 * * 1-5", "every weekday at 8:00"),
        ("30 7 * * 1,4", "every Monday and Thursday at 7:30"),
        ("*/15 * * * *", "every 15 minutes"),
        ("0 */2 * * *", "every 2 hours"),
        ("0 9 1,15 * *", "every 1st and 15th at 9:00"),
        ("0 9 * * 1#1", "every first Monday at 9:00"),
        ("0 17 L * *", "every last day of the month at 17:00"),
        ("* * * * *", "every minute"),
        ("0 8 13 * 5", "at cron 0 8 13 * 5"),
        ("3-9/2 8 * * *", "at cron 3-9/2 8 * * *"),
    ],
)
def test_cron_is_said_in_words_where_there_are_some(cron: str, told: str) -> None:
    assert describe(cron) == told


SAYINGS = (
    "every and , at on the 1st 15th last day monday fri mon-fri of month week 2 90 hours minutes",
    "8:00 7am pm noon in Europe/Vienna 0 8 * 1-5 */2 /predict \u0660 \0 \u201c \" ' @daily half to",
)
WORDS = st.sampled_from(" ".join(SAYINGS).split(" "))


@given(st.lists(WORDS, max_size=14).map(" ".join) | st.text(max_size=60))
def test_whatever_is_written_is_read_or_refused_and_no_word_of_the_task_is_lost(text: str) -> None:
    try:
        found, rest = split(text, ZONE.__eq__)
    except BadInput:
        return
    assert checked(found.cron) == found.cron
    assert text.strip().endswith(rest)
