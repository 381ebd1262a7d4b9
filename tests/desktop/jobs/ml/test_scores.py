"""Scores, folds, thresholds and intervals, beside scikit-learn's own figures where it has them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics

from desktop.jobs.ml.calibration import best_threshold, calibration_error
from desktop.jobs.ml.conformal import half_widths
from desktop.jobs.ml.folds import FOLDS, ROWS_IN_FOLDS_MAX, folds_of, holdout
from desktop.jobs.ml.scores import area, baseline, loss, score
from desktop.jobs.ml.weighing import weights_of


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 5)), min_size=2, max_size=60))
def test_the_area_under_the_curve_is_what_scikit_learn_says(rows: list[tuple[bool, int]]) -> None:
    happened = np.array([yes for yes, _ in rows])
    chance = np.array([float(value) for _, value in rows])
    if happened.all() or not happened.any():
        assert area(happened, chance) == 0.5
    else:
        assert area(happened, chance) == pytest.approx(metrics.roc_auc_score(happened, chance))


def test_log_loss_and_r2_are_what_scikit_learn_says() -> None:
    rng = np.random.default_rng(0)
    y = rng.integers(0, 3, 50).astype(float)
    chances = rng.dirichlet([1, 1, 1], 50)
    assert loss("multiclass", y, chances) == pytest.approx(metrics.log_loss(y, chances))
    expected = metrics.roc_auc_score(y, chances, multi_class="ovr")
    assert score("multiclass", y, chances) == pytest.approx(expected)
    values = rng.normal(size=(50, 1))
    assert score("regression", y, values) == pytest.approx(metrics.r2_score(y, values))


def test_always_guessing_the_mean_scores_nothing() -> None:
    y = np.array([1.0, 2.0, 6.0])
    guesses = np.tile(baseline("regression", y, 1), (3, 1))
    assert score("regression", y, guesses) == pytest.approx(0.0)


@pytest.mark.parametrize("rows", [2, 3, 10, 503])
def test_every_row_is_held_out_once(rows: int) -> None:
    y = np.random.default_rng(0).normal(size=rows)
    folds = folds_of(y, "regression", 0)
    assert len(folds) == min(FOLDS, rows)
    assert sorted(np.concatenate([fold.held for fold in folds])) == list(range(rows))
    assert all(not set(fold.fit) & set(fold.held) for fold in folds)


def test_each_class_is_dealt_out_evenly() -> None:
    y = np.array([1.0] * 10 + [0.0] * 90)
    for fold in folds_of(y, "binary", 3):
        assert y[fold.held].sum() == 2


def test_many_rows_get_one_held_out_part() -> None:
    y = np.random.default_rng(0).normal(size=ROWS_IN_FOLDS_MAX + 1)
    (fold,) = folds_of(y, "regression", 0)
    assert len(fold.held) == pytest.approx(len(y) / 10, rel=0.01)


def test_folds_of_a_sorted_target_have_the_same_mean() -> None:
    y = np.arange(1000.0)
    means = [y[fold.held].mean() for fold in folds_of(y, "regression", 0)]
    assert np.ptp(means) < 5


def test_the_same_seed_gives_the_same_folds_and_another_seed_others() -> None:
    y = np.arange(100.0)
    held = [holdout(y, "regression", 0.2, seed).held.tolist() for seed in (1, 1, 2)]
    assert held[0] == held[1] != held[2]


def test_the_threshold_finds_the_best_f1() -> None:
    rng = np.random.default_rng(0)
    chance = rng.random(200)
    happened = rng.random(200) < chance**3
    chosen = best_threshold(happened, chance)
    best = max(metrics.f1_score(happened, chance >= cut) for cut in chance)
    assert metrics.f1_score(happened, chance >= chosen) == pytest.approx(best)


@pytest.mark.parametrize("all_of_them", [True, False])
def test_the_threshold_of_a_single_class_is_a_half(all_of_them: bool) -> None:
    assert best_threshold(np.full(5, all_of_them), np.linspace(0, 1, 5)) == 0.5


def test_honest_chances_have_a_small_calibration_error_and_boasting_ones_a_large() -> None:
    rng = np.random.default_rng(0)
    chance = rng.random(20_000)
    happened = rng.random(20_000) < chance
    assert calibration_error(happened, chance) < 0.02
    assert calibration_error(happened, np.clip(2 * chance - 0.5, 0, 1)) > 0.1


def test_intervals_cover_their_share_of_new_rows() -> None:
    rng = np.random.default_rng(0)
    widths = half_widths(rng.standard_t(4, 2000))
    new = rng.standard_t(4, 20_000)
    for level, width in widths.items():
        assert np.mean(np.abs(new) <= width) == pytest.approx(float(level), abs=0.02)


def test_few_errors_give_the_largest_one_as_width() -> None:
    assert half_widths(np.array([1.0, -3.0]))["0.95"] == 3.0


def test_weights_go_to_what_helps_and_add_up_to_one() -> None:
    rng = np.random.default_rng(0)
    y = rng.normal(size=400)
    predicted = {
        "good": (y + rng.normal(0, 0.5, 400))[:, None],
        "as good": (y + rng.normal(0, 0.5, 400))[:, None],
        "noise": rng.normal(0, 5, (400, 1)),
    }
    weights = weights_of("regression", y, predicted)
    assert sum(weights.values()) == pytest.approx(1)
    assert weights.keys() == {"good", "as good"}
    assert abs(weights["good"] - 0.5) < 0.15
