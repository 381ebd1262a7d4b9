"""Predict from stored trees with numpy alone: gradient boosting and forests share this code.

Rows are first turned into ranks among each feature's thresholds (`Ranks`); that makes missing
values ordinary numbers. All rows of a block then walk down one tree after another, one level
at a time, as whole-array steps. Reading and checking the trees is left to `splits`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from desktop.jobs.ml.linear import place_of
from desktop.jobs.ml.packed import (
    Floats,
    Matrix,
    Numbers,
    Packed,
    damaged,
    floats,
    softmax,
    two_classes,
)
from desktop.jobs.ml.splits import CATEGORIES_MAX, Splits, Whole

OUTPUTS_MAX = 10_000
BLOCK_ROWS = 8_192
BLOCK_CELLS_MAX = 8_000_000
"""Ranks held at once (4 bytes each); wide tables are predicted in smaller blocks of rows."""
LINKS = ("identity", "logit", "softmax", "mean")

_RANK_MISSING_LEFT = -1
_RANK_MISSING_RIGHT = np.iinfo(np.int32).max - 1
_RANK_LEAF = np.iinfo(np.int32).max
"""No row's rank is higher, so at a leaf every row "goes left", which leads to the leaf again."""


@dataclass(frozen=True, slots=True)
class Ranks:
    """A block of rows, each cell as its rank among the cuts of its feature."""

    cells: npt.NDArray[np.int32]
    """[columns + room for one tree's sets, rows]."""
    places: Whole
    """[category features, rows]: bit of the category in sets, CATEGORIES_MAX when missing."""
    rows: Whole
    """[rows]: 0, 1, 2 …"""

    @classmethod
    def of(cls, dense: Numbers, splits: Splits) -> Ranks:
        """Rank the cells of float64 [rows, features]."""
        columns = len(splits.features)
        cells = np.empty((columns + splits.sets_per_tree_max, len(dense)), dtype=np.int32)
        for column, feature in enumerate(splits.features):
            values = dense[:, feature]
            start, end = splits.cut_starts[feature : feature + 2]
            cells[column] = np.searchsorted(splits.cuts[start:end], values, side="left")
            left = splits.missing_left[column]
            cells[column, np.isnan(values)] = _RANK_MISSING_LEFT if left else _RANK_MISSING_RIGHT
        places = np.empty((len(splits.category_features), len(dense)), dtype=np.int64)
        for position, feature in enumerate(splits.category_features):
            place = place_of(splits.categories[position], dense[:, feature])
            places[position] = np.where(place >= 0, place, CATEGORIES_MAX)
        return cls(cells, places, np.arange(len(dense)))


class TreePredictor:
    """A member made of trees, read from arrays."""

    def __init__(self, packed: Packed) -> None:
        """Check and take the trees.

        Raises:
            BadInput: `model_damaged`.
        """
        link = packed.facts.get("link")
        if not isinstance(link, str) or link not in LINKS:
            raise damaged("the trees end in an unknown way")
        self._link = link
        self._single_precision = packed.facts.get("single_precision") is True
        self._base = floats(packed.arrays, "base")
        self._values = floats(packed.arrays, "values", dimensions=2)
        self._splits = Splits.unpack(packed.arrays)
        per_leaf = len(self._base) if link == "mean" else 1
        if self._values.shape != (self._splits.leaves, per_leaf):
            raise damaged("the trees have more or fewer values than leaves")
        if not 0 < len(self._base) <= OUTPUTS_MAX:
            raise damaged("the trees have the wrong number of outputs")
        if link in ("identity", "logit") and len(self._base) != 1:
            raise damaged("the trees have the wrong number of outputs")

    @property
    def outputs(self) -> int:
        """How many columns `predict` gives."""
        return 2 if self._link == "logit" else len(self._base)

    @property
    def features_needed(self) -> int:
        """The least number of dense features a matrix must have."""
        return self._splits.features_needed

    def predict(self, matrix: Matrix) -> Floats:
        """Predict probabilities [rows, classes], or values [rows, 1]."""
        raw = self.raw(matrix.dense)
        match self._link:
            case "logit":
                return two_classes(raw[:, 0])
            case "softmax":
                return softmax(raw)
            case _:
                return raw

    def raw(self, dense: Numbers) -> Floats:
        """Add up the leaves each row falls into: float64 [rows, outputs].

        Boosting adds tree t to output t modulo outputs, in the order of training, so the sums
        are the same to the last bit; forests take the mean of all outputs of each leaf.
        """
        out = np.tile(self._base, (len(dense), 1))
        columns = len(self._splits.features) + self._splits.sets_per_tree_max
        step = max(1, min(BLOCK_ROWS, BLOCK_CELLS_MAX // max(1, columns)))
        for start in range(0, len(dense), step):
            self._add_leaves(dense[start : start + step], out[start : start + step])
        if self._link == "mean":
            out /= self._splits.trees
        return out

    def _add_leaves(self, dense: Numbers, out: Floats) -> None:
        if self._single_precision:
            # Forests were fitted on single precision numbers and compare those.
            dense = dense.astype(np.float32).astype(np.float64)
        ranks = Ranks.of(dense, self._splits)
        for tree in range(self._splits.trees):
            leaf = leaf_of_rows(self._splits, tree, ranks)
            if self._link == "mean":
                out += self._values.take(leaf, axis=0)
            else:
                out[:, tree % out.shape[1]] += self._values[:, 0].take(leaf)


def leaf_of_rows(splits: Splits, tree: int, ranks: Ranks) -> Whole:
    """Find the leaf of each row, counted over all trees: int64 [rows]."""
    first, end = splits.tree_starts[tree : tree + 2]
    first_split, end_split = splits.split_starts[tree : tree + 2]
    right = splits.right[first:end]
    parents = np.flatnonzero(right)
    column = _columns_of(splits, slice(first_split, end_split), ranks)
    offset = np.zeros(len(right), dtype=np.int64)
    offset[parents] = column * len(ranks.rows)
    limit = np.full(len(right), _RANK_LEAF, dtype=np.int32)
    limit[parents] = splits.rank[first_split:end_split]
    children = np.repeat(np.arange(len(right)), 2)
    children[2 * parents] = parents + 1
    children[2 * parents + 1] = right[parents]
    cells = ranks.cells.reshape(-1)
    node = np.zeros(len(ranks.rows), dtype=np.int64)
    for _ in range(splits.depths[tree]):
        cell = offset.take(node)
        cell += ranks.rows
        goes_right = cells.take(cell) > limit.take(node)
        node <<= 1
        node += goes_right
        node = children.take(node)
    leaf_number = np.cumsum(right == 0) - 1
    return np.asarray(leaf_number.take(node) + (first - first_split))


def _columns_of(splits: Splits, here: slice, ranks: Ranks) -> Whole:
    """Give the column of each split of a tree; sets are answered into the columns kept for them."""
    asks_set = splits.is_set[here]
    if not asks_set.any():
        return splits.column[here]
    column = splits.column[here].copy()
    numbers = column[asks_set]
    first = len(splits.features)
    for answer, number in enumerate(numbers):
        place = ranks.places[splits.set_owners[number]]
        ranks.cells[first + answer] = splits.sets[number].take(place)
    column[asks_set] = first + np.arange(len(numbers))
    return column
