"""Lay trees out in the form `splits` reads: parents first, thresholds once per feature.

Where the trees come from is left to `packing`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from desktop.jobs.ml.packed import Array, Bools, Floats
from desktop.jobs.ml.splits import Whole


@dataclass(frozen=True, slots=True)
class Tree:
    """One tree in the node order of whoever grew it; node 0 is the root."""

    left: Whole
    """[nodes]; -1 for a leaf."""
    right: Whole
    feature: Whole
    threshold: Floats
    missing_left: Bools
    is_set: Bools
    sets: npt.NDArray[np.uint8]
    """[nodes, CATEGORIES_MAX / 8]: bits of the categories that go left."""
    values: Floats
    """[nodes, values per leaf]."""


def lay_out(trees: list[Tree], categories: list[Floats]) -> dict[str, Array]:
    """Lay trees one after another in the form `splits` reads."""
    placed = [(tree, *_parents_first(tree)) for tree in trees]
    splits = [(tree, order[right > 0]) for tree, order, right in placed]
    leaves = [(tree, order[right == 0]) for tree, order, right in placed]
    feature = np.concatenate([tree.feature[nodes] for tree, nodes in splits])
    threshold = np.concatenate([tree.threshold[nodes] for tree, nodes in splits])
    is_set = np.concatenate([tree.is_set[nodes] for tree, nodes in splits])
    cuts, cut_starts, rank = _cuts(feature, threshold, is_set, len(categories))
    return {
        "tree_starts": np.cumsum([0, *(len(order) for _, order, _ in placed)]),
        "right": narrow(np.concatenate([right for _, _, right in placed])),
        "feature": narrow(feature),
        "rank": narrow(rank),
        "missing_left": np.concatenate([tree.missing_left[nodes] for tree, nodes in splits]),
        "is_set": is_set,
        "sets": np.concatenate([tree.sets[nodes[tree.is_set[nodes]]] for tree, nodes in splits]),
        "cuts": cuts,
        "cut_starts": cut_starts,
        "categories": np.concatenate([*categories, np.zeros(0)]),
        "category_starts": np.cumsum([0, *map(len, categories)]),
        "values": np.concatenate([tree.values[nodes] for tree, nodes in leaves]),
    }


def _parents_first(tree: Tree) -> tuple[Whole, Whole]:
    """Order nodes so that each left child follows its parent.

    Returns the old number of each new node, and each new node's right child (0 for a leaf).
    """
    order: list[int] = []
    right_parent: list[tuple[int, int]] = []
    waiting = [(0, -1)]
    left, right = tree.left.tolist(), tree.right.tolist()
    while waiting:
        node, parent = waiting.pop()
        if parent >= 0:
            right_parent.append((parent, len(order)))
        while left[node] >= 0:
            waiting.append((right[node], len(order)))
            order.append(node)
            node = left[node]
        order.append(node)
    rights = np.zeros(len(order), dtype=np.int64)
    for parent, child in right_parent:
        rights[parent] = child
    return np.array(order, dtype=np.int64), rights


def _cuts(
    feature: Whole, threshold: Floats, is_set: Bools, features: int
) -> tuple[Floats, Whole, Whole]:
    """Sort each feature's thresholds and give every split the rank of its own."""
    runs: list[Floats] = []
    rank = np.zeros(len(feature), dtype=np.int64)
    by_feature = np.argsort(feature, kind="stable")
    by_feature = by_feature[~is_set[by_feature]]
    borders = np.searchsorted(feature[by_feature], np.arange(features + 1))
    for one in range(features):
        here = by_feature[borders[one] : borders[one + 1]]
        run, rank[here] = np.unique(threshold[here], return_inverse=True)
        runs.append(run)
    return np.concatenate([*runs, np.zeros(0)]), np.cumsum([0, *map(len, runs)]), rank


def narrow(numbers: Whole) -> Array:
    """Store whole numbers, none negative, in as few bytes as they need."""
    return numbers.astype(np.min_scalar_type(int(numbers.max(initial=0))))
