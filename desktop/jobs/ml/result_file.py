"""The file of predictions beside a person's file: its name, its cells, and how it gets there.

It appears whole or not at all and never takes the place of a file that is not ours: what was
written before is remembered by its hash, so a result that a person edited counts as theirs.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import numpy as np

from desktop.jobs.ml.model_files import facts_of, is_leftover, save_failed
from shared.errors import Conflict

if TYPE_CHECKING:
    import pandas as pd

    from desktop.jobs.ml.model import Prediction

ROWS_AT_ONCE = 20_000
NUMBERED_MAX = 1_000
PROBABILITY_DIGITS = 6
VALUE_DIGITS = 10
WHOLE_MAX = 2**53
"""Larger floats are not told apart from their neighbours, so they are no counts."""


@dataclass(frozen=True, slots=True)
class Dialect:
    """How the person's own file is written, so that the result opens in the same program."""

    delimiter: str = ","
    encoding: str = "utf-8"

    @classmethod
    def like(cls, delimiter: str | None, encoding: str | None) -> Dialect:
        """Follow a text file's delimiter; all text is UTF-8, marked as such for spreadsheets.

        Args:
            delimiter: of the person's file; None for a workbook or Parquet.
            encoding: of the person's file; None for a workbook or Parquet.
        """
        is_plain = encoding in ("utf-8", "ascii")
        return cls(delimiter or ",", "utf-8" if is_plain else "utf-8-sig")


def with_predictions(
    frame: pd.DataFrame, prediction: Prediction, target: str, whole: frozenset[str]
) -> pd.DataFrame:
    """Put predictions behind a person's own columns.

    Args:
        frame: the person's rows.
        prediction: of exactly these rows.
        target: the predicted column's name.
        whole: number columns without fractions; they are written without a decimal point.
    """
    import pandas as pd

    columns: dict[str, object] = {
        name: _plain(frame[name], is_whole=name in whole) for name in frame.columns
    }
    if prediction.probabilities is not None and prediction.labels is not None:
        _add(columns, f"predicted_{target}", prediction.labels)
        for place, name in enumerate(prediction.classes):
            chance = prediction.probabilities[:, place].round(PROBABILITY_DIGITS)
            _add(columns, f"probability_{name}", chance)
    else:
        _add(columns, f"predicted_{target}", _shortened(prediction.values))
        if prediction.lower is not None and prediction.upper is not None:
            _add(columns, "lower_90", _shortened(prediction.lower))
            _add(columns, "upper_90", _shortened(prediction.upper))
    return pd.DataFrame(columns, index=frame.index)


def _add(columns: dict[str, object], name: str, values: object) -> None:
    """Add a column; if the person has one of this name, ours gets a number."""
    free = name
    number = 2
    while free in columns:
        free, number = f"{name}_{number}", number + 1
    columns[free] = values


def _plain(values: pd.Series, *, is_whole: bool) -> object:
    """Write whole numbers without ".0", and days without an hour."""
    import pandas as pd

    if pd.api.types.is_datetime64_any_dtype(values.dtype):
        days_only = bool((values.dropna() == values.dropna().dt.normalize()).all())
        return values.dt.strftime("%Y-%m-%d" if days_only else "%Y-%m-%d %H:%M:%S")
    if is_whole and pd.api.types.is_float_dtype(values.dtype):
        known = values.dropna()
        if bool(((known.abs() < WHOLE_MAX) & (known == known.round())).all()):
            return values.astype("Int64")
    return values


def _shortened(values: object) -> list[float]:
    numbers = np.asarray(values, dtype=np.float64)
    return [float(f"{value:.{VALUE_DIGITS}g}") for value in numbers]


def write_beside(
    source: Path,
    table: pd.DataFrame,
    dialect: Dialect,
    memory: Path,
    told: Callable[[int], None] = lambda _: None,
) -> Path:
    """Write a table as `<stem>.predictions.csv` beside a file; give the path it got.

    Args:
        source: the person's file.
        table: what to write.
        dialect: how.
        memory: folder in which to remember that the file is ours; made when missing.
        told: called with how many rows are written, now and then.

    Raises:
        NotAllowed: `folder_read_only`.
        LimitReached: `disk_full`.
        Conflict: `names_taken`.
        Unavailable: `write_failed`.
    """
    half_done = source.with_name(f".predictions-{secrets.token_hex(6)}.tmp")
    try:
        with half_done.open("x", encoding=dialect.encoding, newline="") as stream:
            _write_rows(stream, table, dialect, told)
            stream.flush()
            os.fsync(stream.fileno())
        place = _free_place(source, memory)
        half_done.replace(place)
        _remember(place, memory)
    except OSError as error:
        raise save_failed(error, source.parent) from None
    finally:
        _clear(source.parent, half_done)
    return place


def _clear(folder: Path, half_done: Path) -> None:
    """Remove what was not finished, now or by a job that was killed long ago."""
    with contextlib.suppress(OSError):
        half_done.unlink(missing_ok=True)
        for leftover in folder.glob(".predictions-????????????.tmp"):
            if is_leftover(leftover):
                leftover.unlink(missing_ok=True)


def _write_rows(
    stream: TextIO, table: pd.DataFrame, dialect: Dialect, told: Callable[[int], None]
) -> None:
    for start in range(0, max(1, len(table)), ROWS_AT_ONCE):
        rows = table.iloc[start : start + ROWS_AT_ONCE]
        rows.to_csv(
            stream, sep=dialect.delimiter, header=start == 0, index=False, lineterminator="\n"
        )
        told(start + len(rows))


def _free_place(source: Path, memory: Path) -> Path:
    """Take the first name that is free, or ours; a free one is reserved at once."""
    for place in _places(source):
        if _is_ours(place, memory):
            return place
        try:
            place.open("x").close()
        except FileExistsError:
            continue
        return place
    raise Conflict(
        "names_taken",
        f"{NUMBERED_MAX} files called '{source.stem}.predictions…csv' are in the way.",
        "Move some of them to another folder.",
    )


def _places(source: Path) -> Iterator[Path]:
    yield source.with_name(f"{source.stem}.predictions.csv")
    for number in range(2, NUMBERED_MAX + 1):
        yield source.with_name(f"{source.stem}.predictions-{number}.csv")


def _note_of(place: Path, memory: Path) -> Path:
    return memory / f"{hashlib.sha256(str(place).encode()).hexdigest()[:32]}.json"


def _is_ours(place: Path, memory: Path) -> bool:
    """Say whether a file is, to the last bit, what was written here before."""
    note = _note_of(place, memory)
    if place.is_symlink() or not place.is_file() or not note.is_file():
        return False
    return note.read_text(encoding="utf-8") == _fingerprint(place)


def _remember(place: Path, memory: Path) -> None:
    # Not being able to remember only means that the next result gets a number.
    with contextlib.suppress(OSError):
        memory.mkdir(parents=True, exist_ok=True)
        _note_of(place, memory).write_text(_fingerprint(place), encoding="utf-8")


def _fingerprint(place: Path) -> str:
    return json.dumps({"path": str(place), "sha256": facts_of(place).sha256})
