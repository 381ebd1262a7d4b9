"""Numbers and dates come back as they were written, in every usual way of writing them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from desktop.jobs.data.dates import DateReading, looks_dated, read_dates
from desktop.jobs.data.numbers import NumberReading, has_codes, looks_numeric, read_numbers

finite = st.floats(-1e12, 1e12, allow_nan=False).filter(lambda x: x == 0 or abs(x) > 1e-300)
money = st.decimals(-999_999_999, 999_999_999, places=2, allow_nan=False).map(float)
nearly = st.text("0123456789.,-−+ eE$€%()'\u00a0/:TkrAPM", max_size=12)
moments = st.datetimes(dt.datetime(1700, 1, 1), dt.datetime(2250, 1, 1))  # noqa: DTZ001


def texts_of(texts: Sequence[str]) -> pa.LargeStringArray:
    return pa.array(list(texts), pa.large_string())


def numbers(texts: Sequence[str], *, comma_prior: bool = False) -> NumberReading:
    return read_numbers(texts_of(texts), np.ones(len(texts), np.int64), comma_prior=comma_prior)


def dates(texts: Sequence[str], prior: str | None = None) -> DateReading:
    reading = read_dates(texts_of(texts), np.ones(len(texts), np.int64), prior=prior)
    assert reading is not None
    return reading


@settings(max_examples=200, deadline=None)
@given(st.lists(finite, min_size=1, max_size=30))
def test_any_float_written_by_python_reads_back_the_same(values: list[float]) -> None:
    assert numbers([repr(value) for value in values]).values.tolist() == values


@settings(max_examples=200, deadline=None)
@given(st.lists(money, min_size=1, max_size=30), st.sampled_from(["", ",", " ", "\u00a0", "'"]))
def test_money_with_a_point_reads_back_the_same(values: list[float], thousands: str) -> None:
    reading = numbers([f"{value:,.2f}".replace(",", thousands) for value in values])
    assert reading.values.tolist() == values
    assert not reading.decimal_comma


@settings(max_examples=200, deadline=None)
@given(st.lists(money, min_size=1, max_size=30), st.sampled_from(["", ".", "\u202f", "’"]))
def test_money_with_a_comma_reads_back_the_same(values: list[float], thousands: str) -> None:
    texts = [
        f"{value:,.2f}".replace(",", "T").replace(".", ",").replace("T", thousands)
        for value in values
    ]
    reading = numbers(texts)
    assert reading.values.tolist() == values
    assert reading.decimal_comma


@settings(max_examples=100, deadline=None)
@given(
    st.lists(money, min_size=1, max_size=20),
    st.sampled_from(["${}", "{} €", "€{}", "{} USD", "{}%", "{} %", "R${}", "{} руб.", "CHF {}"]),
)
def test_signs_of_money_and_percent_are_taken_off_and_told(values: list[float], form: str) -> None:
    reading = numbers([form.format(f"{value:.2f}") for value in values])
    assert reading.values.tolist() == values
    assert reading.unit is not None
    assert reading.unit in form


@settings(max_examples=300, deadline=None)
@given(st.lists(st.text(max_size=12) | nearly, min_size=1, max_size=20))
def test_no_text_breaks_the_reading_of_numbers_and_dates(texts: list[str]) -> None:
    for comma_prior in (False, True):
        reading = numbers(texts, comma_prior=comma_prior)
        assert len(reading.values) == len(texts)
    looked: npt.NDArray[np.bool_] = np.array([looks_numeric(text) for text in texts])
    assert not np.isfinite(numbers(texts).values[~looked]).any()
    read_dates(texts_of(texts), np.ones(len(texts), np.int64))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("−7.5", -7.5),
        ("(1,234.50)", -1234.5),
        ("($5)", -5.0),
        ("12-", -12.0),
        ("+3", 3.0),
        ("5.", 5.0),
        (".5", 0.5),
        ("1.5e-7", 1.5e-7),
        ("1E+5", 1e5),
        ("- 5", -5.0),
        ("-$5.25", -5.25),
    ],
)
def test_rare_ways_of_writing_a_number_are_understood(text: str, value: float) -> None:
    assert numbers([text]).values[0] == value


@pytest.mark.parametrize(
    "text",
    ["", "abc", "1-2", "12:30", "1.2.3", "5 10", "12,34,56", "0x1F", "1e5000", "inf", "--5", "v2"],
)
def test_what_is_no_number_is_not_taken_for_one(text: str) -> None:
    assert np.isnan(numbers([text]).values[0])


def test_an_open_comma_is_decided_by_the_other_values_of_the_column() -> None:
    assert numbers(["1,234", "5,5"]).values.tolist() == [1.234, 5.5]
    assert numbers(["1,234", "5.5"]).values.tolist() == [1234.0, 5.5]
    assert numbers(["1,234", "2,345,678"]).values.tolist() == [1234.0, 2_345_678.0]
    alone = numbers(["1,234"])
    assert not alone.is_certain
    assert alone.values.tolist() == [1234.0]
    assert numbers(["1,234"], comma_prior=True).values.tolist() == [1.234]


def test_a_fraction_below_one_cannot_be_thousands() -> None:
    assert numbers(["0,125", "0,250"]).values.tolist() == [0.125, 0.25]


@pytest.mark.parametrize("text", ["007", "0", "12", "-5", "4000123412341234", "0.5", "00"])
def test_codes_are_told_from_numbers(text: str) -> None:
    assert has_codes(texts_of([text])) == (text in ("007", "4000123412341234", "00"))


WRITTEN = {
    "y-m-d": ("%Y-%m-%d", "%Y/%m/%d", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S.%f"),
    "d.m.y": ("%d.%m.%Y", "%d/%m/%Y", "%d-%m-%Y %H:%M", "%d.%m.%Y, %H:%M:%S"),
    "m/d/y": ("%m/%d/%Y", "%m-%d-%Y %I:%M %p"),
    "d month y": ("%d %b %Y", "%d-%b-%Y", "%d %B %Y %H:%M"),
    "month d y": ("%b %d, %Y", "%B %d %Y %H:%M:%S"),
    "yyyymmdd": ("%Y%m%d",),
}


@pytest.mark.parametrize("form", [form for forms in WRITTEN.values() for form in forms])
@settings(max_examples=60, deadline=None)
@given(values=st.lists(moments, min_size=1, max_size=20))
def test_dates_read_back_the_same(form: str, values: list[dt.datetime]) -> None:
    # One value that settles day and month, and years with four digits also before 1000.
    values = [*values, dt.datetime(2024, 2, 29)]  # noqa: DTZ001
    if form == "%Y%m%d":
        values = [value for value in values if value.year >= 1900 and value.year < 2100]
    texts = [value.strftime(form) for value in values]
    reading = dates(texts)
    expected = [np.datetime64(dt.datetime.strptime(text, form), "ns") for text in texts]  # noqa: DTZ007
    assert reading.values.tolist() == [one.astype(np.int64) for one in expected]
    assert reading.date_format in {name for name, forms in WRITTEN.items() if form in forms}


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2024-05-01T10:00:00Z", "2024-05-01T10:00:00"),
        ("2024-05-01T10:00:00+02:00", "2024-05-01T08:00:00"),
        ("2024-05-01 00:30:00-0545", "2024-05-01T06:15:00"),
        ("2024-05-01 10:00 UTC", "2024-05-01T10:00:00"),
        ("1/31/24 12:05 AM", "2024-01-31T00:05:00"),
        ("31.12.99", "1999-12-31"),
        ("1st March 2024", "2024-03-01"),
        ("Sept 5, 2024", "2024-09-05"),
    ],
)
def test_zones_halves_and_short_years_are_understood(text: str, instant: str) -> None:
    assert dates([text]).values[0] == np.datetime64(instant)


@pytest.mark.parametrize(
    "text", ["2-10", "11-100", "3/4", "12:30", "2024", "5.2024", "v1.2.3456", "1.2", "tomorrow"]
)
def test_less_than_a_full_date_is_none(text: str) -> None:
    assert read_dates(texts_of([text]), np.ones(1, np.int64)) is None
    assert not looks_dated(text)


@pytest.mark.parametrize("text", ["31.02.2024", "2023-02-29", "2024-13-01", "00.01.2024"])
def test_days_no_calendar_has_are_missing(text: str) -> None:
    assert np.isnat(dates([text, "13.01.2024" if "." in text else "2024-01-13"]).values[0])


def test_day_or_month_first_is_decided_over_all_values() -> None:
    assert dates(["3/4/2024", "13/4/2024"]).date_format == "d.m.y"
    assert dates(["3/4/2024", "4/13/2024"]).date_format == "m/d/y"
    unclear = dates(["3/4/2024"])
    assert not unclear.is_certain
    assert unclear.date_format == "m/d/y"
    assert dates(["3.4.2024"]).date_format == "d.m.y"


def test_what_training_found_settles_what_is_unclear_later() -> None:
    assert dates(["3/4/2024"], prior="d.m.y").values[0] == np.datetime64("2024-04-03")
    assert dates(["4/13/2024"], prior="d.m.y").values[0] == np.datetime64("2024-04-13")


@pytest.mark.parametrize("cell", ["1" + " " * 1_000_000 + "x", " " * 1_000_000, "1." * 500_000])
def test_a_cell_made_to_be_slow_is_no_number_at_once(cell: str) -> None:
    assert not looks_numeric(cell)
