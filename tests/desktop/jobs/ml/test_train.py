"""ml.train as a worker runs it: from a file to a stored model that predicts, and every bad file."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from desktop.jobs.data.reading import read_table
from desktop.jobs.ml import lesson, model_folder, train
from desktop.jobs.ml.budget import Bar
from desktop.jobs.ml.explaining import learning_curve
from desktop.jobs.ml.manifest import Manifest
from desktop.jobs.ml.training import Training
from shared.errors import AppError, BadInput, Unavailable
from shared.kinds.ml import ModelFacts, TrainInputs, TrainOutput
from tests.desktop.jobs.fake_context import FakeContext, context_of
from tests.desktop.jobs.ml.tables import mixed

MEMORY = 2 << 30


@pytest.fixture
def context(tmp_path: Path) -> FakeContext:
    return context_of(tmp_path)


def write(context: FakeContext, frame: pd.DataFrame, name: str = "shop.csv") -> Path:
    path = context.folder / name
    frame.to_csv(path, index=False)
    return path


def shop(rows: int = 200, seed: int = 0) -> pd.DataFrame:
    frame = mixed(rows, seed).drop(columns=["spent", "grade"])
    return frame.assign(customerID=[f"C-{number:05}" for number in range(rows)])


def trained(context: FakeContext, target: str = "bought", **more: object) -> TrainOutput:
    return train.run(context, TrainInputs.model_validate({"target": target, **more}))


def manifest_of(context: FakeContext) -> Manifest:
    (entry,) = model_folder.manifests(context.models_folder)
    assert isinstance(entry, Manifest)
    return entry


def test_a_file_becomes_one_stored_model_that_predicts_new_rows(context: FakeContext) -> None:
    path = write(context, shop())
    output = trained(context, file=path.name)
    assert output.model.complete
    assert output.model.score > 0.75
    assert output.headline.startswith("bought (shop) model ready: AUC 0.")
    assert "(always guessing: 0.50)" in output.headline
    assert set(output.strongest) <= {"age", "town", "note", "income", "since"}
    assert "⚠ column `customerID` looks like an id, left out" in output.notes
    assert [entry.model_id for entry in listed(context)] == [output.model.model_id]
    new = shop(200, seed=5)
    asked = read_table(write(context, new, "new.csv"), free_ram_bytes=MEMORY)
    opened = model_folder.open_model(context.models_folder, output.model.model_id)
    predicted = opened.predict(asked.frame)
    assert predicted.labels is not None
    assert np.mean(predicted.labels == new["bought"]) > 0.7


def listed(context: FakeContext) -> list[ModelFacts]:
    entries = model_folder.list_models(context.models_folder)
    assert all(isinstance(entry, ModelFacts) for entry in entries)
    return [entry for entry in entries if isinstance(entry, ModelFacts)]


def test_the_stored_model_predicts_what_training_predicted(context: FakeContext) -> None:
    frame = shop()
    path = write(context, frame)
    table = read_table(path, free_ram_bytes=MEMORY)
    inputs = TrainInputs(target="bought")
    one = lesson.lesson_of(table, "bought", path, inputs)
    from desktop.jobs.ml.blend import fit_blend, target_of
    from desktop.jobs.ml.budget import Budget
    from desktop.jobs.ml.explaining import predict_fold
    from desktop.jobs.ml.features import matrices

    target = target_of(one.frame[one.target], one.task)
    fitted = fit_blend(one.frame, one.columns, target, budget=Budget(600), seed=0)
    parts = [part.features for part in fitted.folds]
    expected = np.mean(
        [
            predict_fold(fitted, part, matrix)
            for part, matrix in zip(fitted.folds, matrices(parts, one.frame), strict=True)
        ],
        axis=0,
    )
    output = trained(context, file=path.name)
    opened = model_folder.open_model(context.models_folder, output.model.model_id)
    told = opened.predict(one.frame).probabilities
    assert told is not None
    np.testing.assert_allclose(told, expected, atol=1e-9)


def test_what_is_missing_is_asked(tmp_path: Path) -> None:
    context = context_of(tmp_path, {"file": "1", "target": "spent"})
    write(context, mixed(80))
    output = train.run(context, TrainInputs())
    assert [asking.key for asking in context.asked] == ["file", "target"]
    assert output.model.task == "regression"
    assert output.model.metric == "R²"


def test_a_quick_model_is_stored_before_the_plan_and_survives_a_stop(
    context: FakeContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(context, shop())
    stages: list[str] = []

    def stop_at_boosting(stage: str, *_: object, **__: object) -> None:
        stages.append(stage)
        if stage == "boosting":
            raise KeyboardInterrupt

    monkeypatch.setattr(context, "progress", stop_at_boosting)
    with pytest.raises(KeyboardInterrupt):
        trained(context, file=path.name)
    manifest = manifest_of(context)
    assert manifest.status == "quick"
    opened = model_folder.open_model(context.models_folder, manifest.model_id)
    assert opened.predict(read_table(path, free_ram_bytes=MEMORY).frame).rows == 200


def test_the_same_file_and_seed_give_the_same_model_file(tmp_path: Path) -> None:
    hashes = []
    for number in range(3):
        (tmp_path / str(number)).mkdir()
        context = context_of(tmp_path / str(number))
        path = write(context, shop(60))
        trained(context, file=path.name, seed=7 if number < 2 else 8)
        hashes.append(manifest_of(context).files["model.npz"].sha256)
    assert hashes[0] == hashes[1] != hashes[2]


def test_a_tiny_budget_is_told_and_still_gives_a_model(context: FakeContext) -> None:
    path = write(context, shop())
    output = trained(context, file=path.name, budget_seconds=0.01)
    assert not output.model.complete
    assert manifest_of(context).status == "partial"
    assert any("more time may give a better model" in note for note in output.notes)


def test_progress_names_reading_first_and_goes_on_to_the_end(context: FakeContext) -> None:
    trained(context, file=write(context, shop()).name)
    assert context.stages[0] == "reading the file"
    assert {"a first quick model", "boosting", "which columns matter"} <= set(context.stages)
    assert context.stages[-1] == "storing the model"


def test_the_bar_only_grows_and_is_full_once_at_the_very_end(context: FakeContext) -> None:
    trained(context, file=write(context, shop()).name)
    shares = [told.done / told.total for told in context.told]
    assert shares == sorted(shares)
    assert [share for share in shares if share >= 0.999] == [1.0]


def test_explanations_name_the_columns_that_matter(context: FakeContext) -> None:
    path = write(context, mixed(250).drop(columns=["bought", "grade"]))
    output = trained(context, "spent", file=path.name)
    assert output.strongest[0] in ("age", "income")
    plots = model_folder.read_side_file(context.models_folder, output.model.model_id, "plots.json")
    assert {"importance", "leaderboard", "learning_curve"} <= plots.keys()


def test_more_rows_are_told_to_help_where_they_do(context: FakeContext) -> None:
    from desktop.jobs.ml.blend import fit_blend, target_of
    from desktop.jobs.ml.budget import Budget

    frame = mixed(1500)
    columns = {"age": "number", "town": "category", "note": "text"}
    target = target_of(frame["spent"], "regression")
    fitted = fit_blend(frame, columns, target, budget=Budget(1e-6), seed=0)
    points = learning_curve(fitted, frame, target, Budget(600))
    assert [round(point.rows, -2) for point in points] == [300, 600, 1100]
    assert points[0].score < points[-1].score


def test_every_run_of_a_single_column_table_works(context: FakeContext) -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=200)
    path = write(context, pd.DataFrame({"x": x, "y": x + rng.normal(0, 0.1, 200)}))
    assert trained(context, "y", file=path.name).model.score > 0.9


def bad(column: str, values: object) -> pd.DataFrame:
    return pd.DataFrame({"x": np.linspace(0, 1, 60), column: values})


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        (bad("y", "same"), "target_constant"),
        (bad("y", np.nan), "target_empty"),
        (bad("y", [f"u{number}" for number in range(60)]), "target_is_id"),
        (mixed(10)[["age", "bought"]].rename(columns={"bought": "y"}), "too_few_rows"),
        (pd.DataFrame({"y": ["a", "b"] * 30}), "columns_none"),
        (pd.DataFrame({"y": ["a", "b"] * 30, "gone": ""}), "columns_none"),
    ],
)
def test_a_target_that_cannot_be_learnt_is_refused_with_the_next_step(
    context: FakeContext, frame: pd.DataFrame, code: str
) -> None:
    path = write(context, frame)
    with pytest.raises(BadInput) as caught:
        trained(context, "y", file=path.name)
    assert caught.value.code == code
    assert caught.value.hint.endswith(".")
    assert not listed(context)


def test_an_unknown_column_is_refused(context: FakeContext) -> None:
    with pytest.raises(AppError) as caught:
        trained(context, "bougt", file=write(context, shop(50)).name)
    assert caught.value.code == "column_unknown"
    assert "bought" in caught.value.hint


def test_a_worker_without_scikit_learn_says_what_to_install(
    context: FakeContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "sklearn", None)
    with pytest.raises(Unavailable) as caught:
        train.run(context, TrainInputs())
    assert caught.value.code == "ml_not_installed"
    assert "deskhand setup ml" in caught.value.hint
    assert not context.asked


def test_the_executor_is_imported_without_heavy_libraries() -> None:
    script = (
        "import sys, desktop.jobs.ml.train;"
        "sys.exit(any(name in sys.modules for name in ('pandas', 'sklearn', 'numpy')))"
    )
    root = Path(__file__).parents[4]
    assert subprocess.run([sys.executable, "-c", script], cwd=root, check=False).returncode == 0


def test_a_table_larger_than_the_memory_is_learnt_in_part_and_says_so(
    context: FakeContext,
) -> None:
    path = write(context, mixed(3000)[["age", "income", "spent"]])
    table = read_table(path, free_ram_bytes=MEMORY)
    whole = lesson.lesson_of(table, "spent", path, TrainInputs(target="spent"))
    part = lesson.within_memory(whole, memory_bytes=200_000)
    assert len(part.frame) == 1250
    assert part.warnings[0].startswith("learnt from a random part of 1,250 of 3,000 rows")
    assert lesson.within_memory(whole, MEMORY) is whole


def test_rows_without_a_target_are_not_learnt_from(context: FakeContext) -> None:
    frame = mixed(100)[["age", "spent"]]
    frame.loc[:19, "spent"] = np.nan
    path = write(context, frame)
    one = lesson.lesson_of(
        read_table(path, free_ram_bytes=MEMORY), "spent", path, TrainInputs(target="spent")
    )
    assert len(one.frame) == 80
    assert Training(context, one, Bar(context.progress), 0.0).run().model.rows == 80


@pytest.mark.parametrize(
    ("given", "stem", "name"),
    [
        ("My model ", "sales", "My model"),
        (None, "churn", "Churn"),
        (None, "sales_2025", "Churn (sales_2025)"),
        ("  ", "sales", "Churn (sales)"),
    ],
)
def test_a_model_is_named_as_asked_or_by_its_target(
    given: str | None, stem: str, name: str
) -> None:
    assert lesson.name_of(given, stem, "Churn") == name


def test_a_column_that_gives_the_answer_away_is_told_first(context: FakeContext) -> None:
    frame = shop(200)
    frame["refund"] = np.where(frame["bought"] == "yes", 12.5, 0.0)
    output = trained(context, file=write(context, frame).name)
    assert output.notes[0].startswith("⚠ ")
    assert "refund" in output.notes[0]
    assert output.notes[0].removeprefix("⚠ ") in manifest_of(context).warnings


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        (mixed(10)[["age", "spent"]], "has only 10 rows; at least 20 are needed"),
        (mixed(80)[["spent"]], "has only 1 column; one is predicted from the others"),
    ],
)
def test_a_table_nothing_can_be_learnt_from_is_refused_before_a_question(
    context: FakeContext, frame: pd.DataFrame, message: str
) -> None:
    path = write(context, frame)
    with pytest.raises(BadInput, match=message):
        train.run(context, TrainInputs(file=path.name))
    assert context.asked == []
