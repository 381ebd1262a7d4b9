"""One column of a new file made the way it was at training, with what had to be done for it.

Repairs what has one plain meaning (numbers kept as text, upper and lower case of categories) and
tells what may harm predictions without an error. Which column is which is left to `schema`.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from desktop.jobs import wording
from desktop.jobs.data import facts
from desktop.jobs.data.profile import ColumnProfile, measured, sizes_of
from desktop.jobs.data.table import Column, ColumnKind

if TYPE_CHECKING:
    import pandas as pd

UNSEEN_SHARE_WARNED = 0.1
"""From this share of rows on, values never seen in training are a warning, below it a note."""
EMPTY_BY_CHANCE = 0.05
SIZE_RATIO_MIN = 30.0
"""Medians further apart than this, with most values outside of the training range, suggest
another unit."""
UNIT_POWERS = (-9, -6, -4, -3, -2, 2, 3, 4, 6, 9)
UNIT_LOG_TOLERANCE = 0.35
TOLD_MAX = 3

Bools = npt.NDArray[np.bool_]


class Severity(StrEnum):
    NOTE = "note"
    """Was repaired, or does no harm."""
    WARNING = "warning"
    """May make predictions worse."""


@dataclass(frozen=True, slots=True)
class Finding:
    severity: Severity
    column: str | None
    """The column's name at training; None when it is about the whole file."""
    sentence: str


@dataclass(frozen=True, slots=True)
class Conformed:
    values: pd.Series
    findings: tuple[Finding, ...]
    unseen: Bools
    """[rows]: whether the cell is a category never seen in training."""


def conform(values: pd.Series, found: Column, wanted: ColumnProfile) -> Conformed:
    """Give a column the kind it had at training.

    Args:
        values: as a `Table` holds them.
        found: what reading told of them.
        wanted: the column at training.
    """
    unseen = np.zeros(len(values), dtype=bool)
    if wanted.kind in (ColumnKind.NUMBER, ColumnKind.DATE):
        values, told = _converted(values, found, wanted)
        findings = [*told, *_of_emptiness(values, wanted)]
        if wanted.kind is ColumnKind.NUMBER:
            findings += _of_size(values, wanted)
        return Conformed(values, tuple(findings), unseen)
    values = as_text(values)
    findings = list(_of_emptiness(values, wanted))
    if wanted.has_all_levels:
        values, unseen, told = _levelled(values, wanted)
        findings += told
    return Conformed(values, tuple(findings), unseen)


def as_text(values: pd.Series) -> pd.Series:
    """Write cells as text: whole numbers without ".0", days without a time of day."""
    import pandas as pd

    if pd.api.types.is_numeric_dtype(values.dtype) or pd.api.types.is_bool_dtype(values.dtype):
        written = [None if pd.isna(value) else f"{value:.15g}" for value in values]
        return pd.Series(written, index=values.index, dtype="str")
    if pd.api.types.is_datetime64_any_dtype(values.dtype):
        return values.astype("str")
    return values.astype("str").str.strip()


def _converted(
    values: pd.Series, found: Column, wanted: ColumnProfile
) -> tuple[pd.Series, list[Finding]]:
    """Give numbers or dates, reading them again where the file was read otherwise."""
    findings: list[Finding] = []
    if found.kind is not wanted.kind and found.kind is not ColumnKind.EMPTY:
        was_text = found.kind in (ColumnKind.CATEGORY, ColumnKind.TEXT)
        values, found = _read_again(values, wanted)
        if was_text and values.notna().any():
            what = "numbers" if wanted.kind is ColumnKind.NUMBER else "dates"
            findings.append(_note(wanted, f"'{wanted.name}' came as text and was read as {what}."))
    if wanted.kind is ColumnKind.NUMBER:
        numbers = measured(values, wanted.kind) if found.kind is wanted.kind else math.nan
        values = _series(numbers, values, "float64")
        findings += _of_writing(found, wanted)
    else:
        dates = values if found.kind is wanted.kind else np.datetime64("NaT")
        values = _series(dates, values, "datetime64[ns]")
        findings += _of_date_format(found, wanted)
    if values.notna().any():
        sentences = facts.warnings_of(replace(found, name=wanted.name), (), None)
        findings += [_warning(wanted, sentence) for sentence in sentences]
    return values, findings


def _series(cells: object, like: pd.Series, dtype: str) -> pd.Series:
    import pandas as pd

    return pd.Series(cells, index=like.index, dtype=dtype)


def _read_again(values: pd.Series, wanted: ColumnProfile) -> tuple[pd.Series, Column]:
    """Read text by the rules of the training column."""
    import pandas as pd
    import pyarrow as pa

    from desktop.jobs.data.cells import Cells
    from desktop.jobs.data.columns import typed

    texts = as_text(values)
    cells = [None if pd.isna(cell) else cell for cell in texts.tolist()]
    column = Cells.of(wanted.name, [pa.array(cells, pa.large_string())])
    read = typed([column], [wanted.as_column], delimiter=",", is_single=False)[0]
    return read.series.set_axis(values.index), read.column


def _of_writing(found: Column, wanted: ColumnProfile) -> Iterator[Finding]:
    name = wanted.name
    if found.decimal_comma and not wanted.decimal_comma:
        yield _note(wanted, f"'{name}' is written with decimal commas and was read so.")
    if found.unit != wanted.unit and found.kind is ColumnKind.NUMBER:
        now, before = found.unit or "no unit", wanted.unit or "no unit"
        yield _warning(wanted, f"'{name}' has {now} where training had {before}; check its unit.")


def _of_date_format(found: Column, wanted: ColumnProfile) -> Iterator[Finding]:
    formats = (found.date_format, wanted.date_format)
    if None in formats or "typed" in formats or formats[0] == formats[1]:
        return
    yield _warning(
        wanted,
        f"'{wanted.name}' has dates written {formats[0]}, in training they were {formats[1]}; "
        "check that day and month are right.",
    )


def _of_emptiness(values: pd.Series, wanted: ColumnProfile) -> Iterator[Finding]:
    if not len(values) or values.notna().any():
        return
    # A gap in a file of one row says nothing when gaps were usual.
    if wanted.missing_share ** len(values) < EMPTY_BY_CHANCE:
        filled = wording.share(1 - wanted.missing_share)
        yield _warning(
            wanted,
            f"'{wanted.name}' has no {wanted.kind.value} in any row; "
            f"in training {filled} of the rows had one.",
        )


def _of_size(values: pd.Series, wanted: ColumnProfile) -> Iterator[Finding]:
    """Suspect another unit when numbers are far larger or smaller than they ever were."""
    numbers = measured(values, ColumnKind.NUMBER)
    now, before = sizes_of(numbers), wanted.sizes
    if now is None or before is None:
        return
    ratio = now[1] / before[1]
    if 1 / SIZE_RATIO_MIN < ratio < SIZE_RATIO_MIN:
        return
    sizes = np.abs(numbers[~np.isnan(numbers) & (numbers != 0)])
    if float(np.mean((sizes < before[0]) | (sizes > before[2]))) <= 0.5:
        return
    times = ratio if ratio > 1 else 1 / ratio
    log = math.log10(ratio)
    power = min(UNIT_POWERS, key=lambda one: abs(one - log))
    times = 10.0 ** abs(power) if abs(power - log) <= UNIT_LOG_TOLERANCE else times
    yield _warning(
        wanted,
        f"'{wanted.name}' is about {times:,.0f} times {'larger' if ratio > 1 else 'smaller'} than "
        f"in training (typically {wording.number(now[1])}, then {wording.number(before[1])}); "
        "is it in another unit?",
    )


def _levelled(values: pd.Series, wanted: ColumnProfile) -> tuple[pd.Series, Bools, list[Finding]]:
    """Write categories as they were at training, and find those that were never seen."""
    import pandas as pd

    places, texts = pd.factorize(values, use_na_sentinel=True)
    known = {level for level, _ in wanted.levels}
    by_folded = _by_folded(known)
    taken = [text if text in known else by_folded.get(fold(text), text) for text in texts]
    new = np.array([*(text not in known for text in taken), False], dtype=bool)
    rows = np.bincount(places[places >= 0], minlength=len(taken))
    cells = np.array([*taken, None], dtype=object)[places]
    findings = [*_of_folding(list(texts), taken, wanted), *_of_unseen(taken, new, rows, wanted)]
    return _series(cells, values, "str"), new[places], findings


def fold(level: str) -> str:
    """Take away what people vary without meaning another value: case, blanks, 07 or 7.0 for 7."""
    text = " ".join(unicodedata.normalize("NFKC", level).casefold().split())
    if re.fullmatch(r"\d+(?:\.0+)?", text):
        return text.partition(".")[0].lstrip("0") or "0"
    return text


def _by_folded(known: set[str]) -> Mapping[str, str]:
    """Map folded levels to levels, without those that two levels share."""
    of_folded: dict[str, list[str]] = {}
    for level in known:
        of_folded.setdefault(fold(level), []).append(level)
    return {folded: levels[0] for folded, levels in of_folded.items() if len(levels) == 1}


def _of_folding(texts: list[str], taken: list[str], wanted: ColumnProfile) -> Iterator[Finding]:
    changed = [(a, b) for a, b in zip(texts, taken, strict=True) if a != b]
    if changed:
        before = wording.listed([a for a, _ in changed], TOLD_MAX)
        after = wording.listed([b for _, b in changed], TOLD_MAX)
        verb = "was" if len(changed) == 1 else "were"
        yield _note(wanted, f"In '{wanted.name}' {before} {verb} taken for {after}.")


def _of_unseen(
    taken: list[str], new: Bools, rows: npt.NDArray[np.int64], wanted: ColumnProfile
) -> Iterator[Finding]:
    places = sorted(np.flatnonzero(new[:-1]).tolist(), key=lambda place: -int(rows[place]))
    if not places:
        return
    unseen = int(rows[places].sum())
    share = unseen / int(rows.sum())
    names = wording.listed([taken[place] for place in places], TOLD_MAX)
    where = "every row that has one" if share == 1 else wording.count(unseen, "row")
    sentence = f"In '{wanted.name}' {where} has a value never seen in training: {names}."
    if share < 1 and unseen != 1:
        sentence = sentence.replace(" has a value", " have a value", 1)
    is_much = share >= UNSEEN_SHARE_WARNED
    yield _warning(wanted, sentence) if is_much else _note(wanted, sentence)


def _note(wanted: ColumnProfile, sentence: str) -> Finding:
    return Finding(Severity.NOTE, wanted.name, sentence)


def _warning(wanted: ColumnProfile, sentence: str) -> Finding:
    return Finding(Severity.WARNING, wanted.name, sentence)
