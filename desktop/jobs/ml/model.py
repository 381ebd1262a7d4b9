"""A trained model: what `blend` fitted, as parts that can be stored, and predicting from them.

    Fitted --parts_of--> (structure, arrays) --Model.of--> Model --predict--> Prediction

Opening and predicting need no scikit-learn. Where the parts are stored is left to
`model_folder`; what a person reads of a prediction, to `predict`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError

from desktop.jobs.ml.manifest import FORMAT_VERSION, Task, too_new
from desktop.jobs.ml.packed import Array, Floats, JsonDict, Matrix, Packed, Predictor, damaged
from desktop.jobs.ml.packing import pack, unpack

if TYPE_CHECKING:
    import pandas as pd

    from desktop.jobs.ml.features import Features
    from desktop.jobs.ml.fitted import Fitted

BLOCK_ROWS = 16_384
"""Rows predicted at once; bounds the memory of wide text features."""
COVERAGE = 0.9
"""How many of the true values intervals are meant to hold."""
CLASSES_MAX = 10_000


class Part(BaseModel):
    """JSON facts, and which arrays of the file belong to them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    form: str = ""
    facts: dict[str, JsonValue] = Field(default_factory=dict)
    arrays: dict[str, int] = Field(default_factory=dict)


class Fold(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    features: Part
    members: dict[str, Part]


class Structure(BaseModel):
    """How the arrays of a model file make a model."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format_version: int
    task: Task
    classes: tuple[str, ...]
    threshold: float | None
    interval: float | None
    """Half the width of intervals that hold `COVERAGE` of the true values."""
    weights: dict[str, float]
    tables: Part
    folds: tuple[Fold, ...] = Field(min_length=1)


@dataclass(frozen=True, slots=True)
class Prediction:
    """What a model says of some rows."""

    classes: tuple[str, ...]
    probabilities: Floats | None
    """[rows, classes]; None for a regression."""
    labels: npt.NDArray[np.object_] | None
    """[rows]: the chosen class; None for a regression."""
    values: Floats | None
    """[rows]; None for a classification, as are `lower` and `upper`."""
    lower: Floats | None
    upper: Floats | None

    @property
    def rows(self) -> int:
        first = self.probabilities if self.probabilities is not None else self.values
        assert first is not None
        return len(first)


class _Shelf:
    """Collects arrays and gives each its number."""

    def __init__(self) -> None:
        self.arrays: list[Array] = []

    def put(self, facts: JsonDict, arrays: Mapping[str, Array], form: str = "") -> Part:
        numbers = {}
        for name, array in arrays.items():
            numbers[name] = len(self.arrays)
            self.arrays.append(array)
        return Part(form=form, facts=facts, arrays=numbers)


def parts_of(fitted: Fitted) -> tuple[JsonValue, list[Array]]:
    """Turn a fitted blend into a JSON structure and arrays; members of weight 0 are left out."""
    shelf = _Shelf()
    classes = tuple(fitted.classes or ())
    weights = {name: float(weight) for name, weight in fitted.weights.items() if weight > 0}
    tables = shelf.put(*fitted.folds[0].features.tables.state())
    folds = []
    for part in fitted.folds:
        assert part.features.tables is fitted.folds[0].features.tables, "folds share their tables"
        features = shelf.put(*part.features.state())
        packed = {name: pack(part.members[name], len(classes)) for name in weights}
        members = {name: shelf.put(one.facts, one.arrays, one.form) for name, one in packed.items()}
        folds.append(Fold(features=features, members=members))
    structure = Structure(
        format_version=FORMAT_VERSION,
        task=fitted.task,
        classes=classes,
        threshold=fitted.threshold,
        interval=fitted.conformal.get(str(COVERAGE)),
        weights=weights,
        tables=tables,
        folds=tuple(folds),
    )
    return structure.model_dump(mode="json"), shelf.arrays


class Model:
    """A model that is open: it predicts."""

    def __init__(
        self,
        structure: Structure,
        features: Sequence[Features],
        members: Sequence[Mapping[str, Predictor]],
    ) -> None:
        self.task = structure.task
        self.classes = structure.classes
        self.threshold = structure.threshold
        self._interval = structure.interval
        self._weights = structure.weights
        self._features = features
        self._members = members

    @classmethod
    def of(cls, structure: JsonValue, arrays: Sequence[Array]) -> Model:
        """Put a model together from what `parts_of` gave.

        Raises:
            BadInput: `model_damaged` when the parts contradict each other; `model_too_new`.
        """
        from desktop.jobs.ml.features import Features, Tables

        parsed = _parse(structure)
        outputs = len(parsed.classes) or 1
        try:
            tables = Tables.from_state(*_taken(parsed.tables, arrays))
            features = [
                Features.from_state(*_taken(fold.features, arrays), tables) for fold in parsed.folds
            ]
        except (KeyError, ValueError, TypeError, IndexError, AttributeError) as error:
            raise damaged(f"its features do not fit together ({type(error).__name__})") from None
        members = []
        for fold in parsed.folds:
            if fold.members.keys() != parsed.weights.keys():
                raise damaged("a fold has other members than the blend")
            packed = {
                name: Packed(part.form, *_taken(part, arrays))
                for name, part in fold.members.items()
            }
            members.append({name: unpack(one, outputs) for name, one in packed.items()})
        model = cls(parsed, features, members)
        model._try_out()
        return model

    def _try_out(self) -> None:
        """Predict one row of gaps: whatever the parts disagree about shows here, not midway."""
        import pandas as pd

        frame = pd.DataFrame(index=[0], columns=list(self.columns), dtype=object)
        try:
            for matrix, members in zip(self._matrices(frame), self._members, strict=True):
                width = matrix.dense.shape[1]
                if any(member.features_needed > width for member in members.values()):
                    raise damaged("a part asks for more features than there are")
            blended = self.blend(frame)
        except (KeyError, ValueError, TypeError, IndexError, AttributeError) as error:
            raise damaged(f"its parts do not fit together ({type(error).__name__})") from None
        if blended.shape != (1, len(self.classes) or 1) or not np.all(np.isfinite(blended)):
            raise damaged("it does not predict numbers")

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns a frame must have to be predicted."""
        return self._features[0].tables.columns

    def unseen_rows(self, frame: pd.DataFrame) -> npt.NDArray[np.bool_]:
        """Mark rows with a category that training never saw: bool [rows]."""
        from desktop.jobs.ml.features_columns import (
            LevelsColumn,
            ManyLevelsColumn,
            codes_of,
            levels_in,
        )

        unseen = np.zeros(len(frame), dtype=bool)
        for encoder in self._features[0].tables.encoders:
            if isinstance(encoder, LevelsColumn | ManyLevelsColumn):
                values = frame[encoder.column]
                is_told = levels_in(values)[0] >= 0
                unseen |= is_told & (codes_of(encoder.levels, values) < 0)
        return unseen

    def predict(self, frame: pd.DataFrame, told: Callable[[int], None] | None = None) -> Prediction:
        """Predict rows; columns are found by name, further ones ignored.

        Args:
            frame: rows as training saw them (the schema's names and kinds).
            told: called after each block with how many rows are done.
        """
        blocks = []
        for start in range(0, len(frame), BLOCK_ROWS):
            block = frame.iloc[start : start + BLOCK_ROWS]
            blocks.append(self.blend(block))
            if told is not None:
                told(start + len(block))
        width = len(self.classes) or 1
        return self._prediction(np.concatenate([np.zeros((0, width)), *blocks]))

    def blend(self, frame: pd.DataFrame) -> Floats:
        """Average the folds, each the weighted sum of its members: float64 [rows, outputs].

        Raises:
            BadInput: `model_damaged`, when arrays that only some values reach are too short.
        """
        total = np.zeros((len(frame), len(self.classes) or 1))
        try:
            for matrix, members in zip(self._matrices(frame), self._members, strict=True):
                for name, member in members.items():
                    total += self._weights[name] * member.predict(matrix)
        except (IndexError, ValueError) as error:
            raise damaged(f"its parts do not fit together ({type(error).__name__})") from error
        return total / len(self._members)

    def _matrices(self, frame: pd.DataFrame) -> Iterator[Matrix]:
        from desktop.jobs.ml.features import matrices

        yield from matrices(self._features, frame)

    def _prediction(self, blended: Floats) -> Prediction:
        if self.task == "regression":
            values = blended[:, 0]
            lower = upper = None
            if self._interval is not None:
                lower, upper = values - self._interval, values + self._interval
            return Prediction((), None, None, values, lower, upper)
        labels = np.array(self.classes, dtype=object)[self.chosen(blended)]
        return Prediction(self.classes, blended, labels, None, None, None)

    def chosen(self, probabilities: Floats) -> npt.NDArray[np.int64]:
        """Choose a class per row: by the threshold for two classes, else the most probable."""
        if self.task == "binary" and self.threshold is not None:
            return np.asarray(probabilities[:, 1] >= self.threshold, dtype=np.int64)
        return np.asarray(probabilities.argmax(axis=1), dtype=np.int64)


def _parse(structure: JsonValue) -> Structure:
    version = structure.get("format_version") if isinstance(structure, dict) else None
    if isinstance(version, int) and version > FORMAT_VERSION:
        raise too_new(version)
    try:
        parsed = Structure.model_validate(structure)
    except ValidationError as error:
        raise damaged(f"its structure has {error.error_count()} faults") from None
    wanted = {"binary": range(2, 3), "multiclass": range(3, CLASSES_MAX), "regression": range(1)}
    if len(parsed.classes) not in wanted[parsed.task]:
        raise damaged(f"{len(parsed.classes)} classes do not make a {parsed.task} model")
    weights = np.array([*parsed.weights.values()])
    if not len(weights) or not np.all(weights > 0) or abs(weights.sum() - 1.0) > 1e-6:
        raise damaged("the weights of its members do not add up to 1")
    return parsed


def _taken(part: Part, arrays: Sequence[Array]) -> tuple[JsonDict, dict[str, Array]]:
    if any(not 0 <= number < len(arrays) for number in part.arrays.values()):
        raise damaged("a part asks for an array that is not there")
    return part.facts, {name: arrays[number] for name, number in part.arrays.items()}
