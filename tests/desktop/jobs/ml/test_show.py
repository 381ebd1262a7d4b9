"""One model in words and in pictures, from what its folder holds."""

from __future__ import annotations

import functools
import struct
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from desktop.charts.picture import save as paint
from desktop.charts.shapes import BARS_SHOWN_MAX, PLOTS, Bars, Curves, Grid, Histogram
from desktop.jobs.ml.importance import ColumnImportance
from desktop.jobs.ml.manifest import Source, Task
from desktop.jobs.ml.model_folder import Extras, save
from desktop.jobs.ml.plot_shapes import Held
from desktop.jobs.ml.plots import Measured, make
from desktop.jobs.ml.show import run
from shared.errors import AppError
from shared.kinds.ml import ModelFacts, ModelInputs
from tests.desktop.jobs.fake_context import FakeContext, context_of
from tests.desktop.jobs.ml.small_models import facts, small_fitted
from tests.desktop.jobs.ml.test_plots import several, two_classes

fitted = functools.cache(small_fitted)
PNG = b"\x89PNG\r\n\x1a\n"
WIDTH = 1200


def prices(rows: int = 300) -> Held:
    random = np.random.default_rng(2)
    y = random.lognormal(11, 0.5, rows)
    return Held(task="regression", classes=(), y=y, predicted=(y * 1.1)[:, None])


HELD = {"binary": two_classes, "multiclass": lambda: several(3), "regression": prices}


def plots_of(task: Task, *, columns: int = 3) -> dict[str, Any]:
    found = [ColumnImportance(f"column {n}", 0.1 / (n + 1), 0.01) for n in range(columns)]
    measured = Measured(metric="AUC", fold_scores=(0.8, 0.9), baseline=0.5, importance=found)
    return make(HELD[task](), measured)


def stored(context: FakeContext, task: Task = "binary", *, hours: float = 0, **more: Any) -> str:
    plots = more.pop("plots", None)
    told: ModelFacts = save(
        context.models_folder,
        fitted(task),
        facts(more.pop("name", "Churn"), **more),
        status="complete",
        extras=Extras(schema={}, plots=plots_of(task) if plots is None else plots),
        now=datetime.now(UTC) - timedelta(hours=hours),
    )
    return told.model_id


def size_of(path: Path) -> tuple[int, int]:
    raw = path.read_bytes()
    assert raw.startswith(PNG)
    width, height = struct.unpack(">II", raw[16:24])
    return width, height


def test_a_model_is_told_in_a_few_lines(tmp_path: Path) -> None:
    context = context_of(tmp_path)
    model_id = stored(
        context,
        hours=2,
        strongest=("age", "plan"),
        warnings=("column `id` was left out",),
        source=Source(name="churn.csv", size_bytes=1, sha256="0" * 64),
        seconds=41.2,
    )
    told = run(context, ModelInputs(model="churn"))
    assert told.headline == "Churn: AUC 0.85 ± 0.01 (always guessing: 0.50)."
    assert told.notes == (
        "Predicts left from 5 columns; trained on 300 rows of churn.csv.",
        "Strongest: age, plan.",
        "Trained 2 hours ago in 41 s.",
        "⚠ column `id` was left out",
        f"Its id: {model_id}",
    )
    assert told.model.model_id == model_id
    assert context.sent == []


@pytest.mark.parametrize(
    ("task", "names"),
    [
        ("binary", ["importance", "confusion", "calibration"]),
        ("multiclass", ["importance", "confusion"]),
        ("regression", ["importance", "predicted true"]),
    ],
)
def test_its_plots_are_pictures_that_fit_a_phone(
    tmp_path: Path, task: Task, names: list[str]
) -> None:
    context = context_of(tmp_path)
    stored(context, task)
    told = run(context, ModelInputs(model="1", plot=True))
    assert told.headline == f"Churn: {len(names)} plots are on the way."
    assert [name for _, name in context.sent] == [f"Churn {name}.png" for name in names]
    for path, _ in context.sent:
        assert path.parent == context.workdir
        width, height = size_of(path)
        assert width == WIDTH
        assert 300 <= height <= 900


def test_a_model_saved_without_plots_says_so(tmp_path: Path) -> None:
    context = context_of(tmp_path)
    stored(context, plots={})
    with pytest.raises(AppError) as caught:
        run(context, ModelInputs(model="Churn", plot=True))
    assert caught.value.code == "plots_none"
    assert caught.value.hint


def test_a_plot_the_folder_lacks_is_left_out_and_named(tmp_path: Path) -> None:
    context = context_of(tmp_path)
    plots = plots_of("binary")
    del plots["importance"]
    stored(context, plots=plots)
    told = run(context, ModelInputs(model="Churn", plot=True))
    assert len(context.sent) == 2
    assert told.notes == ("Which columns matter was not measured; that needs more training time.",)


def test_nothing_is_drawn_where_no_file_may_leave(tmp_path: Path) -> None:
    context = context_of(tmp_path)
    stored(context)
    context.may_send = False
    with pytest.raises(AppError) as caught:
        run(context, ModelInputs(plot=True))
    assert caught.value.code == "sending_refused"
    assert context.asked == []
    assert run(context, ModelInputs(model="Churn")).notes


def test_a_number_means_the_same_model_after_another_was_trained(tmp_path: Path) -> None:
    context = context_of(tmp_path)
    oldest, second = stored(context, hours=3), stored(context, hours=2, name="Prices")
    assert run(context, ModelInputs(model="2")).model.model_id == second
    stored(context, hours=1, name="Later")
    assert run(context, ModelInputs(model="1")).model.model_id == oldest
    assert run(context, ModelInputs(model="#2")).model.model_id == second
    with pytest.raises(AppError) as caught:
        run(context, ModelInputs(model="4"))
    assert caught.value.code == "model_missing"


def test_a_model_whose_name_is_a_number_comes_before_the_model_of_that_number(
    tmp_path: Path,
) -> None:
    context = context_of(tmp_path)
    stored(context, hours=2)
    named = stored(context, hours=1, name="1")
    assert run(context, ModelInputs(model="1")).model.model_id == named


NASTY = ("$x^{$", "a" * 300, "<b>&amp;</b>", "line\nbreak", "cod\u202evsc", "日本語", "\ud83d", "")


def test_no_name_of_a_column_or_class_breaks_a_picture(tmp_path: Path) -> None:
    values = tuple(0.1 / (n + 1) for n in range(len(NASTY)))
    bars = Bars(title="$", value_label="drop", labels=NASTY, values=values)
    paint(bars, tmp_path / "bars.png", subtitle="\\frac{")
    counts = tuple(tuple(range(len(NASTY))) for _ in NASTY)
    grid = Grid(title="G", x_label="p", y_label="t", labels=NASTY, counts=counts)
    paint(grid, tmp_path / "grid.png", subtitle="x" * 400)
    assert size_of(tmp_path / "bars.png")[0] == size_of(tmp_path / "grid.png")[0] == WIDTH


@pytest.mark.parametrize("count", [1, 2, BARS_SHOWN_MAX, 40])
def test_few_bars_make_a_low_picture_and_many_are_cut(tmp_path: Path, count: int) -> None:
    labels = tuple(f"column {n}" for n in range(count))
    bars = Bars(title="T", value_label="v", labels=labels, values=(0.0,) * count)
    paint(bars, tmp_path / "bars.png", subtitle="s")
    _, height = size_of(tmp_path / "bars.png")
    assert (height < 400) == (count <= 2)
    assert height <= 900


def test_every_shape_training_stores_but_the_histogram_can_be_drawn(tmp_path: Path) -> None:
    for task in ("binary", "multiclass", "regression"):
        for name, plot in PLOTS.validate_python(plots_of(task)).items():
            if isinstance(plot, Bars | Curves | Grid):
                paint(plot, tmp_path / f"{name}.png", subtitle=task)
                assert size_of(tmp_path / f"{name}.png")[0] == WIDTH
            else:
                assert isinstance(plot, Histogram)
