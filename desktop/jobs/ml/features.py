"""Features: how the rows of a table become the numbers that models are fitted on.

    frame --Tables.apply--> Base --Features.matrix--> Matrix

`Tables` is learnt once, from all training rows and never from the target: codes of levels, dates,
words. `Features` adds what looks at the target (level means, term effects) and is learnt in each
fold from that fold's rows alone. Both are arrays and JSON afterwards and apply without
scikit-learn; `matrices` does the shared part only once for all folds of a model.
Types of columns are inferred elsewhere (`desktop.jobs.data`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt
from pydantic import JsonValue

from desktop.jobs.ml.features_columns import LevelsColumn
from desktop.jobs.ml.features_tables import Array, Base, Bools, JsonDict, Tables
from desktop.jobs.ml.features_target import (
    OUTPUTS_MAX,
    Floats,
    Learned,
    LevelCodes,
    LevelMeans,
    TermEffects,
    apply_to,
    learn,
)
from desktop.jobs.ml.features_text import TextColumn

if TYPE_CHECKING:
    import pandas as pd
    from scipy import sparse

__all__ = ["Features", "Matrix", "Tables", "Task", "matrices", "target_outputs"]

Task = Literal["binary", "multiclass", "regression"]
Own = npt.NDArray[np.float32]
"""Target features [rows, width] of the rows they were learnt from, each learnt without itself."""


@dataclass(frozen=True, slots=True)
class Matrix:
    """Rows as a model sees them."""

    dense: npt.NDArray[np.float32]
    """[rows, features]; NaN is missing, or a level never seen in training."""
    categorical: Bools
    """[features]: which features are codes of levels."""
    sparse: sparse.csr_array | None
    """float64 [rows, terms] of all text columns, for the linear member; None without text."""
    linear: Bools
    """[features]: which dense features the linear member uses; it reads texts as terms."""


def target_outputs(y: npt.NDArray[np.float64], task: Task, classes: int) -> Floats | None:
    """Give the target as the columns whose means are features: float64 [rows, outputs].

    None when there are too many classes for that.
    """
    if task == "multiclass":
        if classes > OUTPUTS_MAX:
            return None
        return np.asarray(y[:, None] == np.arange(classes), dtype=np.float64)
    return y[:, None].astype(np.float64)


@dataclass(frozen=True, slots=True)
class Features:
    """All features of one fold."""

    tables: Tables
    learned: Mapping[str, Learned]
    """What target features were learnt, by column; in the order of `Base.sources`."""

    @classmethod
    def fit(
        cls,
        frame: pd.DataFrame,
        columns: Mapping[str, str],
        y: npt.NDArray[np.float64],
        task: Task,
        seed: int,
    ) -> Features:
        """Learn tables and target features from the same rows.

        Args:
            frame: the training rows.
            columns: name -> kind.
            y: float64 [rows]: values, or numbers of classes counted from 0.
            task: what y is.
            seed: for everything random.
        """
        tables = Tables.fit(frame, columns, seed)
        outputs = target_outputs(y, task, classes=len(np.unique(y)))
        return cls.learn(tables, tables.apply(frame), outputs, seed)[0]

    @classmethod
    def learn(
        cls, tables: Tables, base: Base, outputs: Floats | None, seed: int
    ) -> tuple[Features, Own]:
        """Learn a fold's features; give them and the `own` part of the rows they came from.

        Args:
            tables: the shared part.
            base: the fold's training rows.
            outputs: what `target_outputs` made of their target; None for no target features.
            seed: for the inner splits.
        """
        learned: dict[str, Learned] = {}
        blocks: list[Own] = [np.zeros((len(base.dense), 0), np.float32)]
        if outputs is not None:
            for column, source in base.sources.items():
                learned[column], block = learn(source, outputs, seed)
                blocks.append(block.astype(np.float32))
        return cls(tables, learned), np.hstack(blocks)

    @property
    def names(self) -> tuple[str, ...]:
        """What each dense feature of a matrix is, in words."""
        means = (
            f"{column} (target mean {number + 1})"
            for column, learned in self.learned.items()
            for number in range(learned.outputs)
        )
        return (*self.tables.names, *means)

    def transform(self, frame: pd.DataFrame) -> Matrix:
        """Make the matrix of rows never seen in training; columns are found by name."""
        return self.matrix(self.tables.apply(frame))

    def matrix(self, base: Base, own: Own | None = None) -> Matrix:
        """Make the matrix of rows.

        Args:
            base: the rows.
            own: what `learn` gave, when these are the rows the features were learnt from: their
                target features must be those learnt without the row itself. None for other rows.
        """
        from scipy import sparse

        if own is None:
            blocks = [apply_to(one, base.sources[column]) for column, one in self.learned.items()]
            own = np.hstack([np.zeros((len(base.dense), 0)), *blocks]).astype(np.float32)
        texts = [s for s in base.sources.values() if not isinstance(s, LevelCodes)]
        return Matrix(
            dense=np.hstack([base.dense, own]),
            categorical=np.concatenate(
                [self.tables.flags(LevelsColumn), np.zeros(own.shape[1], dtype=bool)]
            ),
            sparse=sparse.csr_array(sparse.hstack(texts, format="csr")) if texts else None,
            linear=np.concatenate([~self.tables.flags(TextColumn), *self._means_flags()]),
        )

    def state(self) -> tuple[JsonDict, dict[str, Array]]:
        """Give the fold's own JSON facts and arrays; `tables` is stored apart."""
        arrays: dict[str, Array] = {}
        columns: list[JsonValue] = []
        for number, (column, one) in enumerate(self.learned.items()):
            if isinstance(one, LevelMeans):
                columns.append({"column": column, "form": "means"})
                arrays[f"{number}.means"] = one.means
            else:
                columns.append({"column": column, "form": "effects"})
                arrays[f"{number}.effects"] = one.effects
                arrays[f"{number}.start"] = one.start
        return {"learned": columns}, arrays

    @classmethod
    def from_state(
        cls, facts: Mapping[str, JsonValue], arrays: Mapping[str, Array], tables: Tables
    ) -> Features:
        """Read back what `state` gave.

        Raises:
            KeyError, TypeError, ValueError: when parts are missing or of another type.
        """
        columns = facts["learned"]
        if not isinstance(columns, list):
            raise TypeError("target features are no list")
        learned: dict[str, Learned] = {}
        for number, told in enumerate(columns):
            if not isinstance(told, dict):
                raise TypeError("a target feature is no object")
            taken = [
                np.asarray(arrays[f"{number}.{name}"], dtype=np.float64)
                for name in (("means",) if told["form"] == "means" else ("effects", "start"))
            ]
            sort = LevelMeans if told["form"] == "means" else TermEffects
            learned[str(told["column"])] = sort(*taken)
        return cls(tables, learned)

    def _means_flags(self) -> list[Bools]:
        """Say of each target feature whether the linear member uses it; it reads texts itself."""
        return [np.full(one.outputs, isinstance(one, LevelMeans)) for one in self.learned.values()]


def matrices(parts: Sequence[Features], frame: pd.DataFrame) -> Iterator[Matrix]:
    """Make each fold's matrix of new rows; what the folds share is done once."""
    base = parts[0].tables.apply(frame)
    for features in parts:
        yield features.matrix(base)
