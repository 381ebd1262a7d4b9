"""A stored blend predicts what the fitted one predicts, and bad parts are refused."""

from __future__ import annotations

import contextlib
import copy
import functools
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from desktop.jobs.ml import array_file, model
from desktop.jobs.ml.manifest import Task
from desktop.jobs.ml.model import Model, parts_of
from shared.errors import BadInput
from tests.desktop.jobs.ml.small_models import blended_by_sklearn, small_fitted, table

TASKS: tuple[Task, ...] = ("binary", "multiclass", "regression")
fitted = functools.cache(small_fitted)


def reopened(task: Task, folder: Path) -> Model:
    structure, arrays = parts_of(fitted(task))
    array_file.write(folder / "model.npz", arrays, structure)
    return Model.of(*array_file.read(folder / "model.npz"))


def later_rows() -> Any:
    """Rows with gaps everywhere, an unseen level, an unseen word and a far date."""
    frame = table(400, seed=5)
    frame.loc[:40, "plan"] = "enterprise"
    frame.loc[41:60, "note"] = None
    frame.loc[61:80, "since"] = None
    frame.loc[81:90, "age"] = 1e9
    return frame


@pytest.mark.parametrize("task", TASKS)
def test_a_stored_blend_predicts_what_the_fitted_one_does(task: Task, tmp_path: Path) -> None:
    frame = later_rows()

    ours = reopened(task, tmp_path).blend(frame)

    assert np.abs(ours - blended_by_sklearn(fitted(task), frame)).max() <= 1e-9


def test_predicting_in_blocks_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = reopened("multiclass", tmp_path)
    whole = opened.predict(later_rows())
    monkeypatch.setattr(model, "BLOCK_ROWS", 37)
    told: list[int] = []

    blocks = opened.predict(later_rows(), told.append)

    assert whole.probabilities is not None
    assert blocks.probabilities is not None
    assert np.array_equal(whole.probabilities, blocks.probabilities)
    assert told[0] == 37
    assert told[-1] == 400


def test_two_classes_are_told_apart_by_the_threshold(tmp_path: Path) -> None:
    predicted = reopened("binary", tmp_path).predict(later_rows())

    assert predicted.probabilities is not None
    assert predicted.labels is not None
    rare = predicted.probabilities[:, 1] >= 0.4
    assert 0 < rare.sum() < len(rare)
    assert set(predicted.labels[rare]) == {predicted.classes[1]}
    assert set(predicted.labels[~rare]) == {predicted.classes[0]}


def test_several_classes_get_the_most_probable_one(tmp_path: Path) -> None:
    predicted = reopened("multiclass", tmp_path).predict(later_rows())

    assert predicted.probabilities is not None
    assert predicted.labels is not None
    assert np.allclose(predicted.probabilities.sum(axis=1), 1)
    best = predicted.probabilities.argmax(axis=1)
    assert list(predicted.labels) == [predicted.classes[one] for one in best]


def test_a_number_comes_with_an_interval(tmp_path: Path) -> None:
    predicted = reopened("regression", tmp_path).predict(later_rows())

    assert predicted.values is not None
    assert predicted.lower is not None
    assert predicted.upper is not None
    assert np.allclose(predicted.upper - predicted.values, 1.25)
    assert np.allclose(predicted.values - predicted.lower, 1.25)


def test_rows_with_a_category_never_seen_are_marked(tmp_path: Path) -> None:
    frame = table(6)
    frame.loc[1, "plan"] = "enterprise"
    frame.loc[2, "plan"] = None
    frame.loc[4, "town"] = "town 999"
    frame.loc[5, "note"] = "words never heard"

    unseen = reopened("binary", tmp_path).unseen_rows(frame)

    assert list(unseen) == [False, True, False, False, True, False]


def test_no_rows_give_no_predictions(tmp_path: Path) -> None:
    predicted = reopened("binary", tmp_path).predict(table(3).iloc[:0])

    assert predicted.rows == 0


def test_columns_are_found_by_name_and_further_ones_ignored(tmp_path: Path) -> None:
    opened = reopened("regression", tmp_path)
    frame = later_rows()
    turned = frame[list(reversed(frame.columns))].assign(zz=1)

    assert np.array_equal(opened.blend(frame), opened.blend(turned))


def test_equal_models_are_equal_files(tmp_path: Path) -> None:
    for name in ("one", "two"):
        structure, arrays = parts_of(small_fitted("binary"))
        array_file.write(tmp_path / name, arrays, structure)

    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_members_without_weight_are_not_stored() -> None:
    import dataclasses

    given = fitted("binary")
    whole = parts_of(given)
    lighter = dataclasses.replace(given, weights={"linear": 0.0, "boosting": 1.0})

    structure, arrays = parts_of(lighter)

    assert isinstance(structure, dict)
    assert structure["weights"] == {"boosting": 1.0}
    assert len(arrays) < len(whole[1])
    assert np.isfinite(Model.of(structure, arrays).blend(later_rows())).all()


def test_a_model_that_uses_no_column_still_predicts() -> None:
    import dataclasses

    from desktop.jobs.ml.features import Features, Tables
    from desktop.jobs.ml.fitted import FoldPart
    from desktop.jobs.ml.packing import Constant

    tables = Tables.fit(table(5), {}, 0)
    part = FoldPart(Features(tables, {}), {"constant": Constant(np.array([0.9, 0.1]))})
    bare = dataclasses.replace(fitted("binary"), folds=(part,), weights={"constant": 1.0})

    predicted = Model.of(*parts_of(bare)).predict(table(4))

    assert predicted.probabilities is not None
    assert np.array_equal(predicted.probabilities, [[0.9, 0.1]] * 4)


BLOCKED = """
import sys

class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("sklearn", "joblib", "pickle5", "skops"):
            raise ImportError(name + " is blocked")

sys.meta_path.insert(0, Blocked())
from pathlib import Path
from desktop.jobs.ml import array_file
from desktop.jobs.ml.model import Model
from tests.desktop.jobs.ml.rows_without_sklearn import rows
opened = Model.of(*array_file.read(Path(sys.argv[1])))
print(repr(float(opened.blend(rows()).sum())))
assert not any(name.split(".")[0] == "sklearn" for name in sys.modules)
"""


@pytest.mark.parametrize("task", TASKS)
def test_opening_and_predicting_never_import_scikit_learn(task: Task, tmp_path: Path) -> None:
    from tests.desktop.jobs.ml.rows_without_sklearn import rows

    opened = reopened(task, tmp_path)

    child = subprocess.run(
        [sys.executable, "-c", BLOCKED, str(tmp_path / "model.npz")],
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )

    assert child.returncode == 0, child.stderr
    assert float(child.stdout) == float(opened.blend(rows()).sum())


def broken(change: Any) -> BadInput:
    """Change a good model's structure and open it."""
    structure, arrays = parts_of(fitted("binary"))
    structure, arrays = copy.deepcopy(structure), list(arrays)
    change(structure, arrays)
    with pytest.raises(BadInput) as caught:
        Model.of(structure, arrays)
    return caught.value


def set_in(*path: Any) -> Any:
    *way, last, value = path

    def change(structure: Any, arrays: Any) -> None:
        for step in way:
            structure = structure[step]
        structure[last] = value

    return change


@pytest.mark.parametrize(
    "change",
    [
        set_in("task", "magic"),
        set_in("classes", ["only"]),
        set_in("classes", ["a", "b", "c"]),
        set_in("threshold", "high"),
        set_in("weights", {}),
        set_in("weights", {"linear": 1.0}),
        set_in("weights", {"linear": -1.0, "boosting": 2.0}),
        set_in("weights", "linear", float("nan")),
        set_in("folds", []),
        set_in("folds", 0, "members", "forest", "form", "neural"),
        set_in("folds", 0, "members", "forest", "form", "linear"),
        set_in("folds", 0, "members", "forest", "arrays", {}),
        set_in("folds", 0, "members", "forest", "arrays", "right", 10**9),
        set_in("folds", 0, "members", "forest", "arrays", "right", -1),
        set_in("folds", 0, "members", "forest", "facts", {"link": "logit"}),
        set_in("folds", 0, "features", "facts", {}),
        set_in("folds", 0, "features", "arrays", {}),
        set_in("tables", "facts", {"encoders": [{"form": "os.system"}]}),
        set_in("tables", "facts", {"encoders": []}),
        set_in("tables", "facts", None),
        set_in("surprise", 1),
        lambda structure, arrays: arrays.clear(),
        lambda structure, arrays: arrays.reverse(),
    ],
)
def test_parts_that_contradict_each_other_are_refused(change: Any) -> None:
    assert broken(change).code == "model_damaged"


def test_a_newer_format_is_refused_by_its_number_alone() -> None:
    def change(structure: Any, arrays: Any) -> None:
        structure.clear()
        structure["format_version"] = 99
        structure["something"] = "new"

    error = broken(change)

    assert error.code == "model_too_new"
    assert "format 99" in error.message


def places(value: Any, way: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The way to every value inside a JSON value."""
    inside: Any = ()
    if isinstance(value, dict):
        inside = value.items()
    elif isinstance(value, list):
        inside = enumerate(value)
    deeper = [place for key, one in inside for place in places(one, (*way, key))]
    return [way, *deeper] if way else deeper


WHOLE: Any = parts_of(small_fitted("binary", rows=120))
PLACES = places(WHOLE[0])
ODD: tuple[Any, ...] = (None, -1, 0, 1, 10**9, 1e308, True, "x", "number", "", [], {})


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_whatever_is_changed_in_a_model_it_is_refused_or_predicts(data: st.DataObject) -> None:
    structure, arrays = copy.deepcopy(WHOLE[0]), list(WHOLE[1])
    for _ in range(data.draw(st.integers(0, 2))):
        *way, last = data.draw(st.sampled_from(PLACES))
        with contextlib.suppress(KeyError, IndexError, TypeError):
            functools.reduce(lambda value, key: value[key], way, structure)[last] = data.draw(
                st.sampled_from(ODD)
            )
    for _ in range(data.draw(st.integers(0, 2))):
        number = data.draw(st.integers(0, len(arrays) - 1))
        array = np.array(arrays[number])
        if array.size and data.draw(st.booleans()):
            array.flat[data.draw(st.integers(0, array.size - 1))] = data.draw(st.integers(0, 127))
        elif data.draw(st.booleans()):
            array = array.reshape(-1)[: data.draw(st.integers(0, array.size))]
        arrays[number] = array

    with contextlib.suppress(BadInput), np.errstate(all="ignore"):
        opened = Model.of(structure, arrays)
        rows = table(9, seed=3).reindex(columns=opened.columns)
        assert opened.blend(rows).shape == (9, 2)
