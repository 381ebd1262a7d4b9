"""What is missing is asked with likely answers; what is wrong is told with a near miss."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from desktop.jobs.asking import COLUMNS_OFFERED_MAX, FILES_OFFERED_MAX, column_of, file_of
from desktop.jobs.context import Context
from desktop.jobs.data.table import Column, ColumnKind, ReadReport, Table
from shared.errors import BadInput, NotAllowed, NotFound
from tests.desktop.jobs.fake_context import context_of

DAY_SECONDS = 86_400


def column(name: str, kind: str, distinct: int = 100, **facts: object) -> Column:
    known = Column(name=name, kind=ColumnKind(kind), missing_share=0.0, distinct=distinct)
    return replace(known, **facts)  # type: ignore[arg-type]


def table(*columns: Column, rows: int = 7043) -> Table:
    report = ReadReport(
        file="churn.csv",
        file_bytes=1,
        sha256="",
        encoding="utf-8",
        delimiter=",",
        header_line=1,
        rows=rows,
    )
    return Table(pd.DataFrame(columns=[one.name for one in columns]), columns, report)


CUSTOMERS = table(
    column("customerID", "id", 7043),
    column("joined", "date"),
    column("note", "text"),
    column("Monthly Charges", "number", 1585, minimum=18.25, maximum=118.75),
    column("Contract", "category", 3, levels=(("a", 9), ("b", 8), ("c", 7))),
    column("Partner", "category", 2, levels=(("yes", 9), ("no", 8))),
    column("Churn", "category", 2, levels=(("No", 9), ("Yes", 8))),
    column("country", "constant", 1),
)


def test_the_fake_context_is_a_context(tmp_path: Path) -> None:
    checked_by_mypy: Context = context_of(tmp_path)
    assert checked_by_mypy.workdir.is_dir()


def test_a_given_file_is_taken_without_asking(tmp_path: Path) -> None:
    context = context_of(tmp_path)
    (context.folder / "sales.csv").write_text("a,b\n1,2\n")
    assert file_of(context, "sales.csv") == (context.folder / "sales.csv").resolve()
    assert context.asked == []


def test_which_file_is_asked_with_the_newest_first_and_their_size_and_age(tmp_path: Path) -> None:
    context = context_of(tmp_path, {"file": "1"})
    old, new = context.folder / "old.csv", context.folder / "new.xlsx"
    old.write_bytes(b"x" * 2_100_000)
    new.write_bytes(b"x" * 500)
    (context.folder / "picture.png").write_bytes(b"x")
    now = time.time()
    os.utime(old, (now - 1.5 * DAY_SECONDS, now - 1.5 * DAY_SECONDS))

    assert file_of(context, None) == new.resolve()

    (asking,) = context.asked
    assert asking.text == "Which file?"
    assert asking.allow_text
    assert [(choice.label, choice.detail) for choice in asking.choices] == [
        ("new.xlsx", "500 bytes · just now"),
        ("old.csv", "2.1 MB · yesterday"),
    ]


def test_a_typed_file_name_is_an_answer(tmp_path: Path) -> None:
    context = context_of(tmp_path, {"file": "deep/down.csv"})
    (context.folder / "top.csv").write_text("a\n")
    (context.folder / "deep").mkdir()
    (context.folder / "deep" / "down.csv").write_text("a\n")
    assert file_of(context, None).name == "down.csv"


def test_no_more_files_are_offered_than_fit_under_a_thumb(tmp_path: Path) -> None:
    context = context_of(tmp_path, {"file": "1"})
    for number in range(FILES_OFFERED_MAX + 5):
        (context.folder / f"{number}.csv").write_text("a\n")
    file_of(context, None)
    assert len(context.asked[0].choices) == FILES_OFFERED_MAX


def test_predictions_written_before_are_not_offered_as_inputs(tmp_path: Path) -> None:
    context = context_of(tmp_path, {"file": "sales.csv"})
    for name in ("sales.csv", "sales.predictions.csv", "sales.predictions-2.csv"):
        (context.folder / name).write_text("a,b\n1,2\n")
    file_of(context, None)
    assert [choice.label for choice in context.asked[0].choices] == ["sales.csv"]


def test_without_any_table_the_folders_are_named_instead_of_asking(tmp_path: Path) -> None:
    context = context_of(tmp_path)
    with pytest.raises(NotFound) as failure:
        file_of(context, None)
    assert failure.value.code == "no_files"
    assert str(context.folders[0]) in failure.value.message
    assert ".csv" in failure.value.hint
    assert context.asked == []


def test_a_file_outside_the_folders_is_refused_even_as_an_answer(tmp_path: Path) -> None:
    outside = tmp_path / "secret.csv"
    outside.write_text("a\n")
    context = context_of(tmp_path, dict.fromkeys(("file", "file-2", "file-3"), str(outside)))
    (context.folder / "mine.csv").write_text("a\n")
    with pytest.raises(NotAllowed) as failure:
        file_of(context, None)
    assert failure.value.code == "file_outside_folders"


def test_an_answer_that_names_nothing_is_told_so_and_asked_again(tmp_path: Path) -> None:
    context = context_of(tmp_path, {"file": "salse.csv", "file-2": "1"})
    (context.folder / "sales.csv").write_text("a\n")
    assert file_of(context, None).name == "sales.csv"
    again = context.asked[1]
    assert again.text.startswith("There is no file salse.csv in the allowed folders.")
    assert again.text.endswith("\nWhich file?")
    assert again.choices == context.asked[0].choices


def test_a_misspelt_column_is_asked_again_and_given_up_at_the_third_time(tmp_path: Path) -> None:
    context = context_of(tmp_path, {"target": "chrun", "target-2": "2"})
    assert column_of(context, CUSTOMERS, None) == "Partner"
    stubborn = context_of(tmp_path, dict.fromkeys(("target", "target-2", "target-3"), "zzz"))
    with pytest.raises(NotFound):
        column_of(stubborn, CUSTOMERS, None)
    assert len(stubborn.asked) == 3


def test_an_empty_file_name_is_told_as_such(tmp_path: Path) -> None:
    with pytest.raises(BadInput) as failure:
        file_of(context_of(tmp_path), "  ")
    assert failure.value.code == "file_name_invalid"


def test_which_column_is_asked_with_the_size_and_likely_targets_first(tmp_path: Path) -> None:
    context = context_of(tmp_path, {"target": "churn"})
    assert column_of(context, CUSTOMERS, None) == "Churn"
    (asking,) = context.asked
    assert asking.text == "7,043 rows, 8 columns. What should I predict?"
    labels = [choice.label for choice in asking.choices]
    assert labels[:4] == ["Churn", "Partner", "Contract", "Monthly Charges"]
    assert labels[4] == "note"
    assert set(labels[5:]) == {"customerID", "joined", "country"}
    details = {choice.label: choice.detail for choice in asking.choices}
    assert details["Churn"] == "'No' and 'Yes'"
    assert details["Monthly Charges"] == "18.25 to 118.8"


def test_a_wide_table_offers_a_dozen_columns_and_takes_any_other_by_name(tmp_path: Path) -> None:
    wide = table(*(column(f"x{number}", "number") for number in range(300)))
    context = context_of(tmp_path, {"target": "X299"})
    assert column_of(context, wide, None) == "x299"
    assert len(context.asked[0].choices) == COLUMNS_OFFERED_MAX


@pytest.mark.parametrize("given", ["Churn", "churn", " CHURN "])
def test_case_and_blanks_around_a_column_do_not_matter(tmp_path: Path, given: str) -> None:
    context = context_of(tmp_path)
    assert column_of(context, CUSTOMERS, given) == "Churn"
    assert context.asked == []


def test_names_that_differ_in_case_alone_must_be_written_exactly(tmp_path: Path) -> None:
    twins = table(column("Price", "number"), column("price", "number"))
    assert column_of(context_of(tmp_path), twins, "price") == "price"
    with pytest.raises(NotFound):
        column_of(context_of(tmp_path), twins, "PRICE")


def test_an_unknown_column_is_told_with_the_closest_name(tmp_path: Path) -> None:
    with pytest.raises(NotFound) as failure:
        column_of(context_of(tmp_path), CUSTOMERS, "chrun")
    assert failure.value.code == "column_unknown"
    assert failure.value.message == "'chrun' is no column of churn.csv."
    assert failure.value.hint == "Did you mean 'Churn'?"


def test_a_column_like_no_other_is_told_with_what_there_is(tmp_path: Path) -> None:
    with pytest.raises(NotFound) as failure:
        column_of(context_of(tmp_path), CUSTOMERS, "weather in Oslo")
    assert "'customerID', 'joined'" in failure.value.hint


def test_a_column_whose_name_is_longer_than_any_answer_is_not_offered(tmp_path: Path) -> None:
    broken_header = table(column("x" * 5000, "number"), column("churn", "category", 2))
    context = context_of(tmp_path, {"target": "1"})
    assert column_of(context, broken_header, None) == "churn"
    assert len(context.asked[0].choices) == 1


def test_years_are_offered_without_a_comma(tmp_path: Path) -> None:
    planes = table(
        column("built", "number", 50, minimum=1959.0, maximum=2013.0),
        column("miles", "number", 50, minimum=94.0, maximum=20_000.0),
    )
    context = context_of(tmp_path, {"target": "1"})
    column_of(context, planes, None)
    assert [choice.detail for choice in context.asked[0].choices] == [
        "1959 to 2013",
        "94 to 20,000",
    ]
