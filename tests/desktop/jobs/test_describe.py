"""data.describe tells a person what is in a file, and what is wrong with it."""

from __future__ import annotations

from pathlib import Path

import pytest

from desktop.jobs import EXECUTORS
from desktop.jobs.data.samples import FOLDER
from desktop.jobs.describe import COLUMNS_TOLD_MAX, run
from shared.errors import BadInput, NotFound
from shared.kinds.data import DescribeInputs, DescribeOutput
from tests.desktop.jobs.fake_context import FakeContext, context_of

FRAME_BYTES_MAX = 256 << 10


def describe(tmp_path: Path, content: str, name: str = "table.csv") -> DescribeOutput:
    context = context_of(tmp_path)
    (context.folder / name).write_text(content, encoding="utf-8")
    return run(context, DescribeInputs(file=name))


def lines(*rows: str) -> str:
    return "\n".join(rows) + "\n"


SHOP = lines(
    "order,town,amount,paid on,country,remark,spare",
    *(
        f"A-{n},{('Oslo', 'Bergen', 'Oslo')[n % 3]},{n * 1.5},2024-0{n % 9 + 1}-01,Norway,"
        f"{'' if n % 4 else 'call the customer back please ' + str(n)},"
        for n in range(100)
    ),
)


def test_the_kind_names_this_executor() -> None:
    assert EXECUTORS["data.describe"] == f"{run.__module__}:run"


def test_a_table_is_told_in_one_line_and_by_column(tmp_path: Path) -> None:
    output = describe(tmp_path, SHOP)
    assert output.headline == f"table.csv: 100 rows, 7 columns, {len(SHOP) / 1000:.1f} kB."
    facts = {column.name: column for column in output.columns}
    assert list(facts) == ["order", "town", "amount", "paid on", "country", "remark", "spare"]
    assert facts["town"].kind == "category"
    assert facts["town"].sample == "Oslo 67 %, Bergen 33 %"
    assert facts["amount"].sample == "0 to 148.5"
    assert facts["paid on"].sample == "2024-01-01 to 2024-09-01"
    assert facts["country"].kind == "constant"
    assert facts["remark"].missing_share == 0.75
    assert facts["spare"].kind == "empty"


def test_what_is_odd_about_a_table_comes_first(tmp_path: Path) -> None:
    notes = describe(tmp_path, SHOP).notes
    assert notes[:3] == (
        "⚠ column `order` differs in every row, like an id",
        "⚠ column `spare` is empty",
        "⚠ column `country` has one value only",
    )
    assert "Gaps: remark 75 %." in notes


def test_rows_that_were_left_out_are_named(tmp_path: Path) -> None:
    rows = [f"{n},{n % 7}" for n in range(50)]
    output = describe(tmp_path, lines("a,b", *rows, "1,2,3,4,5", *rows))
    (told,) = (note for note in output.notes if "left out" in note)
    assert told.startswith("⚠ 1 row was left out: line 52 ")
    assert output.rows == 100


def test_copies_of_rows_are_counted(tmp_path: Path) -> None:
    rows = [f"{n},{n * 37 % 11},x{n % 13}" for n in range(90)]
    output = describe(tmp_path, lines("a,b,c", *rows, *rows[:10]))
    assert "⚠ 10 rows (10 %) are copies of others" in output.notes


def test_a_clean_table_has_no_warning(tmp_path: Path) -> None:
    output = describe(tmp_path, lines("a,b", *(f"{n * 7 % 20},{n * 1.25}" for n in range(50))))
    assert [note for note in output.notes if note.startswith("⚠")] == []
    assert output.notes == ("Columns: 2 numbers.",)


def test_the_file_is_asked_for_when_it_is_missing(tmp_path: Path) -> None:
    context = FakeContext(FOLDER, tmp_path / "job", {"file": "flights_new.csv"})
    output = run(context, DescribeInputs())
    assert output.headline.startswith("flights_new.csv: 700 rows, 15 columns")
    assert context.stages == ["reading"]
    assert context.told[-1].done == context.told[-1].total


def test_a_very_wide_table_still_fits_into_one_message(tmp_path: Path) -> None:
    names = ",".join(f"a rather long name of a column {n}" for n in range(700))
    row = ",".join(["some words in this cell too"] * 700)
    output = describe(tmp_path, lines(names, *[row] * 5))
    assert len(output.columns) == COLUMNS_TOLD_MAX
    assert any("of its 700 columns are listed" in note for note in output.notes)
    assert len(output.model_dump_json().encode()) < FRAME_BYTES_MAX


def test_a_file_that_is_not_there_is_told_with_a_near_miss(tmp_path: Path) -> None:
    context = context_of(tmp_path)
    (context.folder / "sales.csv").write_text("a,b\n1,2\n")
    with pytest.raises(NotFound, match=r"There is no file salse\.csv") as failure:
        run(context, DescribeInputs(file="salse.csv"))
    assert "sales.csv" in failure.value.hint


def test_an_empty_file_is_told_as_such(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="is empty"):
        describe(tmp_path, "")
