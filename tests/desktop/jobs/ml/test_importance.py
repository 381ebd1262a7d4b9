"""Shuffling tells which columns matter."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from desktop.jobs.ml import importance
from desktop.jobs.ml.importance import HeldPart, as_json, permutation, strongest
from desktop.jobs.ml.packed import Floats


def part(seed: int, rows: int = 400) -> HeldPart:
    """y is 3 a + b; the model knows it, and ignores "noise"."""
    random = np.random.default_rng(seed)
    frame = pd.DataFrame(random.normal(size=(rows, 3)), columns=["noise", "b", "a"])

    def predict(given: pd.DataFrame) -> Floats:
        return np.asarray(3 * given["a"] + given["b"])[:, None]

    return HeldPart(predict, frame, predict(frame)[:, 0])


def r2(y: Floats, predicted: Floats) -> float:
    return float(1 - np.sum((y - predicted[:, 0]) ** 2) / np.sum((y - y.mean()) ** 2))


def test_columns_come_by_what_the_score_loses_without_them() -> None:
    found = permutation([part(0), part(1)], ["noise", "b", "a"], r2, seed=0)

    assert [one.column for one in found] == ["a", "b", "noise"]
    assert found[0].drop > 5 * found[1].drop
    assert found[2].drop == 0
    assert strongest(found, 3) == ("a", "b")
    assert strongest(found, 1) == ("a",)


def test_the_same_seed_gives_the_same_figures() -> None:
    first, second, other = (
        permutation([part(0)], ["a", "b"], r2, seed=seed, rows_max=100) for seed in (3, 3, 4)
    )

    assert first == second
    assert first != other


def test_error_bars_come_from_several_shuffles_even_of_one_part() -> None:
    (found,) = permutation([part(0)], ["b"], r2, seed=0)

    assert 0 < found.spread < found.drop


def test_it_stops_between_columns_when_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importance, "COLUMNS_AT_ONCE", 1)
    asked: list[int] = []

    def should_stop() -> bool:
        asked.append(1)
        return len(asked) > 1

    found = permutation([part(0)], ["a", "b", "noise"], r2, seed=0, should_stop=should_stop)

    assert [one.column for one in found] == ["a"]


def test_no_more_rows_are_predicted_than_allowed() -> None:
    sizes: list[int] = []
    whole = part(0)

    def predict(given: pd.DataFrame) -> Floats:
        sizes.append(len(given))
        return whole.predict(given)

    permutation([HeldPart(predict, whole.frame, whole.y)] * 5, ["a"], r2, seed=0, rows_max=100)

    assert set(sizes) == {20}


def test_columns_together_and_one_by_one_give_the_same_order(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    together = permutation([part(0)], ["noise", "b", "a"], r2, seed=0)
    monkeypatch.setattr(importance, "COLUMNS_AT_ONCE", 1)

    one_by_one = permutation([part(0)], ["noise", "b", "a"], r2, seed=0)

    assert [one.column for one in together] == [one.column for one in one_by_one]
    for first, second in zip(together, one_by_one, strict=True):
        assert abs(first.drop - second.drop) <= 3 * (first.spread + second.spread)


def test_shuffling_leaves_the_frame_and_its_types_alone() -> None:
    frame = pd.DataFrame({"c": pd.Series(["x", None, "y"] * 9, dtype="string")}, index=range(5, 32))
    seen: list[pd.DataFrame] = []

    def predict(given: pd.DataFrame) -> Floats:
        seen.append(given)
        return np.zeros((len(given), 1))

    permutation([HeldPart(predict, frame, np.arange(27.0))], ["c"], r2, seed=0)

    cells = [
        given["c"].iloc[start : start + 27] for given in seen for start in range(0, len(given), 27)
    ]
    assert len(cells) == 6
    assert all(one.dtype == frame["c"].dtype for one in cells)
    assert all(sorted(one.fillna("-")) == sorted(frame["c"].fillna("-")) for one in cells)
    assert any(list(one) != list(frame["c"]) for one in cells[1:])
    assert list(frame.index) == list(range(5, 32))


def test_what_is_stored_can_be_shown() -> None:
    found = permutation([part(0)], ["a"], r2, seed=0)

    assert as_json(found, "R²") == {
        "metric": "R²",
        "columns": [{"column": "a", "drop": found[0].drop, "spread": found[0].spread}],
    }
