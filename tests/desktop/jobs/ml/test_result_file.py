"""The result file: whole, beside the person's file, and never in place of theirs."""

from __future__ import annotations

import errno
import os
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from desktop.jobs.ml import model_files, result_file
from desktop.jobs.ml.model import Prediction
from desktop.jobs.ml.result_file import Dialect, with_predictions, write_beside
from shared.errors import AppError, Conflict, NotAllowed

TABLE = pd.DataFrame({"a": [1, 2], "b": ["x", "ü"]})


def write(folder: Path, table: pd.DataFrame = TABLE, *, dialect: Dialect | None = None) -> Path:
    (folder / "in").mkdir(exist_ok=True)
    source = folder / "in" / "sales.csv"
    return write_beside(source, table, dialect or Dialect(), folder / "memory")


def two_classes() -> Prediction:
    chances = np.array([[0.75, 0.25], [0.1234567891, 0.8765432109]])
    labels = np.array(["no", "yes"], dtype=object)
    return Prediction(("no", "yes"), chances, labels, None, None, None)


def test_the_result_stands_beside_the_file_and_reads_back(tmp_path: Path) -> None:
    place = write(tmp_path)

    assert place == tmp_path / "in" / "sales.predictions.csv"
    assert place.read_bytes() == "a,b\n1,x\n2,ü\n".encode()


def test_our_own_result_is_written_anew(tmp_path: Path) -> None:
    write(tmp_path)

    place = write(tmp_path, TABLE.head(1))

    assert place.name == "sales.predictions.csv"
    assert place.read_text(encoding="utf-8") == "a,b\n1,x\n"
    assert [path.name for path in (tmp_path / "in").iterdir()] == ["sales.predictions.csv"]


def test_a_file_of_the_person_is_left_alone(tmp_path: Path) -> None:
    theirs = tmp_path / "in" / "sales.predictions.csv"
    theirs.parent.mkdir()
    theirs.write_text("mine")

    place = write(tmp_path)

    assert place.name == "sales.predictions-2.csv"
    assert theirs.read_text() == "mine"


def test_a_result_that_the_person_edited_is_theirs(tmp_path: Path) -> None:
    first = write(tmp_path)
    first.write_text(first.read_text(encoding="utf-8") + "3,note\n", encoding="utf-8")

    assert write(tmp_path).name == "sales.predictions-2.csv"
    assert "3,note" in first.read_text(encoding="utf-8")


def test_a_link_is_never_followed(tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("keep")
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "sales.predictions.csv").symlink_to(secret)

    assert write(tmp_path).name == "sales.predictions-2.csv"
    assert secret.read_text() == "keep"


def test_a_link_in_place_of_our_result_is_theirs(tmp_path: Path) -> None:
    ours = write(tmp_path)
    moved = ours.rename(tmp_path / "moved.csv")
    ours.symlink_to(moved)

    assert write(tmp_path).name == "sales.predictions-2.csv"
    assert ours.is_symlink()


def test_names_do_not_run_out_without_a_word(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(result_file, "NUMBERED_MAX", 2)
    (tmp_path / "in").mkdir()
    for name in ("sales.predictions.csv", "sales.predictions-2.csv"):
        (tmp_path / "in" / name).write_text("mine")

    with pytest.raises(Conflict) as caught:
        write(tmp_path)

    assert caught.value.code == "names_taken"
    assert len(list((tmp_path / "in").iterdir())) == 2


@pytest.mark.parametrize("fault", [errno.EACCES, errno.EROFS])
def test_a_folder_that_cannot_be_written_is_told(
    fault: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def closed(*_: object, **__: object) -> None:
        raise OSError(fault, os.strerror(fault))

    monkeypatch.setattr(Path, "open", closed)

    with pytest.raises(NotAllowed) as caught:
        write(tmp_path)

    assert caught.value.code == "folder_read_only"
    assert str(tmp_path / "in") in caught.value.message
    assert caught.value.hint


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_without_permission_is_told(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir(mode=0o500)

    with pytest.raises(NotAllowed):
        write(tmp_path)


def test_a_full_disk_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)

    with pytest.raises(AppError) as caught:
        write(tmp_path)

    assert caught.value.code == "disk_full"
    assert not list((tmp_path / "in").iterdir())


def test_what_a_killed_job_left_goes_in_time(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    long_ago = time.time() - 2 * model_files.LEFTOVER_SECONDS
    stale, fresh, theirs = (
        tmp_path / "in" / name
        for name in (".predictions-0123456789ab.tmp", ".predictions-ba9876543210.tmp", ".mine.tmp")
    )
    for path in (stale, fresh, theirs):
        path.write_text("half")
    for path in (stale, theirs):
        os.utime(path, (long_ago, long_ago))

    write(tmp_path)

    assert not stale.exists()
    assert fresh.exists()
    assert theirs.exists()


def test_long_tables_tell_how_far_they_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(result_file, "ROWS_AT_ONCE", 4)
    told: list[int] = []
    table = pd.DataFrame({"a": range(10)})

    place = write_beside(tmp_path / "x.csv", table, Dialect(), tmp_path / "memory", told.append)

    assert told == [4, 8, 10]
    assert place.read_text() == "a\n" + "".join(f"{n}\n" for n in range(10))


def test_no_rows_still_have_a_header(tmp_path: Path) -> None:
    assert write(tmp_path, TABLE.head(0)).read_text() == "a,b\n"


@pytest.mark.parametrize(
    ("delimiter", "encoding", "dialect"),
    [
        (",", "utf-8", Dialect(",", "utf-8")),
        (";", "cp1251", Dialect(";", "utf-8-sig")),
        ("\t", "utf-8-sig", Dialect("\t", "utf-8-sig")),
        (None, None, Dialect(",", "utf-8-sig")),
    ],
)
def test_the_result_opens_in_the_same_program(
    delimiter: str | None, encoding: str | None, dialect: Dialect
) -> None:
    assert Dialect.like(delimiter, encoding) == dialect


def test_classes_get_a_label_and_a_probability_each() -> None:
    table = with_predictions(TABLE, two_classes(), "left", frozenset())

    assert list(table.columns) == ["a", "b", "predicted_left", "probability_no", "probability_yes"]
    assert list(table["predicted_left"]) == ["no", "yes"]
    assert list(table["probability_yes"]) == [0.25, 0.876543]


def test_numbers_get_an_interval() -> None:
    values = np.array([1 / 3, 2e7])
    prediction = Prediction((), None, None, values, values - 1, values + 1)

    table = with_predictions(TABLE, prediction, "price", frozenset())

    assert list(table.columns)[2:] == ["predicted_price", "lower_90", "upper_90"]
    assert list(table["predicted_price"]) == [0.3333333333, 2e7]
    assert np.allclose(table["upper_90"] - table["lower_90"], 2)


def test_a_column_of_the_same_name_is_not_overwritten() -> None:
    mine = TABLE.assign(predicted_left="mine", predicted_left_2="mine too")

    table = with_predictions(mine, two_classes(), "left", frozenset())

    assert list(table["predicted_left"]) == ["mine", "mine"]
    assert list(table["predicted_left_3"]) == ["no", "yes"]


def test_the_persons_cells_are_written_plainly(tmp_path: Path) -> None:
    mine = pd.DataFrame(
        {
            "count": [3.0, np.nan],
            "price": [2.50, 1e15],
            "day": pd.to_datetime(["2024-02-01", "NaT"]),
            "time": pd.to_datetime(["2024-02-01 13:05", "2024-02-02 00:00"]),
            "code": ["007", "=1+2"],
        }
    )

    table = with_predictions(mine, two_classes(), "left", frozenset({"count"}))
    lines = write(tmp_path, table).read_text(encoding="utf-8").splitlines()

    assert lines[1].startswith("3,2.5,2024-02-01,2024-02-01 13:05:00,007,no,")
    assert lines[2].startswith(",1000000000000000.0,,2024-02-02 00:00:00,=1+2,yes,")
