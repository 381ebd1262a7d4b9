"""Stored trees: walked right, and never trusted."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from desktop.jobs.ml import trees
from desktop.jobs.ml.packed import Packed
from desktop.jobs.ml.packing import pack
from desktop.jobs.ml.trees import TreePredictor
from shared.errors import BadInput
from tests.desktop.jobs.ml.fits import Rows, fitted, rows


def by_hand(**changes: Any) -> Packed:
    """One tree: feature 0 <= 2 ? 10 : (feature 1 in {5, 7} ? 20 : 30); gaps go right, then left."""
    sets = np.zeros((1, 32), dtype=np.uint8)
    sets[0, 0] = 0b10100000
    arrays: dict[str, Any] = {
        "tree_starts": np.array([0, 5]),
        "right": np.array([2, 0, 4, 0, 0], dtype=np.uint8),
        "feature": np.array([0, 1], dtype=np.uint8),
        "rank": np.array([0, 0], dtype=np.uint8),
        "missing_left": np.array([False, True]),
        "is_set": np.array([False, True]),
        "sets": sets,
        "cuts": np.array([2.0]),
        "cut_starts": np.array([0, 1, 1]),
        "categories": np.array([5.0, 6.0, 7.0]),
        "category_starts": np.array([0, 0, 3]),
        "values": np.array([[10.0], [20.0], [30.0]]),
        "base": np.array([0.5]),
    }
    facts: Any = {"link": "identity", "single_precision": False}
    for name, value in changes.items():
        if name in facts:
            facts[name] = value
        elif value is None:
            del arrays[name]
        else:
            arrays[name] = value
    return Packed("trees", facts, arrays)


@pytest.mark.parametrize(
    ("row", "value"),
    [
        ((2.0, 5.0), 10.5),
        ((-np.inf, 6.0), 10.5),
        ((2.1, 5.0), 20.5),
        ((3.0, 7.0), 20.5),
        ((3.0, 6.0), 30.5),
        ((3.0, np.nan), 20.5),
        ((3.0, 99.0), 20.5),
        ((np.nan, 6.0), 30.5),
        ((np.inf, 6.0), 30.5),
    ],
)
def test_a_row_walks_to_its_leaf(row: tuple[float, float], value: float) -> None:
    assert TreePredictor(by_hand()).raw(np.array([row]))[0, 0] == value


def test_the_size_of_blocks_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    given_rows = rows(60)
    predictor = TreePredictor(pack(fitted("boosting", "multiclass", rows(300)), 4))
    whole = predictor.predict(given_rows)

    monkeypatch.setattr(trees, "BLOCK_ROWS", 7)
    assert np.array_equal(predictor.predict(given_rows), whole)
    monkeypatch.setattr(trees, "BLOCK_CELLS_MAX", 1)
    assert np.array_equal(predictor.predict(given_rows), whole)


def test_no_rows_are_no_predictions() -> None:
    empty = Rows(np.zeros((0, 2)), np.zeros(2, dtype=bool))

    assert TreePredictor(by_hand()).predict(empty).shape == (0, 1)


def test_it_says_how_many_features_it_needs() -> None:
    assert TreePredictor(by_hand()).features_needed == 2


@pytest.mark.parametrize(
    "changes",
    [
        {"right": np.array([2, 0, 2, 0, 0])},
        {"right": np.array([4, 0, 4, 0, 0])},
        {"right": np.array([2, 0, 9, 0, 0])},
        {"right": np.array([1, 0, 4, 0, 0])},
        {"right": np.array([2, 0, -4, 0, 0])},
        {"right": np.array([2, 0, 4, 0, 3])},
        {"right": np.array([2.0, 0, 4, 0, 0])},
        {"right": np.array([[2, 0, 4, 0, 0]])},
        {"right": np.array([], dtype=np.int64)},
        {"right": None},
        {"tree_starts": np.array([0, 4])},
        {"tree_starts": np.array([0, 3, 5])},
        {"tree_starts": np.array([0, 5, 5])},
        {"tree_starts": np.array([0])},
        {"tree_starts": np.array([5, 0])},
        {"feature": np.array([0, 2])},
        {"feature": np.array([0, -1])},
        {"feature": np.array([0])},
        {"rank": np.array([1, 0])},
        {"rank": np.array([2**40, 0])},
        {"missing_left": np.array([False])},
        {"is_set": np.array([True, True])},
        {"is_set": np.array([False, False])},
        {"sets": np.zeros((1, 8), dtype=np.uint8)},
        {"sets": np.zeros((1, 32), dtype=np.float64)},
        {"cuts": np.array([np.nan])},
        {"cuts": np.array([2.0], dtype=np.float32)},
        {"cuts": np.array([2.0, 1.0]), "cut_starts": np.array([0, 2, 2])},
        {"cut_starts": np.array([0, 1])},
        {"cut_starts": np.array([0, 2, 1])},
        {"categories": np.array([5.0, 5.0, 7.0])},
        {"categories": np.array([5.0, np.nan, 7.0])},
        {"categories": np.arange(300.0), "category_starts": np.array([0, 0, 300])},
        {"category_starts": np.array([0, 3])},
        {"values": np.array([[10.0], [20.0]])},
        {"values": np.array([10.0, 20.0, 30.0])},
        {"values": np.array([["10"], ["20"], ["30"]])},
        {"base": np.array([])},
        {"base": np.array([0.5, 0.5])},
        {"link": "exec"},
        {"link": None},
    ],
)
def test_trees_that_contradict_themselves_are_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(BadInput) as caught:
        TreePredictor(by_hand(**changes))

    assert caught.value.code == "model_damaged"


def test_a_tree_deeper_than_any_honest_one_is_refused() -> None:
    depth = 6_000
    right = np.zeros(2 * depth + 1, dtype=np.int64)
    right[0 : 2 * depth : 2] = np.arange(2, 2 * depth + 2, 2)
    chain = by_hand(
        right=right,
        tree_starts=np.array([0, len(right)]),
        feature=np.zeros(depth, dtype=np.int64),
        rank=np.zeros(depth, dtype=np.int64),
        missing_left=np.zeros(depth, dtype=bool),
        is_set=np.zeros(depth, dtype=bool),
        sets=np.zeros((0, 32), dtype=np.uint8),
        values=np.zeros((depth + 1, 1)),
    )

    with pytest.raises(BadInput, match="deeper than 5000"):
        TreePredictor(chain)


BASES = {
    kind: pack(fitted(kind, "binary", rows(120)), 2) for kind in ("boosting", "forest", "linear")
}
LATER = rows(30, seed=4)


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_whatever_is_changed_it_is_refused_or_predicts_without_harm(data: st.DataObject) -> None:
    from desktop.jobs.ml.packing import unpack

    packed = BASES[data.draw(st.sampled_from(sorted(BASES)))]
    name = data.draw(st.sampled_from(sorted(packed.arrays)))
    array = np.array(packed.arrays[name])
    for _ in range(data.draw(st.integers(1, 3))):
        if array.size:
            place = data.draw(st.integers(0, array.size - 1))
            if array.dtype.kind == "f":
                array.flat[place] = data.draw(st.floats(width=64))
            elif array.dtype.kind == "b":
                array.flat[place] = data.draw(st.booleans())
            else:
                bits = 8 * array.dtype.itemsize
                low, high = (0, 2**bits - 1) if array.dtype.kind == "u" else (-(2**63), 2**63 - 1)
                array.flat[place] = data.draw(st.integers(low, high))
    if array.ndim == 1 and data.draw(st.booleans()):
        array = array[: data.draw(st.integers(0, len(array)))]

    try:
        predictor = unpack(Packed(packed.form, packed.facts, {**packed.arrays, name: array}), 2)
    except BadInput:
        return
    if predictor.features_needed <= LATER.dense.shape[1]:
        with np.errstate(all="ignore"):
            assert predictor.predict(LATER).shape == (30, 2)
