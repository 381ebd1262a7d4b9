"""A file to predict that differs from the training table is repaired, refused or warned about."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

from desktop.jobs.data.schema import Repaired, Schema, Severity, check_and_repair
from desktop.jobs.data.table import Column, ColumnKind, ReadReport, Table
from shared.errors import BadInput
from tests.desktop.jobs.data.made import halves, public, table_of

TARGET = "Status"
TRAIN, NEW = halves(public("modeldata", "credit_data").dropna(subset=[TARGET]))
TRAINED = table_of(TRAIN, file="credit.csv")
SCHEMA = Schema.of(TRAINED, target=TARGET)
NEW_ROWS = NEW.drop(columns=TARGET)

Change = Callable[[pd.DataFrame], pd.DataFrame]


@dataclass(frozen=True)
class Case:
    """A changed file, and what is to become of it."""

    change: Change
    column: str | None = None
    """The column that must be named."""
    severity: Severity | None = None
    """None when nothing is to be said."""
    is_same: bool = True
    """Whether the repaired frame is the one of the unchanged file."""


def as_text(values: pd.Series, decimal: str) -> pd.Series:
    return values.map(lambda value: "" if pd.isna(value) else f"{value:.1f}".replace(".", decimal))


NOTE, WARNING = Severity.NOTE, Severity.WARNING
CASES: Mapping[str, Case] = {
    "the same columns": Case(lambda d: d),
    "a column too many": Case(lambda d: d.assign(zz=d.index % 7), None, NOTE),
    "columns in another order": Case(lambda d: d[list(d.columns)[::-1]], None, NOTE),
    "names in other case with blanks": Case(
        lambda d: d.rename(columns={"Income": "income ", "Job": "JOB"}), "Job", NOTE
    ),
    "numbers written with decimals": Case(
        lambda d: d.assign(Income=as_text(d.Income, ".")), is_same=True
    ),
    "decimal commas": Case(lambda d: d.assign(Income=as_text(d.Income, ",")), "Income", NOTE),
    "a new category in every row": Case(
        lambda d: d.assign(Job="astronaut"), "Job", WARNING, is_same=False
    ),
    "categories in upper case": Case(
        lambda d: d.assign(Records=d.Records.str.upper()), "Records", NOTE
    ),
    "categories with blanks around them": Case(
        lambda d: d.assign(Job=" " + d.Job + " "), is_same=True
    ),
    "a column without any value": Case(
        lambda d: d.assign(Income=np.nan), "Income", WARNING, is_same=False
    ),
    "another unit": Case(
        lambda d: d.assign(Income=d.Income * 1000), "Income", WARNING, is_same=False
    ),
    "the target with it": Case(lambda d: d.assign(Status="good"), TARGET, NOTE),
    "row numbers from a spreadsheet": Case(
        lambda d: pd.concat([pd.Series(range(len(d)), name="Unnamed: 0"), d], axis=1), None, NOTE
    ),
}


def repaired(frame: pd.DataFrame, *, is_told: bool) -> Repaired:
    """Read a file with or without the training columns, and repair it."""
    return check_and_repair(table_of(frame, SCHEMA.as_columns if is_told else None), SCHEMA)


@pytest.fixture(scope="module")
def plain() -> pd.DataFrame:
    return repaired(NEW_ROWS, is_told=True).frame


@pytest.mark.parametrize("is_told", [True, False], ids=["read as at training", "read afresh"])
@pytest.mark.parametrize("name", CASES)
def test_no_changed_file_is_lost_silently(name: str, is_told: bool, plain: pd.DataFrame) -> None:
    case = CASES[name]
    result = repaired(case.change(NEW_ROWS), is_told=is_told)
    if case.is_same:
        assert_frame_equal(result.frame, plain)
        assert not [one for one in result.findings if one.severity is WARNING]
    else:
        assert not result.frame.equals(plain)
    if case.severity is None:
        return
    fitting = [one for one in result.findings if one.severity is case.severity]
    assert case.column in {one.column for one in fitting}
    assert all(one.sentence.endswith((".", "?")) for one in result.findings)
    if case.column is not None:
        assert any(f"'{case.column}'" in one.sentence for one in fitting)


@pytest.mark.parametrize("column", ["Income", "Job"])
def test_a_missing_column_is_refused_by_name(column: str) -> None:
    table = table_of(NEW_ROWS.drop(columns=column).assign(zz=1))
    with pytest.raises(BadInput) as caught:
        check_and_repair(table, SCHEMA)
    assert caught.value.code == "column_missing"
    assert caught.value.message == (
        f"new.csv lacks the column '{column}' that the model needs; beside the others it has 'zz'."
    )
    assert caught.value.hint == "Add it to the file."


def test_a_likely_misspelling_is_offered() -> None:
    with pytest.raises(BadInput) as caught:
        check_and_repair(table_of(NEW_ROWS.rename(columns={"Income": "Incomes"})), SCHEMA)
    assert caught.value.hint == "If 'Incomes' is meant, rename it to 'Income'."


def test_two_columns_that_could_be_meant_are_refused() -> None:
    twice = NEW_ROWS.rename(columns={"Income": "income"}).assign(IN_COME=1)
    with pytest.raises(BadInput) as caught:
        check_and_repair(table_of(twice), SCHEMA)
    assert caught.value.code == "column_ambiguous"
    assert "'income' and 'IN_COME'" in caught.value.message


def test_a_file_without_rows_is_refused() -> None:
    table = table_of(NEW_ROWS)
    empty = replace(table, frame=table.frame.head(0))
    with pytest.raises(BadInput, match="no rows"):
        check_and_repair(empty, SCHEMA)


def test_one_row_is_enough(plain: pd.DataFrame) -> None:
    for is_told in (True, False):
        result = repaired(NEW_ROWS.head(1), is_told=is_told)
        assert_frame_equal(result.frame, plain.head(1))
        assert not result.findings


def test_fair_samples_bring_no_warning() -> None:
    for seed in range(5):
        sample = NEW_ROWS.sample(60, random_state=seed)
        found = repaired(sample, is_told=False).findings
        assert [one.sentence for one in found if one.severity is WARNING] == []


def test_the_frame_has_the_kinds_of_training(plain: pd.DataFrame) -> None:
    assert list(plain.columns) == [name for name in TRAINED.frame.columns if name != TARGET]
    for name in plain:
        assert plain[name].dtype == TRAINED.frame[name].dtype


def test_rows_with_unseen_categories_are_counted_once() -> None:
    odd = NEW_ROWS.head(200).copy()
    odd.loc[:11, "Job"] = "astronaut"
    odd.loc[10:14, "Home"] = "orbit"
    result = repaired(odd, is_told=True)
    assert result.unseen_rows == 15
    (job,) = (one for one in result.findings if one.column == "Job")
    assert job.severity is NOTE
    assert job.sentence == "In 'Job' 12 rows have a value never seen in training: 'astronaut'."


def test_a_schema_survives_being_stored() -> None:
    assert Schema.model_validate_json(SCHEMA.model_dump_json()) == SCHEMA


def test_a_schema_of_another_make_is_refused() -> None:
    stored = SCHEMA.model_dump(mode="json")
    for changed in (stored | {"format_version": 2}, stored | {"owner": "me"}):
        with pytest.raises(ValueError, match=r"format_version|owner"):
            Schema.model_validate(changed)


def test_a_schema_keeps_no_text_of_free_columns() -> None:
    remarks = [f"the secret number of row {n} is {n * n}" for n in range(100)]
    schema = Schema.of(table_of(pd.DataFrame({"remark": remarks, "n": range(5, 105)})))
    assert schema.columns[0].kind is ColumnKind.TEXT
    assert "secret" not in schema.model_dump_json()


DATED = pd.DataFrame(
    {
        "day": pd.date_range("2024-01-10", periods=60).strftime("%d.%m.%Y"),
        "zip": [f"0{n % 9 + 1}50" for n in range(60)],
        "size": [f"{n % 11 + 1} €" for n in range(60)],
        "grade": [n % 5 + 1 for n in range(60)],
    }
)
DATED_SCHEMA = Schema.of(table_of(DATED))


def sentences_of(frame: pd.DataFrame, schema: Schema = DATED_SCHEMA) -> list[str]:
    """What is said of a file that is read afresh."""
    return [one.sentence for one in check_and_repair(table_of(frame), schema).findings]


def test_dates_written_another_way_are_warned_of() -> None:
    month_first = pd.to_datetime(DATED.day, dayfirst=True).dt.strftime("%m/%d/%Y")
    result = check_and_repair(table_of(DATED.assign(day=month_first)), DATED_SCHEMA)
    (told,) = result.findings
    assert told.severity is WARNING
    assert told.sentence == (
        "'day' has dates written m/d/y, in training they were d.m.y; "
        "check that day and month are right."
    )
    assert result.frame.day.iloc[3] == pd.Timestamp("2024-01-13")


def test_another_currency_is_warned_of() -> None:
    dollars = DATED.assign(size=DATED["size"].str.replace("€", "$"))
    assert sentences_of(dollars) == ["'size' has $ where training had €; check its unit."]


def test_codes_that_lost_their_zeros_are_found_again() -> None:
    result = check_and_repair(table_of(DATED.assign(zip=DATED.zip.astype(int))), DATED_SCHEMA)
    assert list(result.frame.zip) == list(DATED.zip)
    assert result.unseen_rows == 0
    assert [one.severity for one in result.findings] == [NOTE]


def test_words_among_numbers_count_as_missing_and_are_told() -> None:
    mixed = DATED.assign(grade=["good" if n % 2 else n % 5 + 1 for n in range(60)])
    result = check_and_repair(table_of(mixed), DATED_SCHEMA)
    assert result.frame.grade.isna().sum() == 30
    assert [(one.severity, one.sentence) for one in result.findings] == [
        (NOTE, "'grade' came as text and was read as numbers."),
        (WARNING, "30 cells of 'grade' are no number and count as missing."),
    ]


@pytest.mark.parametrize("cell", ["good", "2024-01-03"])
def test_a_column_of_no_numbers_at_all_is_warned_of(cell: str) -> None:
    (told,) = sentences_of(DATED.assign(grade=cell))
    assert told == "'grade' has no number in any row; in training 100 % of the rows had one."


def test_numbers_where_dates_were_are_warned_of() -> None:
    (told,) = sentences_of(DATED.assign(day=np.arange(60) * 1.5 + 7))
    assert told == "'day' has no date in any row; in training 100 % of the rows had one."


@pytest.mark.parametrize(
    ("factor", "told"),
    [
        (1000, "about 1,000 times larger"),
        (0.001, "about 1,000 times smaller"),
        (100, "about 100 times larger"),
    ],
)
def test_another_unit_is_named_by_its_factor(factor: float, told: str) -> None:
    sizes = np.random.default_rng(0).lognormal(3, 0.5, 200)
    schema = Schema.of(table_of(pd.DataFrame({"weight": sizes, "n": range(7, 207)})))
    (said,) = sentences_of(pd.DataFrame({"weight": sizes[:50] * factor, "n": range(7, 57)}), schema)
    assert told in said
    assert said.endswith("is it in another unit?")


def decorated(name: str, draw: st.DataObject) -> str:
    """Write a column's name as another program or person would."""
    cases: list[Callable[[str], str]] = [str.upper, str.lower, str.title, str.swapcase]
    case = draw.draw(st.sampled_from(cases))
    joint = draw.draw(st.sampled_from([" ", "_", "-", ".", ""]))
    blank = draw.draw(st.sampled_from(["", " ", "\u00a0"]))
    return blank + case(joint.join(name.split())) + blank


def number(name: str, rows: int) -> Column:
    return Column(name=name, kind=ColumnKind.NUMBER, missing_share=0.0, distinct=rows)


def report(rows: int) -> ReadReport:
    return ReadReport(
        file="any.csv",
        file_bytes=1,
        sha256="",
        encoding="utf-8",
        delimiter=",",
        header_line=1,
        rows=rows,
    )


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_names_order_and_extras_never_change_what_is_predicted(data: st.DataObject) -> None:
    names = ["monthly income", "age", "loan amount", "years at job"]
    frame = pd.DataFrame(np.arange(40.0).reshape(10, 4), columns=names)
    schema = Schema.of(Table(frame, tuple(number(n, 10) for n in names), report(10)))
    written = {decorated(name, data): name for name in names}
    extras = {f"extra {n}": names[0] for n in range(data.draw(st.integers(0, 3)))}
    order = data.draw(st.permutations([*written, *extras]))
    changed = pd.DataFrame({name: frame[(written | extras)[name]] for name in order})
    table = Table(changed, tuple(number(name, 10) for name in order), report(10))
    result = check_and_repair(table, schema)
    assert_frame_equal(result.frame, frame)
    renamed = {one.column for one in result.findings if one.column is not None}
    assert renamed == {name for written_as, name in written.items() if written_as != name}
