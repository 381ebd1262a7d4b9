"""What a trained member is once it is data: a form, a few JSON facts, and plain arrays.

`packing` makes these from fitted estimators, `array_file` stores them, `trees` and `linear`
predict from them. Nothing here knows scikit-learn.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
from pydantic import JsonValue

from shared.errors import BadInput

Array = npt.NDArray[np.generic]
Floats = npt.NDArray[np.float64]
Numbers = npt.NDArray[np.floating[Any]]
Bools = npt.NDArray[np.bool_]
JsonDict = dict[str, JsonValue]


class SparseRows(Protocol):
    """The part of a scipy CSR array that is read here."""

    data: Floats
    indices: npt.NDArray[np.int32]
    indptr: npt.NDArray[np.int32]

    @property
    def shape(self) -> tuple[int, int]: ...


class Matrix(Protocol):
    """Rows as numbers, as `features.Features.transform` makes them."""

    @property
    def dense(self) -> Numbers:
        """Float32 or float64 [rows, features]; NaN is missing, or an unseen category."""

    @property
    def categorical(self) -> Bools:
        """Say which features are codes of categories: bool [features]."""

    @property
    def sparse(self) -> SparseRows | None:
        """[rows, terms] of the text columns; None when there is no text."""


class Predictor(Protocol):
    """A member that can predict."""

    @property
    def outputs(self) -> int:
        """How many columns `predict` gives."""

    @property
    def features_needed(self) -> int:
        """The least number of dense features a matrix must have."""

    def predict(self, matrix: Matrix) -> Floats:
        """Predict probabilities [rows, classes], or values [rows, 1]."""


@dataclass(frozen=True, slots=True)
class Packed:
    """One member as data."""

    form: str
    """"trees", "linear" or "constant": which module reads it."""
    facts: JsonDict = field(default_factory=dict)
    arrays: Mapping[str, Array] = field(default_factory=dict)


def damaged(what: str) -> BadInput:
    """Phrase that stored numbers contradict each other, so the model is not used."""
    return BadInput(
        "model_damaged",
        f"This model's file is damaged: {what}.",
        "Train it again, or restore its folder from a backup.",
    )


def floats(arrays: Mapping[str, Array], name: str, *, dimensions: int = 1) -> Floats:
    """Take a float64 array of these dimensions.

    Raises:
        BadInput: `model_damaged`, when it is missing or of another type or shape.
    """
    array = arrays.get(name)
    if array is None or array.dtype != np.float64 or array.ndim != dimensions:
        raise damaged(f"'{name}' is not a table of numbers with {dimensions} dimensions")
    return array.astype(np.float64, copy=False)


def whole_numbers(
    arrays: Mapping[str, Array], name: str, *, at_least: int = 0, at_most: int
) -> npt.NDArray[np.int64]:
    """Take a one-dimensional integer array whose values all lie in a range.

    Raises:
        BadInput: `model_damaged`, when it is missing, of another type, or out of range.
    """
    array = arrays.get(name)
    if array is None or array.dtype.kind not in "iub" or array.ndim != 1:
        raise damaged(f"'{name}' is not a list of whole numbers")
    numbers = array.astype(np.int64)
    if array.size and (numbers.min() < at_least or numbers.max() > at_most):
        raise damaged(f"'{name}' points outside its range {at_least} to {at_most}")
    return numbers


def starts(arrays: Mapping[str, Array], name: str, *, total: int) -> npt.NDArray[np.int64]:
    """Take the starts of consecutive runs: from 0, never falling, ending at `total`.

    Raises:
        BadInput: `model_damaged`.
    """
    numbers = whole_numbers(arrays, name, at_most=total)
    if numbers.size == 0 or numbers[0] != 0 or numbers[-1] != total or np.any(np.diff(numbers) < 0):
        raise damaged(f"'{name}' does not divide {total} entries")
    return numbers


def count_of(facts: Mapping[str, JsonValue], name: str, *, at_most: int) -> int:
    """Take a whole number from 0 to `at_most`.

    Raises:
        BadInput: `model_damaged`.
    """
    value = facts.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= at_most:
        raise damaged(f"'{name}' is not a number from 0 to {at_most}")
    return value


def softmax(scores: Floats) -> Floats:
    """Turn scores [rows, classes] into probabilities that add up to 1 in each row."""
    shifted = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(shifted / shifted.sum(axis=1, keepdims=True), dtype=np.float64)


def two_classes(scores: Floats) -> Floats:
    """Turn log-odds [rows] of the second class into probabilities [rows, 2]."""
    # exp of a large positive number overflows, so each half uses the form that cannot.
    small = np.exp(-np.abs(scores))
    second = np.where(scores >= 0, 1.0 / (1.0 + small), small / (1.0 + small))
    return np.column_stack([1.0 - second, second])
