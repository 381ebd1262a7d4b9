"""The splits of a member's trees, read from arrays and checked; `trees` walks them.

Trees lie one after another. Each tree lists its nodes parent first, so the left child of node i
is i + 1 and only right children are stored (0 marks a leaf). Thresholds are kept once per
feature, sorted (`cuts`); a split stores the rank of its cut. `packing` writes this form.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from desktop.jobs.ml.packed import Array, Bools, Floats, damaged, floats, starts, whole_numbers

Whole = npt.NDArray[np.int64]

NODES_MAX = 50_000_000
TREES_MAX = 1_000_000
FEATURES_MAX = 1_000_000
DEPTH_MAX = 5_000
"""Deeper trees are refused: each level costs a pass over the rows."""
CATEGORIES_MAX = 256
"""A set of categories is stored as this many bits."""


@dataclass(frozen=True, slots=True)
class Splits:
    """All splits of a member. Entries per split are in node order."""

    tree_starts: Whole
    """[trees + 1] into `right`."""
    split_starts: Whole
    """[trees + 1]: how many splits come before each tree."""
    depths: Whole
    """[trees]: the longest way from root to leaf."""
    right: Whole
    """[nodes]: the right child counted from the tree's first node; 0 for a leaf."""
    column: Whole
    """[splits] into `features` and `missing_left`; for a set, into `sets`."""
    rank: npt.NDArray[np.int32]
    """[splits]: rank of the cut, 0 for a set; rows with a higher rank go right."""
    is_set: Bools
    """[splits]: whether the split asks for a set of categories."""
    features: Whole
    """[columns]: the dense feature behind each column of ranks."""
    missing_left: Bools
    """[columns]: where rows without a value go."""
    cuts: Floats
    cut_starts: Whole
    """[features + 1] into `cuts`."""
    sets: Bools
    """[sets, CATEGORIES_MAX + 1]: True goes right; the last entry is for missing values."""
    set_owners: Whole
    """[sets] into `category_features`."""
    category_features: Whole
    """The dense features asked for sets."""
    categories: tuple[Floats, ...]
    """Sorted codes of each of `category_features`; a code's place is its bit in a set."""

    @classmethod
    def unpack(cls, arrays: Mapping[str, Array]) -> Splits:
        """Read splits and make sure that walking them ends inside the arrays.

        Raises:
            BadInput: `model_damaged`.
        """
        right = whole_numbers(arrays, "right", at_most=NODES_MAX)
        tree_starts = starts(arrays, "tree_starts", total=len(right))
        depths = _depths(right, tree_starts)
        is_split = right > 0
        feature = whole_numbers(arrays, "feature", at_most=FEATURES_MAX)
        cuts = floats(arrays, "cuts")
        cut_starts = starts(arrays, "cut_starts", total=len(cuts))
        is_set = whole_numbers(arrays, "is_set", at_most=1).astype(bool)
        rank = whole_numbers(arrays, "rank", at_most=NODES_MAX)
        missing_left = whole_numbers(arrays, "missing_left", at_most=1).astype(bool)
        if any(len(one) != np.count_nonzero(is_split) for one in (feature, is_set, rank)):
            raise damaged("the trees have more or fewer splits than nodes that split")
        if len(missing_left) != len(feature) or len(depths) > TREES_MAX:
            raise damaged("the trees do not say where missing values go")
        if len(feature) and feature.max() >= len(cut_starts) - 1:
            raise damaged("a tree asks for a column the model does not have")
        _check_cuts(cuts, cut_starts, feature[~is_set], rank[~is_set])
        columns, column = _columns(feature, is_set, missing_left)
        sets = _sets(arrays, missing_left[is_set])
        owners, set_owners = np.unique(feature[is_set], return_inverse=True)
        return cls(
            tree_starts=tree_starts,
            split_starts=np.concatenate([[0], np.cumsum(is_split)])[tree_starts],
            depths=depths,
            right=right,
            column=column,
            rank=np.where(is_set, 0, rank).astype(np.int32),
            is_set=is_set,
            features=columns // 2,
            missing_left=(columns % 2).astype(bool),
            cuts=cuts,
            cut_starts=cut_starts,
            sets=sets,
            set_owners=set_owners,
            category_features=owners,
            categories=_categories(arrays, owners, len(cut_starts) - 1),
        )

    @property
    def trees(self) -> int:
        return len(self.depths)

    @property
    def leaves(self) -> int:
        return int(np.count_nonzero(self.right == 0))

    @property
    def sets_per_tree_max(self) -> int:
        """The most sets any one tree asks for."""
        before = np.concatenate([[0], np.cumsum(self.is_set)])[self.split_starts]
        return int(np.diff(before).max(initial=0))

    @property
    def features_needed(self) -> int:
        """The least number of dense features a matrix must have."""
        used = np.concatenate([self.features, self.category_features])
        return int(used.max()) + 1 if len(used) else 0


def _depths(right: Whole, tree_starts: Whole) -> Whole:
    """Check that the nodes form trees and measure them: int64 [trees].

    A right child must lie behind its parent's left child, inside its own tree, and every node
    but the roots must be the child of exactly one parent; so no walk can run in a circle.
    """
    sizes = np.diff(tree_starts)
    if len(right) == 0 or np.any(sizes < 1):
        raise damaged("a tree has no nodes")
    tree = np.repeat(np.arange(len(sizes)), sizes)
    own = np.arange(len(right))
    parents = np.flatnonzero(right > 0)
    target = right + tree_starts[tree]
    if np.any(target[parents] <= own[parents] + 1) or np.any(
        target[parents] >= tree_starts[tree[parents] + 1]
    ):
        raise damaged("a tree points outside itself")
    children = np.concatenate([parents + 1, target[parents]])
    times = np.bincount(children, minlength=len(right))
    wanted = np.ones(len(right), dtype=np.int64)
    wanted[tree_starts[:-1]] = 0
    if not np.array_equal(times, wanted):
        raise damaged("a tree runs in a circle or has loose ends")
    return _levels(right, target, tree, tree_starts[:-1])


def _levels(right: Whole, target: Whole, tree: Whole, roots: Whole) -> Whole:
    depths = np.zeros(len(roots), dtype=np.int64)
    level = roots[right[roots] > 0]
    for depth in range(1, DEPTH_MAX + 1):
        if not len(level):
            return depths
        depths[tree[level]] = depth
        level = np.concatenate([level + 1, target[level]])
        level = level[right[level] > 0]
    raise damaged(f"a tree is deeper than {DEPTH_MAX} levels")


def _check_cuts(cuts: Floats, cut_starts: Whole, feature: Whole, rank: Whole) -> None:
    counts = np.diff(cut_starts)
    if len(feature) and np.any(rank >= counts[feature]):
        raise damaged("a tree asks for a threshold the model does not have")
    if np.any(np.isnan(cuts)):
        raise damaged("a threshold is no number")
    inside = np.ones(max(len(cuts) - 1, 0), dtype=bool)
    borders = cut_starts[(cut_starts > 0) & (cut_starts < len(cuts))]
    inside[borders - 1] = False
    if np.any(cuts[1:][inside] <= cuts[:-1][inside]):
        raise damaged("the thresholds are out of order")


def _columns(feature: Whole, is_set: Bools, missing_left: Bools) -> tuple[Whole, Whole]:
    """Give one column to each feature and way of missing values: 2 · feature + left."""
    keys, places = np.unique((2 * feature + missing_left)[~is_set], return_inverse=True)
    column = np.empty(len(feature), dtype=np.int64)
    column[~is_set] = places
    column[is_set] = np.arange(np.count_nonzero(is_set))
    return keys, column


def _sets(arrays: Mapping[str, Array], missing_left: Bools) -> Bools:
    bits = arrays.get("sets")
    shape = (len(missing_left), CATEGORIES_MAX // 8)
    if bits is None or bits.dtype != np.uint8 or bits.shape != shape:
        raise damaged("the sets of categories do not fit the trees")
    goes_left = np.unpackbits(bits.astype(np.uint8), axis=1).astype(bool)
    return ~np.column_stack([goes_left, missing_left])


def _categories(arrays: Mapping[str, Array], owners: Whole, features: int) -> tuple[Floats, ...]:
    codes = floats(arrays, "categories")
    code_starts = starts(arrays, "category_starts", total=len(codes))
    if len(code_starts) != features + 1:
        raise damaged("the categories do not fit the columns")
    runs = tuple(codes[code_starts[owner] : code_starts[owner + 1]] for owner in owners)
    for run in runs:
        if len(run) > CATEGORIES_MAX or np.any(np.isnan(run)) or np.any(np.diff(run) <= 0):
            raise damaged("a list of categories is too long or out of order")
    return runs
