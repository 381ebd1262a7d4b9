"""Members become data and predict the same as scikit-learn did."""

from __future__ import annotations

import numpy as np
import pytest

from desktop.jobs.ml.packed import Packed
from desktop.jobs.ml.packing import Constant, pack, unpack
from shared.errors import BadInput
from tests.desktop.jobs.ml.fits import (
    TASKS,
    Linear,
    Rows,
    estimator,
    fitted,
    predicted_by_sklearn,
    rows,
    target,
)

OUTPUTS = {"binary": 2, "multiclass": 4, "regression": 1}
KINDS = ("boosting", "forest", "extra", "linear")


def other_rows() -> Rows:
    """Rows the members never saw, with codes and numbers outside what training knew."""
    given = rows(300, seed=7)
    given.dense[:20, 4] = 77.0
    given.dense[20:30, 2] = -3.0
    given.dense[30:40, 0] = 1e30
    return given


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("kind", KINDS)
def test_a_packed_member_predicts_what_scikit_learn_predicts(kind: str, task: str) -> None:
    member = fitted(kind, task, rows(600))
    packed = pack(member, OUTPUTS[task] if task != "regression" else 0)

    ours = unpack(packed, OUTPUTS[task]).predict(other_rows())

    theirs = predicted_by_sklearn(member, other_rows(), task)
    assert ours.shape == theirs.shape
    assert np.abs(ours - theirs).max() <= 1e-9


@pytest.mark.parametrize("task", TASKS)
def test_boosted_trees_add_up_to_the_last_bit(task: str) -> None:
    from desktop.jobs.ml.trees import TreePredictor

    member, later = fitted("boosting", task, rows(600)), other_rows().dense
    later[40:50, 1], later[50:60, 1] = -np.inf, np.inf

    ours = TreePredictor(pack(member, 0)).raw(later)

    assert np.array_equal(ours, member._raw_predict(later))


def test_boosting_without_categories_is_the_same_to_the_last_bit() -> None:
    from sklearn.ensemble import HistGradientBoostingRegressor

    from desktop.jobs.ml.trees import TreePredictor

    given = rows(500)
    member = HistGradientBoostingRegressor(max_iter=15).fit(
        given.dense, target(given, "regression")
    )

    ours = TreePredictor(pack(member, 0)).raw(given.dense)

    assert np.array_equal(ours[:, 0], member.predict(given.dense))


def test_boosting_fitted_on_single_precision_rows_is_the_same_to_the_last_bit() -> None:
    from desktop.jobs.ml.trees import TreePredictor

    given = rows(500)
    single = given.dense.astype(np.float32)
    member = estimator("boosting", "binary", given).fit(single, target(given, "binary"))

    ours = TreePredictor(pack(member, 2)).raw(single)

    assert np.array_equal(ours, member._raw_predict(single))


def test_a_tree_that_never_splits_is_packed_too() -> None:
    from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestRegressor

    given = rows(60)
    dense = np.nan_to_num(given.dense)
    flat = RandomForestRegressor(3, random_state=0).fit(dense, np.ones(60))
    even = HistGradientBoostingClassifier(max_iter=2, min_samples_leaf=60)
    even.fit(dense, target(given, "binary"))

    assert np.array_equal(unpack(pack(flat, 0), 1).predict(given), np.ones((60, 1)))
    ours = unpack(pack(even, 2), 2).predict(given)
    assert np.allclose(ours, even.predict_proba(dense), atol=1e-12)


@pytest.mark.parametrize("task", TASKS)
def test_a_linear_member_with_text_predicts_what_scikit_learn_predicts(task: str) -> None:
    given, later = rows(500, text=True), rows(90, seed=5, text=True)
    member = fitted("linear", task, given)

    ours = unpack(pack(member, 0), OUTPUTS[task]).predict(later)

    assert np.abs(ours - predicted_by_sklearn(member, later, task)).max() <= 1e-9


def test_a_design_can_leave_features_out() -> None:
    from sklearn.linear_model import Ridge

    from desktop.jobs.ml.linear import Design

    given = rows(200)
    design = Design.fit(given, np.array([True, False, True, False, False, False]))
    member = Linear(Ridge().fit(design.transform(given), target(given, "regression")), design)
    later = rows(50, seed=3)
    before = unpack(pack(member, 0), 1).predict(later)

    later.dense[:, 5] += 100.0

    assert np.array_equal(unpack(pack(member, 0), 1).predict(later), before)
    assert list(design.numbers) == [0]
    assert list(design.categories) == [2]


def test_one_absurd_number_does_not_decide_a_linear_prediction_alone() -> None:
    member = fitted("linear", "regression", rows(300))
    later = rows(3, seed=3)
    later.dense[:, 0] = (1e6, 1e12, 1e300)

    ours = unpack(pack(member, 0), 1).predict(later)

    assert np.abs(ours).max() < 1000


def test_a_fold_that_missed_a_class_gives_it_probability_zero() -> None:
    given = rows(400)
    y = target(given, "multiclass")
    seen = y != 2
    member = estimator("boosting", "multiclass", given).fit(given.dense[seen], y[seen])

    ours = unpack(pack(member, 4), 4).predict(other_rows())

    assert np.all(ours[:, 2] == 0)
    assert np.abs(ours[:, [0, 1, 3]] - member.predict_proba(other_rows().dense)).max() <= 1e-9


def test_a_constant_member_says_the_same_of_every_row() -> None:
    packed = pack(Constant(np.array([0.25, 0.75])), 2)

    assert np.array_equal(unpack(packed, 2).predict(rows(3)), np.array([[0.25, 0.75]] * 3))


def test_an_unknown_form_is_refused() -> None:
    with pytest.raises(BadInput, match="unknown form 'neural'") as caught:
        unpack(Packed("neural"), 2)
    assert caught.value.code == "model_damaged"


def test_a_member_with_another_number_of_outputs_is_refused() -> None:
    packed = pack(fitted("boosting", "binary", rows(200)), 2)

    with pytest.raises(BadInput, match="2 columns instead of 3"):
        unpack(packed, 3)


def test_packed_boosting_is_much_smaller_than_its_nodes() -> None:
    member = fitted("boosting", "multiclass", rows(600))
    nodes = sum(tree.nodes.nbytes for step in member._predictors for tree in step)

    packed = pack(member, 4)

    assert sum(array.nbytes for array in packed.arrays.values()) < nodes / 3
