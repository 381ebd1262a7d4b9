"""Turn fitted members into data and read them back.

The one place that looks inside scikit-learn's estimators, and only while training: what is
written can be predicted from for good, whatever scikit-learn becomes. Storing the data is left
to `model_folder`, its prediction to `trees` and `linear`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from desktop.jobs.ml.linear import Design, LinearPredictor
from desktop.jobs.ml.packed import (
    Array,
    Floats,
    JsonDict,
    Matrix,
    Packed,
    Predictor,
    damaged,
    floats,
)
from desktop.jobs.ml.splits import CATEGORIES_MAX
from desktop.jobs.ml.tree_layout import Tree, lay_out
from desktop.jobs.ml.trees import TreePredictor

Estimator = Any
"""A fitted scikit-learn estimator: a library without types, so it is looked into by name."""


@dataclass(frozen=True, slots=True)
class Constant:
    """The member that needs no columns: it says the same of every row."""

    values: Floats
    """Probabilities [classes], or one value."""


class OnDesign(Protocol):
    """A linear estimator together with the preparation it was fitted on."""

    @property
    def estimator(self) -> Estimator:
        """A LogisticRegression, Ridge or LinearRegression."""

    @property
    def design(self) -> Design: ...


def pack(member: Estimator | OnDesign | Constant, classes: int) -> Packed:
    """Turn a fitted member into data.

    Args:
        member: one of the estimators in `PACKERS`, a linear one with its design, or a `Constant`.
        classes: how many classes the whole task has; 0 for a regression. A fold may have
            missed rare ones; the classes a member saw are their positions 0, 1, 2 …
    """
    if isinstance(member, Constant):
        return Packed("constant", {}, {"values": np.asarray(member.values, dtype=np.float64)})
    design = getattr(member, "design", None)
    estimator = member if design is None else member.estimator
    if design is None:
        packed = PACKERS[type(estimator).__name__](estimator)
    else:
        packed = _pack_linear(estimator, design)
    seen = getattr(estimator, "classes_", None)
    if not classes or seen is None or len(seen) == classes:
        return packed
    positions = np.asarray(seen, dtype=np.int64)
    return Packed(packed.form, packed.facts, {**packed.arrays, "classes_seen": positions})


def unpack(packed: Packed, outputs: int) -> Predictor:
    """Read a member back; `outputs` is how many columns its predictions must have.

    Raises:
        BadInput: `model_damaged`.
    """
    maker = READERS.get(packed.form)
    if maker is None:
        raise damaged(f"it has a part of the unknown form '{packed.form[:40]}'")
    predictor = maker(packed)
    if "classes_seen" in packed.arrays:
        predictor = _Widened(predictor, packed.arrays["classes_seen"], outputs)
    if predictor.outputs != outputs:
        raise damaged(f"a part predicts {predictor.outputs} columns instead of {outputs}")
    return predictor


class _ConstantPredictor:
    features_needed = 0

    def __init__(self, packed: Packed) -> None:
        self._values = floats(packed.arrays, "values")

    @property
    def outputs(self) -> int:
        return len(self._values)

    def predict(self, matrix: Matrix) -> Floats:
        return np.tile(self._values, (len(matrix.dense), 1))


class _Widened:
    """A member that never saw some classes: those get probability 0."""

    def __init__(self, inner: Predictor, seen: Array, outputs: int) -> None:
        fits = seen.dtype.kind in "iu" and seen.shape == (inner.outputs,)
        if not fits or seen.min() < 0 or seen.max() >= outputs or np.any(np.diff(seen) <= 0):
            raise damaged("a part names classes the model does not have")
        self._inner = inner
        self._seen = seen.astype(np.int64)
        self.outputs = outputs
        self.features_needed = inner.features_needed

    def predict(self, matrix: Matrix) -> Floats:
        out = np.zeros((len(matrix.dense), self.outputs))
        out[:, self._seen] = self._inner.predict(matrix)
        return out


def _pack_linear(estimator: Estimator, design: Design) -> Packed:
    facts, arrays = design.pack()
    weights = np.atleast_2d(np.asarray(estimator.coef_, dtype=np.float64)).T
    offsets = np.zeros(weights.shape[1]) + np.asarray(estimator.intercept_, dtype=np.float64)
    link = "identity"
    if hasattr(estimator, "classes_"):
        link = "logit" if weights.shape[1] == 1 else "softmax"
    return Packed(
        "linear", {**facts, "link": link}, arrays | {"weights": weights, "offsets": offsets}
    )


def _pack_boosting(estimator: Estimator) -> Packed:
    order, categories = _recoding(estimator)
    trees = [
        _boosted_tree(predictor, order)
        for iteration in estimator._predictors  # noqa: SLF001 - there is no public way in
        for predictor in iteration
    ]
    base = np.asarray(estimator._baseline_prediction, dtype=np.float64).ravel()  # noqa: SLF001
    link = "identity"
    if hasattr(estimator, "classes_"):
        link = "logit" if len(base) == 1 else "softmax"
    return Packed(
        "trees",
        {"link": link, "single_precision": False},
        lay_out(trees, categories) | {"base": base},
    )


def _recoding(estimator: Estimator) -> tuple[npt.NDArray[np.int64], list[Floats]]:
    """Undo what boosting does with categories: it moves them to the front and renumbers them.

    Returns the original feature of each moved one, and per original feature its codes in the
    order of their new numbers (empty for numbers).
    """
    features = int(estimator.n_features_in_)
    categories = [np.zeros(0) for _ in range(features)]
    prepared = estimator._preprocessor  # noqa: SLF001
    if prepared is None:
        return np.arange(features), categories
    asked = np.asarray(estimator.is_categorical_, dtype=bool)
    moved = np.flatnonzero(asked)
    for feature, codes in zip(
        moved, prepared.named_transformers_["encoder"].categories_, strict=True
    ):
        numbers = np.asarray(codes, dtype=np.float64)
        categories[feature] = numbers[~np.isnan(numbers)]
    return np.concatenate([moved, np.flatnonzero(~asked)]), categories


def _boosted_tree(predictor: Estimator, order: npt.NDArray[np.int64]) -> Tree:
    nodes = predictor.nodes
    is_leaf = nodes["is_leaf"].astype(bool)
    is_set = nodes["is_categorical"].astype(bool) & ~is_leaf
    sets = np.zeros((len(nodes), CATEGORIES_MAX // 8), dtype=np.uint8)
    words = predictor.raw_left_cat_bitsets[nodes["bitset_idx"][is_set]].astype("<u4")
    bits = np.unpackbits(words.view(np.uint8), axis=1, bitorder="little")
    sets[is_set] = np.packbits(bits, axis=1)
    return Tree(
        left=np.where(is_leaf, -1, nodes["left"].astype(np.int64)),
        right=np.where(is_leaf, -1, nodes["right"].astype(np.int64)),
        feature=np.where(is_leaf, 0, order[np.where(is_leaf, 0, nodes["feature_idx"])]),
        threshold=nodes["num_threshold"],
        missing_left=nodes["missing_go_to_left"].astype(bool),
        is_set=is_set,
        sets=sets,
        values=nodes["value"][:, None],
    )


def _pack_forest(estimator: Estimator) -> Packed:
    trees = [
        _forest_tree(one.tree_, hasattr(estimator, "classes_")) for one in estimator.estimators_
    ]
    categories = [np.zeros(0) for _ in range(int(estimator.n_features_in_))]
    base = np.zeros(trees[0].values.shape[1])
    facts: JsonDict = {"link": "mean", "single_precision": True}
    return Packed("trees", facts, lay_out(trees, categories) | {"base": base})


def _forest_tree(tree: Estimator, is_classifier: bool) -> Tree:  # noqa: FBT001
    values = np.asarray(tree.value, dtype=np.float64)[:, 0, :]
    if is_classifier:
        values = values / values.sum(axis=1, keepdims=True)
    nodes = len(values)
    return Tree(
        left=np.asarray(tree.children_left, dtype=np.int64),
        right=np.asarray(tree.children_right, dtype=np.int64),
        feature=np.asarray(tree.feature, dtype=np.int64),
        threshold=np.asarray(tree.threshold, dtype=np.float64),
        missing_left=np.asarray(tree.missing_go_to_left).astype(bool),
        is_set=np.zeros(nodes, dtype=bool),
        sets=np.zeros((nodes, CATEGORIES_MAX // 8), dtype=np.uint8),
        values=values,
    )


PACKERS: Mapping[str, Callable[[Estimator], Packed]] = {
    "HistGradientBoostingClassifier": _pack_boosting,
    "HistGradientBoostingRegressor": _pack_boosting,
    "RandomForestClassifier": _pack_forest,
    "RandomForestRegressor": _pack_forest,
    "ExtraTreesClassifier": _pack_forest,
    "ExtraTreesRegressor": _pack_forest,
}
READERS: Mapping[str, Callable[[Packed], Predictor]] = {
    "trees": TreePredictor,
    "linear": LinearPredictor,
    "constant": _ConstantPredictor,
}
