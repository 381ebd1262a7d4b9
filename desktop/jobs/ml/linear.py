"""Linear members: the preparation they are fitted on, and their prediction without scikit-learn.

`Design` turns a matrix into what a linear model needs (filled, standardised, one column per
category). Fitting the weights is left to `members`; here they are only applied.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from pydantic import JsonValue

from desktop.jobs.ml.packed import (
    Array,
    Bools,
    Floats,
    JsonDict,
    Matrix,
    Numbers,
    Packed,
    SparseRows,
    count_of,
    damaged,
    floats,
    softmax,
    starts,
    two_classes,
    whole_numbers,
)

if TYPE_CHECKING:
    from scipy import sparse

RARE_ROWS = 5
"""A category seen in fewer rows gets no column of its own."""
SPARSE_WEIGHT = 3.0
"""Tf-idf rows have length 1, standardised columns about 1 each: text would drown without it."""
DEVIATIONS_MAX = 20.0
"""Standardised values are cut here, so one absurd number cannot decide a prediction alone."""
DENSE_COLUMNS_MAX = 200
"""A wider design is given to the solver as a sparse matrix."""
FEATURES_MAX = 1_000_000
OUTPUTS_MAX = 10_000


@dataclass(frozen=True, slots=True)
class Design:
    """How a matrix becomes the columns of a linear model; learnt from training rows."""

    numbers: npt.NDArray[np.int64]
    """Which features are used as numbers."""
    medians: Floats
    means: Floats
    deviations: Floats
    categories: npt.NDArray[np.int64]
    """Which features are used as categories."""
    codes: Floats
    """Codes that have a column, feature after feature; NaN stands for "missing"."""
    code_starts: npt.NDArray[np.int64]
    """[categories + 1]: where each feature's run of `codes` begins."""
    sparse_columns: int
    """How many columns the text block adds."""

    @classmethod
    def fit(cls, matrix: Matrix, columns: Bools | None = None) -> Design:
        """Learn medians, spreads and the common categories.

        Args:
            matrix: the training rows.
            columns: bool [features], the dense features to use; None uses all.
        """
        used = np.ones(matrix.dense.shape[1], dtype=bool) if columns is None else columns
        numbers = np.flatnonzero(used & ~matrix.categorical)
        categories = np.flatnonzero(used & matrix.categorical)
        values = _finite(matrix.dense[:, numbers])
        known = ~np.all(np.isnan(values), axis=0) if len(values) else np.zeros(len(numbers), bool)
        numbers, values = numbers[known], values[:, known]
        medians = np.nanmedian(values, axis=0) if values.size else np.zeros(len(numbers))
        filled = np.where(np.isnan(values), medians, values)
        deviations = filled.std(axis=0)
        runs = [_common_codes(matrix.dense[:, feature]) for feature in categories]
        return cls(
            numbers=numbers,
            medians=medians,
            means=filled.mean(axis=0) if filled.size else np.zeros(len(numbers)),
            deviations=np.where(deviations > 0, deviations, 1.0),
            categories=categories,
            codes=np.concatenate([*runs, np.zeros(0)]),
            code_starts=np.cumsum([0, *map(len, runs)]),
            sparse_columns=0 if matrix.sparse is None else matrix.sparse.shape[1],
        )

    @property
    def width(self) -> int:
        """How many columns `transform` gives."""
        return len(self.numbers) + len(self.codes) + self.sparse_columns

    def transform(self, matrix: Matrix) -> Floats | sparse.csr_array:
        """Make the columns for a solver: numbers, then categories, then text.

        Narrow designs without text come as float64 [rows, width], others as CSR.
        """
        scaled = self.scaled(matrix)
        places = self.places(matrix)
        if matrix.sparse is None and self.width <= DENSE_COLUMNS_MAX:
            marks = np.zeros((len(scaled), len(self.codes)))
            rows, features = np.nonzero(places >= 0)
            marks[rows, places[rows, features]] = 1.0
            return np.hstack([scaled, marks])
        return self._wide(scaled, places, matrix.sparse)

    def _wide(
        self, scaled: Floats, places: npt.NDArray[np.int64], text: SparseRows | None
    ) -> sparse.csr_array:
        from scipy import sparse

        rows, features = np.nonzero(places >= 0)
        shape = (len(scaled), len(self.codes))
        marks = sparse.csr_array((np.ones(len(rows)), (rows, places[rows, features])), shape=shape)
        blocks = [sparse.csr_array(scaled), marks]
        if text is not None:
            block = sparse.csr_array((text.data, text.indices, text.indptr), shape=text.shape)
            blocks.append(block * SPARSE_WEIGHT)
        return sparse.csr_array(sparse.hstack(blocks, format="csr"))

    def scaled(self, matrix: Matrix) -> Floats:
        """Fill and standardise the numbers: float64 [rows, numbers]."""
        values = _finite(matrix.dense[:, self.numbers])
        filled = np.where(np.isnan(values), self.medians, values)
        steps = (filled - self.means) / self.deviations
        return np.clip(steps, -DEVIATIONS_MAX, DEVIATIONS_MAX)

    def places(self, matrix: Matrix) -> npt.NDArray[np.int64]:
        """Find each category's place in `codes`: int64 [rows, categories], -1 where it has none."""
        places = np.full((len(matrix.dense), len(self.categories)), -1, dtype=np.int64)
        for position, feature in enumerate(self.categories):
            start, end = self.code_starts[position : position + 2]
            found = place_of(self.codes[start:end], matrix.dense[:, feature])
            places[:, position] = np.where(found >= 0, found + start, -1)
        return places

    def pack(self) -> tuple[JsonDict, dict[str, Array]]:
        """Give the facts and arrays `unpack` reads."""
        facts: JsonDict = {"sparse_columns": self.sparse_columns}
        names = ("numbers", "medians", "means", "deviations", "categories", "codes", "code_starts")
        return facts, {name: getattr(self, name) for name in names}

    @classmethod
    def unpack(cls, facts: Mapping[str, JsonValue], arrays: Mapping[str, Array]) -> Design:
        """Read back what `pack` gave.

        Raises:
            BadInput: `model_damaged`, when the parts contradict each other.
        """
        numbers = whole_numbers(arrays, "numbers", at_most=FEATURES_MAX)
        categories = whole_numbers(arrays, "categories", at_most=FEATURES_MAX)
        codes = floats(arrays, "codes")
        per_number = [floats(arrays, name) for name in ("medians", "means", "deviations")]
        code_starts = starts(arrays, "code_starts", total=len(codes))
        if any(len(column) != len(numbers) for column in per_number):
            raise damaged("the linear part has more or fewer scales than numbers")
        if len(code_starts) != len(categories) + 1:
            raise damaged("the linear part has more or fewer code lists than categories")
        medians, means, deviations = per_number
        return cls(
            numbers=numbers,
            medians=medians,
            means=means,
            deviations=deviations,
            categories=categories,
            codes=codes,
            code_starts=code_starts,
            sparse_columns=count_of(facts, "sparse_columns", at_most=FEATURES_MAX),
        )


def _finite(values: Numbers) -> Floats:
    """Treat infinities as missing: a division by zero in a spreadsheet is no measurement."""
    return np.where(np.isfinite(values), values, np.nan).astype(np.float64)


def _common_codes(values: Numbers) -> Floats:
    codes, rows = np.unique(values, return_counts=True, equal_nan=True)
    return np.asarray(codes[rows >= RARE_ROWS], dtype=np.float64)


def place_of(known: Floats, values: Numbers) -> npt.NDArray[np.int64]:
    """Find each value in a sorted list whose last entry may be NaN; -1 where it is not in it."""
    missing_place = len(known) - 1 if len(known) and np.isnan(known[-1]) else -1
    codes = known[:missing_place] if missing_place >= 0 else known
    if len(codes) == 0:
        return np.where(np.isnan(values), missing_place, -1)
    guess = np.searchsorted(codes, values).clip(0, len(codes) - 1)
    found = np.where(codes[guess] == values, guess, -1)
    return np.where(np.isnan(values), missing_place, found)


class LinearPredictor:
    """A linear member read from arrays."""

    def __init__(self, packed: Packed) -> None:
        """Check and take the weights.

        Raises:
            BadInput: `model_damaged`.
        """
        self._design = Design.unpack(packed.facts, packed.arrays)
        self._weights = floats(packed.arrays, "weights", dimensions=2)
        self._offsets = floats(packed.arrays, "offsets")
        self._link = packed.facts.get("link")
        if self._weights.shape != (self._design.width, len(self._offsets)):
            raise damaged("the linear part has more or fewer weights than columns")
        if self._link not in ("identity", "logit", "softmax"):
            raise damaged("the linear part ends in an unknown way")
        if len(self._offsets) == 0 or (self._link == "logit" and len(self._offsets) != 1):
            raise damaged("the linear part has the wrong number of outputs")

    @property
    def outputs(self) -> int:
        """How many columns `predict` gives."""
        return 2 if self._link == "logit" else len(self._offsets)

    @property
    def features_needed(self) -> int:
        """The least number of dense features a matrix must have."""
        used = np.concatenate([self._design.numbers, self._design.categories])
        return int(used.max()) + 1 if len(used) else 0

    def predict(self, matrix: Matrix) -> Floats:
        """Predict probabilities [rows, classes], or values [rows, 1]."""
        scores = self._scores(matrix)
        if self._link == "identity":
            return scores
        return two_classes(scores[:, 0]) if self._link == "logit" else softmax(scores)

    def _scores(self, matrix: Matrix) -> Floats:
        design = self._design
        first_code = len(design.numbers)
        first_term = first_code + len(design.codes)
        scores = design.scaled(matrix) @ self._weights[:first_code] + self._offsets
        # A last row of zeros is what place -1 (no column of its own) picks.
        code_weights = np.vstack([self._weights[first_code:first_term], np.zeros(scores.shape[1])])
        for places in design.places(matrix).T:
            scores += code_weights[places]
        if design.sparse_columns and matrix.sparse is not None:
            scores += _times(matrix.sparse, self._weights[first_term:] * SPARSE_WEIGHT)
        return scores


def _times(rows: SparseRows, weights: Floats) -> Floats:
    """Multiply CSR rows [rows, terms] by weights [terms, outputs]."""
    lengths = np.diff(rows.indptr)
    owners = np.repeat(np.arange(len(lengths)), lengths)
    product = np.empty((len(lengths), weights.shape[1]))
    for output in range(weights.shape[1]):
        parts = rows.data * weights[rows.indices, output]
        product[:, output] = np.bincount(owners, weights=parts, minlength=len(lengths))
    return product
