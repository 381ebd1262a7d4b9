"""Features: the same cells give the same numbers, whatever the file looks like around them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import JsonValue

from desktop.jobs.ml.features import Features, Tables, matrices, target_outputs
from desktop.jobs.ml.features_columns import (
    LEVELS_FEW_MAX,
    DateColumn,
    LevelsColumn,
    ManyLevelsColumn,
    NumberColumn,
)
from desktop.jobs.ml.features_target import LevelCodes, LevelMeans, learn
from desktop.jobs.ml.features_text import TextColumn, words_of
from tests.desktop.jobs.ml.tables import COLUMNS, mixed


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    return mixed(300)


@pytest.fixture(scope="module")
def y(frame: pd.DataFrame) -> np.ndarray:
    return (frame["bought"] == "yes").to_numpy(dtype=np.float64)


@pytest.fixture(scope="module")
def features(frame: pd.DataFrame, y: np.ndarray) -> Features:
    return Features.fit(frame, COLUMNS, y, "binary", seed=0)


def test_every_feature_has_a_name_and_a_place(features: Features, frame: pd.DataFrame) -> None:
    matrix = features.transform(frame)
    assert matrix.dense.shape == (len(frame), len(features.names))
    assert matrix.dense.dtype == np.float32
    assert matrix.categorical.shape == matrix.linear.shape == (len(features.names),)
    assert features.names[int(np.flatnonzero(matrix.categorical)[0])] == "town"


def test_rows_are_encoded_one_by_one(features: Features, frame: pd.DataFrame) -> None:
    whole = features.transform(frame)
    few = features.transform(frame.iloc[[7, 3]])
    np.testing.assert_array_equal(whole.dense[[7, 3]], few.dense)
    assert whole.sparse is not None
    assert abs(whole.sparse[[7, 3]] - few.sparse).max() == 0


def test_column_order_and_further_columns_do_not_matter(
    features: Features, frame: pd.DataFrame
) -> None:
    changed = frame[list(frame.columns[::-1])].assign(extra=1)
    np.testing.assert_array_equal(
        features.transform(frame).dense, features.transform(changed).dense
    )


def test_a_level_never_seen_is_missing_and_an_absurd_number_too(
    features: Features, frame: pd.DataFrame
) -> None:
    strange = frame.head(2).assign(
        town=pd.Series(["Atlantis", None], dtype="str"), age=[np.inf, 1e300]
    )
    dense = features.transform(strange).dense
    town, age = features.names.index("town"), features.names.index("age")
    assert np.isnan(dense[:, town]).all()
    assert np.isnan(dense[:, age]).all()


def test_stored_features_give_the_same_numbers(features: Features, frame: pd.DataFrame) -> None:
    facts, arrays = features.tables.state()
    own_facts, own_arrays = features.state()
    tables = Tables.from_state(json.loads(json.dumps(facts)), arrays)
    again = Features.from_state(json.loads(json.dumps(own_facts)), own_arrays, tables)
    np.testing.assert_array_equal(features.transform(frame).dense, again.transform(frame).dense)
    assert again.names == features.names


def test_stored_features_open_without_scikit_learn(
    features: Features, frame: pd.DataFrame, tmp_path: Path
) -> None:
    facts, arrays = features.tables.state()
    own_facts, own_arrays = features.state()
    (tmp_path / "facts.json").write_text(json.dumps([facts, own_facts]))
    np.savez(tmp_path / "tables.npz", allow_pickle=False, **arrays)
    np.savez(tmp_path / "own.npz", allow_pickle=False, **own_arrays)
    frame.head(20).to_parquet(tmp_path / "rows.parquet")
    script = """
import json, sys
sys.modules["sklearn"] = None
import numpy as np, pandas as pd
from desktop.jobs.ml.features import Features, Tables
facts, own = json.load(open("facts.json"))
tables = Tables.from_state(facts, dict(np.load("tables.npz", allow_pickle=False)))
features = Features.from_state(own, dict(np.load("own.npz", allow_pickle=False)), tables)
np.save("dense.npy", features.transform(pd.read_parquet("rows.parquet")).dense)
"""
    environment = {"PYTHONPATH": str(Path(__file__).parents[4])}
    subprocess.run([sys.executable, "-c", script], cwd=tmp_path, env=environment, check=True)
    np.testing.assert_array_equal(
        np.load(tmp_path / "dense.npy"), features.transform(frame.head(20)).dense
    )


@pytest.mark.parametrize("broken", [{}, {"encoders": 3}, {"encoders": [{"form": "no such"}]}])
def test_broken_stored_features_are_refused(broken: dict[str, JsonValue]) -> None:
    with pytest.raises((KeyError, TypeError, ValueError)):
        Tables.from_state(broken, {})


def test_folds_share_the_work_on_new_rows(frame: pd.DataFrame, y: np.ndarray) -> None:
    tables = Tables.fit(frame, COLUMNS, 0)
    base, outputs = tables.apply(frame), target_outputs(y, "binary", 2)
    assert outputs is not None
    halves = [np.arange(150), np.arange(150, 300)]
    parts = [Features.learn(tables, base[rows], outputs[rows], 0)[0] for rows in halves]
    for part, matrix in zip(parts, matrices(parts, frame), strict=True):
        np.testing.assert_array_equal(matrix.dense, part.transform(frame).dense)


def test_the_most_common_level_comes_first_and_ties_go_by_name() -> None:
    column = LevelsColumn.fit("c", pd.Series(["b", "a", "c", "c", None]))
    assert column.levels == ("c", "a", "b")
    np.testing.assert_array_equal(
        column.apply(pd.Series(["a", "c", None, "x"])).ravel(), [1, 0, np.nan, np.nan]
    )


def test_a_gap_does_not_change_the_levels_of_whole_numbers() -> None:
    whole = LevelsColumn.fit("c", pd.Series([1, 2, 2]))
    gappy = pd.Series([1.0, None, 2.0])
    np.testing.assert_array_equal(whole.apply(gappy).ravel(), [1, np.nan, 0])


def test_many_levels_become_ranks_and_counts() -> None:
    cells = pd.Series([f"t{number % (LEVELS_FEW_MAX + 50)}" for number in range(900)])
    tables = Tables.fit(pd.DataFrame({"c": cells}), {"c": "category"}, 0)
    (encoder,) = tables.encoders
    assert isinstance(encoder, ManyLevelsColumn)
    rank, count = encoder.apply(pd.Series(["t0", "new"])).T
    assert rank[0] == 0
    assert np.isnan(rank[1])
    np.testing.assert_allclose(count, np.log1p([4, 0]), rtol=1e-6)


def test_a_date_is_told_by_the_parts_that_differ() -> None:
    days = pd.Series(pd.to_datetime(["2024-02-01", "2024-02-05", "nothing"], errors="coerce"))
    column = DateColumn.fit("d", days)
    assert column.parts == ("day", "weekday", "day_of_year", "days")
    np.testing.assert_array_equal(column.apply(days)[1], [5, 0, 36, 4])
    assert np.isnan(column.apply(days)[2]).all()


def test_a_date_in_another_zone_or_as_text_is_the_same_date() -> None:
    days = pd.Series(pd.to_datetime(["2024-02-01T12:00", "2025-03-05T06:30"]))
    column = DateColumn.fit("d", days)
    zoned = days.dt.tz_localize("UTC").dt.tz_convert("Asia/Tokyo")
    np.testing.assert_array_equal(column.apply(days), column.apply(zoned))
    np.testing.assert_array_equal(column.apply(days), column.apply(days.astype(str)))


def test_a_number_too_large_for_single_precision_is_missing_without_a_warning() -> None:
    assert np.isnan(NumberColumn("n").apply(pd.Series([1e40, -np.inf, np.nan]))).all()


@given(st.lists(st.text(max_size=40), min_size=1, max_size=30))
def test_any_text_becomes_terms_of_length_one_or_zero(texts: list[str]) -> None:
    values = pd.Series(texts * 3, dtype=object)
    column = TextColumn.fit("t", values, 0)
    lengths = np.sqrt((column.terms(values) ** 2).sum(axis=1))
    assert np.all((np.abs(lengths - 1) < 1e-9) | (lengths == 0))
    assert np.isfinite(column.apply(values, column.terms(values))).all()


def test_words_are_lower_case_and_of_any_script() -> None:
    assert words_of("Née 2 Ящик-х_y") == ["née", "2", "ящик", "х", "y"]


def test_pairs_of_neighbouring_words_are_terms() -> None:
    values = pd.Series(["not good at all"] * 3 + ["good", "not"] * 2)
    column = TextColumn.fit("t", values, 0)
    row = column.terms(pd.Series(["not good"]))
    named = {column.term_names[place] for place in row.indices}
    assert named == {"not", "good", "not good"}
    assert "good not" not in column.term_names


def test_a_rows_own_target_never_enters_its_target_mean() -> None:
    rng = np.random.default_rng(0)
    codes = LevelCodes(np.arange(400) // 2, 200)
    outputs = rng.integers(0, 2, (400, 1)).astype(float)
    _, own = learn(codes, outputs, seed=0)
    honest = np.corrcoef(own[:, 0], outputs[:, 0])[0, 1]
    peeking = LevelMeans.fit(codes, outputs).apply(codes)
    assert np.corrcoef(peeking[:, 0], outputs[:, 0])[0, 1] > 0.5
    assert honest < 0.15


def test_an_unseen_level_has_the_overall_mean() -> None:
    means = LevelMeans.fit(LevelCodes(np.array([0, 0, 1]), 3), np.array([[1.0], [1.0], [4.0]]))
    np.testing.assert_allclose(means.apply(LevelCodes(np.array([-1, 2]), 3)), [[2.0], [2.0]])


def test_too_many_classes_get_no_target_features() -> None:
    assert target_outputs(np.arange(50.0), "multiclass", 50) is None
