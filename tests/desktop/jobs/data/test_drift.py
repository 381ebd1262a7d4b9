"""Drift is found in small and large files, and chance is not taken for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chi2

from desktop.jobs.data.drift import Drift, chi_square_quantile, drift
from desktop.jobs.data.schema import Schema
from desktop.jobs.data.table import ColumnKind
from tests.desktop.jobs.data.made import halves, public, table_of

TARGETS = {"credit_data": "Status", "lending_club": "Class", "wa_churn": "churn"}
ROWS = (50, 200, 1000)
SAMPLES = 3

Shift = Callable[[pd.Series], pd.Series]


def replaced(values: pd.Series) -> pd.Series:
    kept = np.random.default_rng(0).random(len(values)) > 0.3
    return values.where(kept, "something new")


NUMBER_SHIFTS: Mapping[str, Shift] = {
    "times a thousand": lambda values: values * 1000,
    "one standard deviation up": lambda values: values + values.std(),
    "all missing": lambda values: values * np.nan,
}
LEVEL_SHIFTS: Mapping[str, Shift] = {
    "in upper case": lambda values: values.str.upper(),
    "three in ten are new": replaced,
}


@cache
def trained(dataset: str) -> tuple[Schema, pd.DataFrame]:
    """The schema of three quarters of a public table, and its other rows."""
    old, new = halves(public("modeldata", dataset))
    schema = Schema.of(table_of(old), target=TARGETS[dataset])
    return schema, table_of(new, schema.as_columns).frame


def number_and_category(schema: Schema) -> tuple[str, str]:
    """The column with most different numbers, and the first category."""
    numbers = [one for one in schema.columns if one.kind is ColumnKind.NUMBER]
    most = max(numbers, key=lambda one: one.distinct)
    return most.name, next(c.name for c in schema.columns if c.kind is ColumnKind.CATEGORY)


@pytest.mark.parametrize("rows", ROWS)
@pytest.mark.parametrize("dataset", TARGETS)
def test_fair_samples_raise_no_alarm(dataset: str, rows: int) -> None:
    schema, new = trained(dataset)
    for seed in range(SAMPLES):
        assert drift(schema, new.sample(rows, random_state=seed)) == ()


@pytest.mark.parametrize("rows", ROWS)
@pytest.mark.parametrize("shift", [*NUMBER_SHIFTS, *LEVEL_SHIFTS])
@pytest.mark.parametrize("dataset", TARGETS)
def test_every_shift_is_found_and_no_other_column_blamed(
    dataset: str, shift: str, rows: int
) -> None:
    schema, new = trained(dataset)
    number, category = number_and_category(schema)
    column = number if shift in NUMBER_SHIFTS else category
    change = {**NUMBER_SHIFTS, **LEVEL_SHIFTS}[shift]
    sample = new.sample(rows, random_state=0)
    found = drift(schema, sample.assign(**{column: change(sample[column])}))
    assert [one.column for one in found] == [column]
    assert found[0].psi > found[0].limit >= 0.1
    assert found[0].sentence.startswith(f"'{column}' is ")


RNG = np.random.default_rng(1)
MADE = pd.DataFrame(
    {
        "age": RNG.integers(20, 80, 2000),
        "town": RNG.choice(["Oslo", "Bergen"], 2000),
        "since": pd.Timestamp("2024-01-01") + pd.to_timedelta(RNG.integers(0, 90, 2000), unit="D"),
        "note": [" ".join(["so"] * n) for n in RNG.integers(4, 30, 2000)],
        "gone": np.where(RNG.random(2000) < 0.5, np.nan, RNG.normal(0, 1, 2000)),
    }
)
MADE["note"] += [f" {n}" for n in range(2000)]
MADE_SCHEMA = Schema.of(table_of(MADE))
MADE_FRAME = table_of(MADE, MADE_SCHEMA.as_columns).frame


def told(**changed: object) -> tuple[Drift, ...]:
    return drift(MADE_SCHEMA, MADE_FRAME.head(500).assign(**changed))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("column", "cells", "sentence"),
    [
        ("age", 90.0, "'age' is 74 or more in 100 % of the rows, in training in 11 %."),
        ("age", 3.0, "'age' is below 26 in 100 % of the rows, in training in 9 %."),
        ("age", np.nan, "'age' is missing in 100 % of the rows, in training in 0 %."),
        ("town", "Oslo", "'town' is 'Oslo' in 100 % of the rows, in training in 50 %."),
        ("town", "Rome", "'town' is a rare or new value in 100 % of the rows, in training in 0 %."),
        (
            "since",
            pd.Timestamp("2025-05-05"),
            "'since' is 2024-03-21 or later in 100 % of the rows, in training in 11 %.",
        ),
        (
            "note",
            "short",
            "the length of 'note' is below 22 in 100 % of the rows, in training in 10 %.",
        ),
        ("gone", 0.1, None),
    ],
)
def test_a_drift_is_told_by_what_there_is_more_of(
    column: str, cells: object, sentence: str | None
) -> None:
    (found,) = told(**{column: cells})
    assert found.column == column
    assert sentence is None or found.sentence == sentence


def test_the_strongest_drift_comes_first() -> None:
    weak = np.where(np.arange(500) % 4 == 0, "Rome", MADE_FRAME.town.head(500))
    assert [one.column for one in told(town=weak, age=90.0)] == ["age", "town"]


def test_a_column_empty_in_training_is_no_trouble() -> None:
    schema = Schema.of(table_of(MADE.head(100).assign(gone=np.nan)))
    frame = MADE_FRAME.head(100)
    assert drift(schema, frame.assign(gone=np.nan)) == ()
    assert [one.column for one in drift(schema, frame)] == ["gone"]


def test_columns_the_frame_lacks_are_skipped() -> None:
    assert drift(MADE_SCHEMA, MADE_FRAME.drop(columns="age").head(300)) == ()


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10**6), rows=st.sampled_from([1, 2, 10, 100]), gaps=st.floats(0, 1))
def test_any_number_of_rows_and_gaps_gives_a_finite_index(
    seed: int, rows: int, gaps: float
) -> None:
    rng = np.random.default_rng(seed)
    sample = MADE_FRAME.sample(rows, random_state=seed)
    for one in drift(MADE_SCHEMA, sample.mask(rng.random(sample.shape) < gaps)):
        assert np.isfinite(one.psi)
        assert one.psi > one.limit


@pytest.mark.parametrize("degrees", [1, 2, 3, 4, 9, 21])
@pytest.mark.parametrize("probability", [0.99, 0.999, 0.9999, 0.99999])
def test_the_chi_square_quantile_is_close_to_the_exact_one(
    degrees: int, probability: float
) -> None:
    ratio = chi_square_quantile(probability, degrees) / chi2.ppf(probability, degrees)
    assert 0.999 <= ratio <= (1.06 if degrees > 2 else 1.000001)
