"""How one column becomes numbers: plain numbers, levels of a category, many levels, dates.

Each encoder is learnt from the training rows without looking at the target, and is a few arrays
afterwards: it applies with numpy and pandas alone. Text is in `features_text`, what looks at the
target in `features_target`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import pandas as pd

Single = npt.NDArray[np.float32]
Places = npt.NDArray[np.int64]

LEVELS_FEW_MAX = 200
"""Columns with more levels get counts and target means instead of one code per level:
histogram boosting tells at most 255 categories apart."""
LEVELS_MAX = 100_000
DAY_SECONDS = 86_400.0
DATE_PARTS = ("year", "month", "day", "weekday", "day_of_year", "hour", "days")


def levels_in(values: pd.Series) -> tuple[Places, tuple[str, ...]]:
    """Find the distinct values of a column as text.

    Whole numbers lose a trailing ".0", so a column with a gap has the levels of one without.

    Returns:
        int64 [rows], each cell's place among the texts, -1 where it is missing; and the texts,
        which may repeat (1 and "1" are different cells of the same level).
    """
    import pandas as pd

    places, found = pd.factorize(values, use_na_sentinel=True)
    return places.astype(np.int64), tuple(_as_text(value) for value in found)


def _as_text(value: object) -> str:
    is_number = isinstance(value, float | np.floating) and not isinstance(value, bool)
    return f"{value:.15g}" if is_number else str(value)


def codes_of(levels: tuple[str, ...], values: pd.Series) -> Places:
    """Find each cell's place in levels: int64 [rows], -1 where it is missing or unknown."""
    places, found = levels_in(values)
    known = {level: code for code, level in enumerate(levels)}
    of_found = np.array([*(known.get(text, -1) for text in found), -1], dtype=np.int64)
    return of_found[places]


@dataclass(frozen=True, slots=True)
class NumberColumn:
    """A number as it is; infinities count as missing."""

    column: str
    form: Literal["number"] = "number"

    @property
    def names(self) -> tuple[str, ...]:
        return (self.column,)

    def apply(self, values: pd.Series) -> Single:
        """Give float32 [rows, 1]."""
        import pandas as pd

        numbers = pd.to_numeric(values, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
        # What single precision cannot hold becomes an infinity, and so missing.
        with np.errstate(over="ignore"):
            single = numbers.astype(np.float32)
        single[~np.isfinite(single)] = np.nan
        return single[:, None]


@dataclass(frozen=True, slots=True)
class LevelsColumn:
    """A category as the rank of its level, the most common first; missing where unseen."""

    column: str
    levels: tuple[str, ...]
    form: Literal["levels"] = "levels"

    @classmethod
    def fit(cls, column: str, values: pd.Series) -> LevelsColumn:
        return cls(column, _levels_by_count(values)[0])

    @property
    def names(self) -> tuple[str, ...]:
        return (self.column,)

    def apply(self, values: pd.Series) -> Single:
        """Give float32 [rows, 1]."""
        codes = codes_of(self.levels, values).astype(np.float32)
        return np.where(codes < 0, np.float32(np.nan), codes)[:, None]


@dataclass(frozen=True, slots=True)
class ManyLevelsColumn:
    """A category of many levels as the rank of its level and how common that level is."""

    column: str
    levels: tuple[str, ...]
    rows_of_level: Places
    form: Literal["many_levels"] = "many_levels"

    @classmethod
    def fit(cls, column: str, values: pd.Series) -> ManyLevelsColumn:
        return cls(column, *_levels_by_count(values))

    @property
    def names(self) -> tuple[str, ...]:
        return (f"{self.column} (rank)", f"{self.column} (count)")

    def apply(self, values: pd.Series) -> Single:
        """Give float32 [rows, 2]: the rank (missing where unseen), and log(1 + rows)."""
        codes = codes_of(self.levels, values)
        rank = np.where(codes < 0, np.nan, codes)
        count = np.append(self.rows_of_level, 0)[codes]
        return np.column_stack([rank, np.log1p(count)]).astype(np.float32)


@dataclass(frozen=True, slots=True)
class DateColumn:
    """A date as those of its parts that differ between rows."""

    column: str
    parts: tuple[str, ...]
    origin: str
    """The day from which days are counted, ISO 8601: small numbers keep their precision."""
    form: Literal["date"] = "date"

    @classmethod
    def fit(cls, column: str, values: pd.Series) -> DateColumn:
        dates = _as_dates(values)
        origin = dates.min().date().isoformat() if dates.notna().any() else "2000-01-01"
        every = cls(column, DATE_PARTS, origin)
        table = every.apply(values)
        differs = [part for part, cells in zip(DATE_PARTS, table.T, strict=True) if _varies(cells)]
        return cls(column, tuple(differs), origin)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(f"{self.column} ({part.replace('_', ' ')})" for part in self.parts)

    def apply(self, values: pd.Series) -> Single:
        """Give float32 [rows, parts]."""
        import pandas as pd

        dates = _as_dates(values)
        parts = {
            "year": dates.dt.year,
            "month": dates.dt.month,
            "day": dates.dt.day,
            "weekday": dates.dt.day_of_week,
            "day_of_year": dates.dt.day_of_year,
            "hour": dates.dt.hour + dates.dt.minute / 60,
            "days": (dates - pd.Timestamp(self.origin, tz="UTC")).dt.total_seconds() / DAY_SECONDS,
        }
        wanted = [parts[part].to_numpy(dtype=np.float32, na_value=np.nan) for part in self.parts]
        return np.column_stack([*wanted]) if wanted else np.zeros((len(dates), 0), np.float32)


def _as_dates(values: pd.Series) -> pd.Series:
    import pandas as pd

    return pd.to_datetime(values, errors="coerce", utc=True)


def _varies(cells: Single) -> bool:
    known = cells[~np.isnan(cells)]
    return len(known) > 0 and bool(known.min() < known.max())


def _levels_by_count(values: pd.Series) -> tuple[tuple[str, ...], Places]:
    """List levels, the most common first, equally common ones by name, with their rows."""
    places, found = levels_in(values)
    rows_of_level: dict[str, int] = {}
    counts = np.bincount(places[places >= 0], minlength=len(found))
    for text, rows in zip(found, counts.tolist(), strict=True):
        rows_of_level[text] = rows_of_level.get(text, 0) + rows
    levels = sorted(rows_of_level, key=lambda text: (-rows_of_level[text], text))[:LEVELS_MAX]
    return tuple(levels), np.array([rows_of_level[text] for text in levels], dtype=np.int64)
