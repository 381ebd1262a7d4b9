"""The shelf of models: read without their numbers, renamed, put aside and brought back."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from desktop.desk.models import (
    PREVIEW_CELL_CHARS_MAX,
    PREVIEW_ROWS_MAX,
    REMOVED,
    BrokenModel,
    Manifest,
    Models,
    preview,
)
from desktop.jobs.ml.model_folder import VERSIONS_KEPT
from shared.errors import AppError
from tests.desktop.jobs.fake_context import FakeContext
from tests.desktop.jobs.ml.test_show import plots_of, stored

ROOT = Path(__file__).parents[3]


@pytest.fixture
def context(tmp_path: Path) -> FakeContext:
    return FakeContext(tmp_path / "files", tmp_path)


@pytest.fixture
def models(context: FakeContext) -> Models:
    return Models(context.models_folder)


async def names(models: Models) -> list[str]:
    return [entry.name for entry in await models.entries()]


async def test_models_are_listed_the_newest_first_and_broken_ones_say_why(
    context: FakeContext, models: Models
) -> None:
    assert await models.entries() == ()
    stored(context, hours=2, name="Old")
    stored(context, hours=1, name="New")
    broken = context.models_folder / "bad" / "20200101-000000-aaaaaa"
    broken.mkdir(parents=True)
    found = await models.entries()
    assert [entry.name for entry in found] == ["New", "Old", "bad"]
    assert isinstance(found[2], BrokenModel)
    assert "manifest.json" in found[2].reason


async def test_a_detail_holds_plots_and_columns(context: FakeContext, models: Models) -> None:
    model_id = stored(context, plots=plots_of("binary"))
    detail = await models.detail(model_id)
    assert detail.manifest.model_id == model_id
    assert "roc" in detail.plots
    assert detail.trouble == ""


async def test_a_plot_that_was_tampered_with_is_told_and_the_rest_is_shown(
    context: FakeContext, models: Models
) -> None:
    model_id = stored(context)
    detail = await models.detail(model_id)
    (detail.folder / "plots.json").write_text("{}", encoding="utf-8")
    changed = await models.detail(model_id)
    assert changed.plots == {}
    assert "plots.json" in changed.trouble
    assert changed.manifest == detail.manifest


async def test_a_new_name_lasts_and_the_model_stays_whole(
    context: FakeContext, models: Models
) -> None:
    model_id = stored(context, name="Churn")
    await models.rename(model_id, "  Churn \u202eof Q2 ")
    (entry,) = await models.entries()
    assert isinstance(entry, Manifest)
    assert entry.name.startswith("Churn")
    assert "\u202e" not in entry.name
    assert (await models.detail(model_id)).plots


async def test_a_renamed_model_outlives_new_versions_of_its_old_name(
    context: FakeContext, models: Models
) -> None:
    kept = stored(context, hours=100, name="Churn")
    await models.rename(kept, "Churn, the good one")
    for hours in range(1, VERSIONS_KEPT + 2):
        stored(context, hours=hours, name="Churn")
    assert (await models.detail(kept)).manifest.name == "Churn, the good one"
    assert (await names(models)).count("Churn") == VERSIONS_KEPT


async def test_a_renamed_model_that_is_removed_comes_back_under_its_new_name(
    context: FakeContext, models: Models
) -> None:
    model_id = stored(context, name="Churn")
    await models.rename(model_id, "Other")
    await models.restore(await models.remove(model_id))
    assert await names(models) == ["Other"]


@pytest.mark.parametrize("name", ["", "   ", "x" * 201])
async def test_a_name_that_is_none_is_refused(
    context: FakeContext, models: Models, name: str
) -> None:
    model_id = stored(context)
    with pytest.raises(AppError) as caught:
        await models.rename(model_id, name)
    assert caught.value.code == "model_name_invalid"
    assert await names(models) == ["Churn"]


async def test_what_is_removed_comes_back_as_it_was(context: FakeContext, models: Models) -> None:
    model_id = stored(context)
    before = await models.detail(model_id)
    removed = await models.remove(model_id)
    assert await models.entries() == ()
    with pytest.raises(AppError) as caught:
        await models.detail(model_id)
    assert caught.value.code == "model_missing"
    await models.restore(removed)
    assert await models.detail(model_id) == before


async def test_a_broken_model_can_be_removed_too(context: FakeContext, models: Models) -> None:
    broken = context.models_folder / "bad" / "20200101-000000-aaaaaa"
    broken.mkdir(parents=True)
    removed = await models.remove(broken.name)
    assert await models.entries() == ()
    assert removed.name == "bad"


async def test_what_was_removed_long_ago_is_gone_for_good(
    context: FakeContext, models: Models
) -> None:
    old = await models.remove(stored(context, name="Old"))
    long_ago = old.aside.with_name(f"{int(time.time()) - 8 * 86400}-old-x")
    old.aside.rename(long_ago)
    await models.remove(stored(context, name="New"))
    assert await models.entries() == ()
    assert not long_ago.exists()
    assert len(list((context.models_folder / REMOVED).iterdir())) == 1
    with pytest.raises(AppError) as caught:
        await models.restore(old)
    assert caught.value.code == "model_gone"


async def test_an_id_that_climbs_finds_nothing(context: FakeContext, models: Models) -> None:
    stored(context)
    for name in ("..", "../..", "churn", ""):
        with pytest.raises(AppError) as caught:
            await models.remove(name)
        assert caught.value.code == "model_missing"


async def test_a_preview_is_a_few_harmless_rows(tmp_path: Path) -> None:
    path = tmp_path / "result.csv"
    rows = "".join(f'{n},"a ""b""\u202e, c"\n' for n in range(1000))
    path.write_text(f"\ufeffid,text\n{rows}", encoding="utf-8")
    told = await preview(path)
    assert told.head == ("id", "text")
    assert len(told.rows) == PREVIEW_ROWS_MAX
    assert not told.is_whole
    assert told.rows[0][0] == "0"
    assert "\u202e" not in told.rows[0][1]
    path.write_text("a\n1\n", encoding="utf-8")
    assert (await preview(path)).is_whole
    path.write_text("", encoding="utf-8")
    assert (await preview(path)).rows == ()


async def test_a_preview_shows_little_of_a_cell_that_holds_a_book(tmp_path: Path) -> None:
    path = tmp_path / "result.csv"
    path.write_text(f'text\n{"x" * 1000}\n"two\nlines"\n', encoding="utf-8")
    (long,), (two,) = (await preview(path)).rows
    assert len(long) == PREVIEW_CELL_CHARS_MAX + 1
    assert long.endswith("…")
    assert two == "two lines"
    path.write_text(f"text\n{'x' * 200_000}\n", encoding="utf-8")
    with pytest.raises(AppError) as caught:
        await preview(path)
    assert caught.value.code == "file_unreadable"


async def test_a_preview_of_a_file_that_moved_says_so(tmp_path: Path) -> None:
    with pytest.raises(AppError) as caught:
        await preview(tmp_path / "gone.csv")
    assert caught.value.code == "file_missing"


def test_the_shelf_is_read_without_the_libraries_of_numbers() -> None:
    code = (
        "import sys; import desktop.desk.models\n"
        "assert not {'numpy', 'pandas', 'sklearn', 'PySide6.QtGui'} & set(sys.modules)"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, "-c", code], check=True, env=environment, timeout=30)
