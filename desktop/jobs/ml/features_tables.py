"""The part of the features that never looks at the target: codes of levels, dates, words.

Learnt once from all training rows, shared by the folds, and a list of encoders afterwards, each
stored as JSON facts and arrays. Encoding single columns is left to `features_columns` and
`features_text`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from pydantic import JsonValue

from desktop.jobs.ml.features_columns import (
    LEVELS_FEW_MAX,
    DateColumn,
    LevelsColumn,
    ManyLevelsColumn,
    NumberColumn,
)
from desktop.jobs.ml.features_target import LevelCodes, Source
from desktop.jobs.ml.features_text import TextColumn

if TYPE_CHECKING:
    import pandas as pd

Bools = npt.NDArray[np.bool_]
Places = npt.NDArray[np.int64]
Array = npt.NDArray[np.generic]
JsonDict = dict[str, JsonValue]
Encoder = NumberColumn | LevelsColumn | ManyLevelsColumn | DateColumn | TextColumn
ENCODERS: Mapping[str, type[Encoder]] = {
    "number": NumberColumn,
    "levels": LevelsColumn,
    "many_levels": ManyLevelsColumn,
    "date": DateColumn,
    "text": TextColumn,
}

LEVELS_WITH_MEANS_MIN = 20
"""Categories with at least this many levels get the target's mean of each level as a feature."""


@dataclass(frozen=True, slots=True)
class Base:
    """Rows after the part that is the same in all folds."""

    dense: npt.NDArray[np.float32]
    sources: Mapping[str, Source]
    """What target features read, by column: level codes, or the tf-idf rows of a text."""

    def __getitem__(self, rows: Places) -> Base:
        """Take some rows."""
        return Base(self.dense[rows], {name: source[rows] for name, source in self.sources.items()})


@dataclass(frozen=True, slots=True)
class Tables:
    """The part of the features that never looks at the target; shared by all folds."""

    encoders: tuple[Encoder, ...]

    @classmethod
    def fit(cls, frame: pd.DataFrame, columns: Mapping[str, str], seed: int) -> Tables:
        """Learn from the training rows.

        Args:
            frame: the rows; the target must not be among `columns`.
            columns: name -> kind (number, category, text, date; other kinds are left out).
            seed: for the directions of texts.
        """
        found = (_encoder_of(frame[name], name, kind, seed) for name, kind in columns.items())
        return cls(tuple(encoder for encoder in found if encoder is not None))

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns a frame must have."""
        return tuple(encoder.column for encoder in self.encoders)

    @property
    def names(self) -> tuple[str, ...]:
        """What each dense feature of `Base` is, in words."""
        return tuple(name for encoder in self.encoders for name in encoder.names)

    def apply(self, frame: pd.DataFrame) -> Base:
        """Encode rows; columns are found by name."""
        blocks: list[npt.NDArray[np.float32]] = [np.zeros((len(frame), 0), np.float32)]
        sources: dict[str, Source] = {}
        for encoder in self.encoders:
            values = frame[encoder.column]
            if isinstance(encoder, TextColumn):
                terms = encoder.terms(values)
                sources[encoder.column] = terms
                blocks.append(encoder.apply(values, terms))
                continue
            block = encoder.apply(values)
            if not isinstance(encoder, NumberColumn | DateColumn) and _has_means(encoder):
                places = np.nan_to_num(block[:, 0], nan=-1).astype(np.int64)
                sources[encoder.column] = LevelCodes(places, len(encoder.levels))
            blocks.append(block)
        return Base(np.hstack(blocks), sources)

    def arranged(self, base: Base, places: Mapping[str, Places]) -> Base:
        """Put rows together from cells of other rows, column by column.

        Args:
            base: rows.
            places: for each column, the row of `base` that each new row's cell comes from.
        """
        start = 0
        blocks = [np.zeros((len(next(iter(places.values()))), 0), np.float32)]
        for encoder in self.encoders:
            end = start + len(encoder.names)
            blocks.append(base.dense[places[encoder.column], start:end])
            start = end
        return Base(
            np.hstack(blocks), {name: one[places[name]] for name, one in base.sources.items()}
        )

    def state(self) -> tuple[JsonDict, dict[str, Array]]:
        """Give JSON facts and arrays that `from_state` reads."""
        facts: list[JsonValue] = []
        arrays: dict[str, Array] = {}
        for number, encoder in enumerate(self.encoders):
            told: JsonDict = {}
            for field in fields(encoder):
                value = getattr(encoder, field.name)
                if isinstance(value, np.ndarray):
                    arrays[f"{number}.{field.name}"] = value
                else:
                    told[field.name] = list(value) if isinstance(value, tuple) else value
            facts.append(told)
        return {"encoders": facts}, arrays

    @classmethod
    def from_state(cls, facts: Mapping[str, JsonValue], arrays: Mapping[str, Array]) -> Tables:
        """Read back what `state` gave.

        Raises:
            KeyError, TypeError, ValueError: when parts are missing or of another type.
        """
        told = facts["encoders"]
        if not isinstance(told, list):
            raise TypeError("encoders are no list")
        return cls(tuple(_encoder_from(one, str(n), arrays) for n, one in enumerate(told)))

    def flags(self, form: type[Encoder]) -> Bools:
        """Say which dense features of `Base` come from one sort of encoder: bool [features]."""
        marks = [np.full(len(e.names), isinstance(e, form)) for e in self.encoders]
        return np.concatenate([np.zeros(0, dtype=bool), *marks])


def _encoder_of(values: pd.Series, name: str, kind: str, seed: int) -> Encoder | None:
    match kind:
        case "number":
            return NumberColumn(name)
        case "category":
            few = LevelsColumn.fit(name, values)
            many = len(few.levels) > LEVELS_FEW_MAX
            return ManyLevelsColumn.fit(name, values) if many else few
        case "date":
            return DateColumn.fit(name, values)
        case "text":
            return TextColumn.fit(name, values, seed)
        case _:
            return None


def _has_means(encoder: LevelsColumn | ManyLevelsColumn) -> bool:
    return len(encoder.levels) >= LEVELS_WITH_MEANS_MIN


def _encoder_from(told: JsonValue, number: str, arrays: Mapping[str, Array]) -> Encoder:
    if not isinstance(told, dict):
        raise TypeError("an encoder is no object")
    sort = ENCODERS[str(told["form"])]
    values: dict[str, object] = {}
    for field in fields(sort):
        if field.name in told:
            value = told[field.name]
            values[field.name] = tuple(map(str, value)) if isinstance(value, list) else str(value)
        else:
            values[field.name] = arrays[f"{number}.{field.name}"]
    return sort(**values)  # type: ignore[arg-type]  # fields were matched by name just above
