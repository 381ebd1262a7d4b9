"""The table that ships with the program is real, small, and says under which licence."""

from __future__ import annotations

from desktop.jobs.data.reading import read_table
from desktop.jobs.data.samples import FOLDER, TARGET, new_rows_file, training_file
from desktop.jobs.data.table import ColumnKind

FREE_RAM_BYTES = 1 << 30
BYTES_MAX = 400_000


def test_the_sample_is_small_and_tells_its_licence() -> None:
    files = [path for path in FOLDER.iterdir() if path.is_file()]
    assert sum(path.stat().st_size for path in files if path.suffix == ".csv") < BYTES_MAX
    licence = (FOLDER / "LICENCE.txt").read_text(encoding="utf-8")
    assert "CC0" in licence
    assert training_file().name in licence
    assert new_rows_file().name in licence


def test_the_sample_can_be_learnt_from_and_predicted() -> None:
    lesson = read_table(training_file(), free_ram_bytes=FREE_RAM_BYTES)
    new = read_table(new_rows_file(), free_ram_bytes=FREE_RAM_BYTES)
    assert (lesson.report.rows, new.report.rows) == (3800, 700)
    assert lesson.report.skipped == new.report.skipped == 0
    assert set(dict(lesson.column(TARGET).levels)) == {"late", "on time"}
    assert [column.name for column in lesson.columns if column.name != TARGET] == [
        column.name for column in new.columns
    ]
    assert lesson.column("date").kind is ColumnKind.DATE
    assert lesson.column("plane_built").missing_share > 0.1


def test_no_new_row_is_one_of_the_lesson() -> None:
    lesson = training_file().read_text(encoding="utf-8").splitlines()
    known = {line.partition(",")[2] for line in lesson}
    new = new_rows_file().read_text(encoding="utf-8").splitlines()
    assert new[0] in known  # the header, so the comparison compares like with like
    assert not known.intersection(new[1:])
