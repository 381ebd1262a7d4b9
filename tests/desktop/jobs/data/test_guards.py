"""Before training a person hears what cannot be learnt, what is left out, and what to mind."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from desktop.jobs.data import guards
from desktop.jobs.data.guards import CLASSES_MAX, ROWS_MIN, check_target, warnings_for
from desktop.jobs.data.table import ColumnKind, Table
from shared.errors import BadInput
from tests.benchmarks.ml.tables import SOURCES
from tests.desktop.jobs.data.made import public, table_of

RNG = np.random.default_rng(3)
ROWS = 200
HONEST = pd.DataFrame(
    {
        "age": RNG.integers(18, 80, ROWS),
        "income": RNG.lognormal(7, 0.5, ROWS).round(2),
        "town": RNG.choice(["Oslo", "Bergen", "Rome"], ROWS),
    }
)
CALM = np.array(["no", "yes"])[np.arange(ROWS) % 2]


def with_target(cells: object, rows: int = ROWS) -> Table:
    """A table of honest columns and a target."""
    return table_of(HONEST.head(rows).assign(outcome=cells), file="sales.csv")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("cells", "task"),
    [
        (CALM, "binary"),
        (np.arange(ROWS) % 2, "binary"),
        (np.where(CALM == "yes", 2.5, 7.25), "binary"),
        (np.array(["low", "middle", "high"])[np.arange(ROWS) % 3], "multiclass"),
        (np.arange(ROWS) % 5 + 1, "multiclass"),
        (np.where(np.arange(ROWS) == 0, 9, np.arange(ROWS) % 5), "regression"),
        (np.arange(ROWS) % 40, "regression"),
        (np.arange(ROWS) % 4 + 0.5, "regression"),
        (HONEST.income * 2, "regression"),
    ],
    ids=[
        "two words",
        "0 and 1",
        "two numbers",
        "three words",
        "grades",
        "grades, one of them once",
        "counts",
        "halves",
        "amounts",
    ],
)
def test_the_task_follows_from_the_target(cells: object, task: str) -> None:
    assert check_target(with_target(cells), "outcome") == task


@pytest.mark.parametrize("name", [name for name in SOURCES if name != "flights"])
def test_public_tables_get_the_task_they_are_known_for(name: str) -> None:
    source = SOURCES[name]
    frame = public(source.package, source.dataset)
    frame = source.shape(frame) if source.shape is not None else frame
    # The reader takes the class "none" of one table for a gap.
    named = frame[source.target].replace({"none": "no effect"})
    some = frame.assign(**{source.target: named}).dropna(subset=[source.target]).head(4000)
    table = table_of(some)
    assert check_target(table, source.target) == source.task


@pytest.mark.parametrize(
    ("cells", "code", "message"),
    [
        (np.nan, "target_empty", "'outcome' has no value in any of the 200 rows."),
        (
            "yes",
            "target_constant",
            "'outcome' is 'yes' in every row, so there is nothing to learn.",
        ),
        (
            np.where(np.arange(ROWS) % 3 == 0, 4.5, np.nan),
            "target_constant",
            "'outcome' is 4.5 in every row that has a value, so there is nothing to learn.",
        ),
        (
            [f"c{n}" for n in range(ROWS)],
            "target_is_id",
            "'outcome' differs in every row, like an id: it cannot be predicted from other "
            "columns.",
        ),
        (
            pd.date_range("2024-01-01", periods=ROWS).strftime("%Y-%m-%d"),
            "target_is_date",
            "'outcome' is a date; numbers and classes can be predicted, dates cannot.",
        ),
        (
            [f"please call customer {n // 2} back" for n in range(ROWS - 100)] * 2,
            "class_ok",
            "",
        ),
        (
            pd.Series(CALM).where(np.arange(ROWS) < 10),
            "too_few_rows",
            "Only 10 rows of sales.csv have a value in 'outcome'; at least 20 are needed, "
            "and some hundred are better.",
        ),
        (
            np.where(np.arange(ROWS) == 0, "maybe", CALM),
            "class_too_small",
            "In 'outcome' 'maybe' stands in one row only; each class needs at least 2 rows.",
        ),
        (
            [f"word {n % 120} of many" for n in range(ROWS)],
            "too_many_classes",
            "'outcome' has 120 different values in 200 rows; up to 100 classes can be predicted.",
        ),
    ],
)
def test_a_target_that_cannot_be_learnt_is_refused(cells: object, code: str, message: str) -> None:
    table = with_target(cells)
    if code == "class_ok":
        assert check_target(table, "outcome") == "multiclass"
        return
    with pytest.raises(BadInput) as caught:
        check_target(table, "outcome")
    assert caught.value.code == code
    assert caught.value.message == message
    assert caught.value.hint.endswith(".")


def test_a_file_of_ten_rows_is_too_small() -> None:
    with pytest.raises(BadInput, match="Only 10 rows") as caught:
        check_target(with_target(CALM[:10], rows=10), "outcome")
    assert caught.value.code == "too_few_rows"
    assert check_target(with_target(CALM[:ROWS_MIN], rows=ROWS_MIN), "outcome") == "binary"


def test_infinite_targets_are_refused() -> None:
    table = with_target(HONEST.income)
    frame = table.frame.assign(outcome=table.frame.outcome.where(table.frame.index != 5, np.inf))
    with pytest.raises(BadInput) as caught:
        check_target(replace(table, frame=frame), "outcome")
    assert caught.value.code == "target_infinite"


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.one_of(
            st.none(),
            st.integers(-5, 5),
            st.floats(-1e9, 1e9),
            st.sampled_from(["yes", "no", "a b c", "2024-05-01", "€ 5", ""]),
        ),
        min_size=1,
        max_size=60,
    )
)
def test_any_target_gets_a_task_or_a_sentence(cells: Sequence[object]) -> None:
    table = table_of(pd.DataFrame({"outcome": list(cells), "n": range(7, len(cells) + 7)}))
    assert isinstance(warnings_for(table, "outcome"), tuple)
    refusal, task = "", ""
    try:
        task = check_target(table, "outcome")
    except BadInput as error:
        refusal = str(error)
    counts = table.frame.outcome.value_counts()
    is_number = table.column("outcome").kind is ColumnKind.NUMBER
    if task == "regression":
        assert is_number
        assert len(counts) > 2
    elif task:
        assert (task == "binary") == (len(counts) == 2)
        assert 2 <= len(counts) <= CLASSES_MAX
        assert counts.min() >= 2
    else:
        assert refusal.count(".") >= 2


def told(frame: pd.DataFrame, target: str = "outcome") -> list[tuple[str | None, str, bool]]:
    found = warnings_for(table_of(frame), target)
    return [(one.column, one.sentence, one.drop) for one in found]


BASE = HONEST.assign(outcome=CALM)
DAYS = pd.date_range("2024-03-01", periods=ROWS).strftime("%Y-%m-%d")


def test_an_honest_table_brings_no_warning() -> None:
    assert told(BASE) == []


@pytest.mark.parametrize(
    ("frame", "column", "sentence", "drop"),
    [
        (
            BASE.assign(customerID=[f"{7919 * n % 10007:05}-X" for n in range(ROWS)]),
            "customerID",
            "column `customerID` looks like an id, left out",
            True,
        ),
        (
            BASE.assign(**{"Unnamed: 0": range(ROWS)}),
            "Unnamed: 0",
            "column `Unnamed: 0` looks like an id, left out",
            True,
        ),
        (BASE.assign(notes=np.nan), "notes", "column `notes` is empty, left out", True),
        (
            BASE.assign(country="Norway"),
            "country",
            "column `country` has one value only, left out",
            True,
        ),
        (
            BASE.assign(patient_id=[f"p{n}" for n in RNG.permutation(np.arange(ROWS) % 40)]),
            "patient_id",
            "each `patient_id` stands in about 5 rows: the score may be too good for ones the "
            "model has not met",
            False,
        ),
        (
            BASE.assign(day=DAYS),
            "day",
            "rows are in the order of `day` (2024-03-01 to 2024-09-16), and the score is of rows "
            "picked at random: later rows may be harder to predict",
            False,
        ),
        (
            BASE.assign(day=DAYS[::-1]),
            "day",
            "rows are in the order of `day` (2024-03-01 to 2024-09-16), and the score is of rows "
            "picked at random: later rows may be harder to predict",
            False,
        ),
        (
            pd.concat([BASE, BASE.head(50)]),
            None,
            "50 rows (20 %) are copies of others: a model may look better than it is",
            False,
        ),
        (
            BASE.assign(outcome=np.where(np.arange(ROWS) % 50 == 0, "fraud", "fine")),
            "outcome",
            "only 2 % of the rows (4) have 'fraud' in `outcome`: the share of right answers says "
            "little, look at the score",
            False,
        ),
        (
            BASE.assign(outcome=pd.Series(CALM).where(np.arange(ROWS) >= 3)),
            "outcome",
            "3 rows without a value in `outcome` are not used",
            False,
        ),
    ],
)
def test_each_trouble_is_told_once(
    frame: pd.DataFrame, column: str | None, sentence: str, drop: bool
) -> None:
    assert told(frame) == [(column, sentence, drop)]


def test_infinite_values_in_a_column_are_told() -> None:
    table = table_of(BASE)
    frame = table.frame.assign(income=table.frame.income.where(table.frame.index != 5, np.inf))
    (one,) = warnings_for(replace(table, frame=frame), "outcome")
    assert one == guards.Warning(
        "income", "column `income` has infinite values, taken as missing", drop=False
    )


@pytest.mark.parametrize(
    "frame",
    [
        BASE.assign(day=RNG.permutation(DAYS)),
        BASE.assign(paid=pd.Series(["paid"] * ROWS).where(CALM == "yes")),
        BASE.assign(store_id=["a", "b"] * (ROWS // 2)),
        pd.DataFrame({"town": HONEST.town, "is_new": CALM, "outcome": CALM}),
        BASE.assign(outcome=np.where(np.arange(ROWS) % 10 == 0, "fraud", "fine")),
    ],
    ids=[
        "dates in no order",
        "a lone value with gaps",
        "an id of few things",
        "few columns make rows alike",
        "one in ten",
    ],
)
def test_no_warning_where_there_is_no_trouble(frame: pd.DataFrame) -> None:
    assert told(frame) == []


def test_the_target_is_never_left_out() -> None:
    frame = BASE.assign(outcome="yes", spare=np.nan)
    assert [column for column, _, drop in told(frame) if drop] == ["spare"]


def test_real_ids_are_left_out_and_nothing_else() -> None:
    churn = public("modeldata", "wa_churn").assign(
        customerID=[f"{n * 7919 % 10007:04}-ABC" for n in range(7043)]
    )
    dropped = [one.column for one in warnings_for(table_of(churn), "churn") if one.drop]
    assert dropped == ["customerID"]


def test_of_large_tables_the_first_rows_are_compared() -> None:
    rows = guards.DUPLICATES_ROWS_MAX + 1000
    table = table_of(BASE)
    amounts = np.arange(rows) % (guards.DUPLICATES_ROWS_MAX - 10_000) + 0.5
    frame = pd.DataFrame(
        {"age": 30.0, "income": amounts, "town": "Oslo", "outcome": "yes"}, range(rows)
    )
    columns = tuple(
        replace(column, distinct=190_000) if column.name == "income" else column
        for column in table.columns
    )
    (one,) = warnings_for(Table(frame, columns, table.report), "outcome")
    assert one.sentence == (
        "10,000 rows of the first 200,000 (5 %) are copies of others: "
        "a model may look better than it is"
    )
