"""Models appear whole or not at all, are listed cheaply, and never opened when in doubt."""

from __future__ import annotations

import errno
import functools
import json
import os
import shutil
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from desktop.jobs.ml import array_file, model_files, model_folder
from desktop.jobs.ml.model_folder import BrokenModel, Extras, list_models, open_model, save
from shared.errors import AppError, BadInput, LimitReached, NotAllowed, NotFound
from shared.kinds.ml import ModelFacts
from tests.desktop.jobs.ml.small_models import blended_by_sklearn, facts, small_fitted, table

fitted = functools.cache(small_fitted)
NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
EXTRAS = Extras(schema={"columns": [1, 2]}, plots={"roc": {}}, importance={"columns": []}, log="ok")


def stored(models: Path, name: str = "Churn", *, minutes: int = 0, **more: Any) -> ModelFacts:
    moment = NOON + timedelta(minutes=minutes)
    options: dict[str, Any] = {"status": "complete", "extras": EXTRAS, "now": moment} | more
    return save(models, fitted("binary"), facts(name), **options)


def folder_of(models: Path, told: ModelFacts) -> Path:
    return models / model_folder.slug(told.name) / told.model_id


def test_a_saved_model_is_listed_and_predicts_the_same(tmp_path: Path) -> None:
    told = stored(tmp_path)

    opened = open_model(tmp_path, told.model_id)

    assert list_models(tmp_path) == (told,)
    assert opened.schema == EXTRAS.schema
    assert opened.manifest.facts == told
    ours = opened.predict(table(50, seed=3)).probabilities
    theirs = blended_by_sklearn(fitted("binary"), table(50, seed=3))
    assert np.abs(np.asarray(ours) - theirs).max() <= 1e-9


def test_a_folder_holds_all_that_a_browser_shows(tmp_path: Path) -> None:
    told = stored(tmp_path)

    names = {path.name for path in folder_of(tmp_path, told).iterdir()}

    assert names == {
        "manifest.json",
        "schema.json",
        "model.npz",
        "plots.json",
        "importance.json",
        "card.md",
        "train.log",
    }
    assert model_folder.read_side_file(tmp_path, told.model_id, "plots.json") == {"roc": {}}
    assert "# Churn" in (folder_of(tmp_path, told) / "card.md").read_text(encoding="utf-8")


def test_the_manifest_names_what_it_was_made_with(tmp_path: Path) -> None:
    manifest = model_folder.find(tmp_path, stored(tmp_path).name)

    assert manifest.created_at == "2026-11-21T12:00:00Z"
    assert {"numpy", "scikit-learn"} <= set(manifest.versions)
    assert manifest.classes == fitted("binary").classes
    assert manifest.threshold == fitted("binary").threshold


def test_the_newest_is_first_and_is_what_a_name_means(tmp_path: Path) -> None:
    old = stored(tmp_path)
    other = stored(tmp_path, "Prices", minutes=1)
    new = stored(tmp_path, minutes=2)

    assert list_models(tmp_path) == (new, other, old)
    assert open_model(tmp_path, " churn ").manifest.model_id == new.model_id
    assert open_model(tmp_path, old.model_id).manifest.model_id == old.model_id


def test_a_final_model_takes_the_place_of_the_quick_one(tmp_path: Path) -> None:
    quick = stored(tmp_path, status="quick")
    assert not quick.complete

    final = stored(tmp_path, minutes=1, replaces=quick.model_id)

    assert list_models(tmp_path) == (final,)


def test_only_so_many_versions_of_a_name_are_kept(tmp_path: Path) -> None:
    all_of_them = [stored(tmp_path, minutes=number) for number in range(7)]
    other = stored(tmp_path, "Prices")

    listed = list_models(tmp_path)

    assert set(listed) == {*all_of_them[-model_folder.VERSIONS_KEPT :], other}


def test_what_a_killed_training_left_is_not_listed_and_goes_in_time(tmp_path: Path) -> None:
    stored(tmp_path)
    fresh, stale = tmp_path / "churn" / ".tmp-fresh", tmp_path / "churn" / ".tmp-stale"
    for leftover in (fresh, stale):
        leftover.mkdir()
        (leftover / "model.npz").write_bytes(b"half")
    long_ago = time.time() - 2 * model_files.LEFTOVER_SECONDS
    os.utime(stale, (long_ago, long_ago))
    assert len(list_models(tmp_path)) == 1

    stored(tmp_path, minutes=1)

    assert fresh.exists()
    assert not stale.exists()


def test_every_file_is_on_disk_before_the_model_appears(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[object] = []
    sync, rename = os.fsync, Path.rename

    def noted_sync(handle: int) -> None:
        steps.append(os.fstat(handle).st_ino)
        sync(handle)

    def noted_rename(path: Path, to: Path) -> Path:
        steps.append("appears")
        return rename(path, to)

    monkeypatch.setattr(os, "fsync", noted_sync)
    monkeypatch.setattr(Path, "rename", noted_rename)

    folder = folder_of(tmp_path, stored(tmp_path))

    before = set(steps[: steps.index("appears")])
    assert {path.stat().st_ino for path in (folder, *folder.iterdir())} <= before
    assert steps[-1] == folder.parent.stat().st_ino


def test_a_save_that_fails_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(array_file, "write", full)

    with pytest.raises(LimitReached) as caught:
        stored(tmp_path)

    assert caught.value.code == "disk_full"
    assert list_models(tmp_path) == ()
    assert not list((tmp_path / "churn").iterdir())


def test_a_models_folder_that_cannot_be_made_is_told_with_a_hint(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")

    with pytest.raises(AppError) as caught:
        stored(tmp_path / "file")

    assert caught.value.code == "write_failed"
    assert str(tmp_path / "file") in caught.value.message


def test_a_closed_models_folder_is_told_with_a_hint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def closed(*_: object, **__: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Path, "mkdir", closed)

    with pytest.raises(NotAllowed) as caught:
        stored(tmp_path)

    assert caught.value.code == "folder_read_only"


def test_a_machine_without_models_lists_none(tmp_path: Path) -> None:
    assert list_models(tmp_path / "nowhere") == ()
    with pytest.raises(NotFound) as caught:
        open_model(tmp_path / "nowhere", "Churn")
    assert str(caught.value) == "No models yet. /train makes one."


def test_a_model_replaced_while_listing_is_gone_not_broken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    quick, other = stored(tmp_path), stored(tmp_path, "Prices")
    read = model_files.read_manifest

    def replaced_just_now(folder: Path) -> Any:
        if folder.name == quick.model_id:
            shutil.rmtree(folder)
        return read(folder)

    monkeypatch.setattr(model_files, "read_manifest", replaced_just_now)

    assert list_models(tmp_path) == (other,)


def test_a_folder_that_may_not_be_read_hides_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored(tmp_path, "Secret")
    other = stored(tmp_path, "Prices")
    iterate = Path.iterdir

    def closed(path: Path) -> Any:
        if path.name == "secret":
            raise PermissionError(errno.EACCES, "Permission denied")
        return iterate(path)

    monkeypatch.setattr(Path, "iterdir", closed)

    assert list_models(tmp_path) == (other,)


@pytest.mark.parametrize("asked", ["Chrun", "../../etc", "", "*"])
def test_an_unknown_model_is_told_with_near_names(asked: str, tmp_path: Path) -> None:
    stored(tmp_path)

    with pytest.raises(NotFound) as caught:
        open_model(tmp_path, asked)

    assert caught.value.code == "model_missing"
    assert "Churn" in caught.value.hint


def manifest_with(**changes: Any) -> Any:
    def change(folder: Path) -> None:
        path = folder / "manifest.json"
        told = json.loads(path.read_text(encoding="utf-8"))
        told.update(changes)
        path.write_text(json.dumps(told), encoding="utf-8")

    return change


def overwritten(name: str, content: bytes) -> Any:
    return lambda folder: (folder / name).write_bytes(content)


def removed(name: str) -> Any:
    return lambda folder: (folder / name).unlink()


@pytest.mark.parametrize(
    ("harm", "code"),
    [
        (removed("manifest.json"), "model_damaged"),
        (removed("model.npz"), "model_changed"),
        (removed("schema.json"), "model_changed"),
        (overwritten("manifest.json", b""), "model_damaged"),
        (overwritten("manifest.json", b"{}"), "model_damaged"),
        (overwritten("manifest.json", b"[" * 100_000), "model_damaged"),
        (overwritten("manifest.json", b"\xff\xfe\x00"), "model_damaged"),
        (overwritten("model.npz", b"short"), "model_changed"),
        (overwritten("schema.json", b"{}"), "model_changed"),
        (manifest_with(format_version=2), "model_too_new"),
        (manifest_with(format_version=2, task="novel", metrics="new"), "model_too_new"),
        (manifest_with(model_id="../../elsewhere"), "model_damaged"),
        (manifest_with(files={}), "model_damaged"),
        (manifest_with(files={"model.npz": {"size_bytes": 1, "sha256": ""}}), "model_changed"),
        (manifest_with(rows="many"), "model_damaged"),
        (manifest_with(warnings=["x" * 5_000_000]), "model_damaged"),
    ],
)
def test_a_harmed_model_is_listed_with_its_reason_and_never_opened(
    harm: Any, code: str, tmp_path: Path
) -> None:
    good, bad = stored(tmp_path, "Good"), stored(tmp_path, "Bad", minutes=1)

    harm(folder_of(tmp_path, bad))

    broken, listed = list_models(tmp_path)
    assert listed == good
    assert isinstance(broken, BrokenModel)
    assert broken.error.code == code
    assert broken.reason
    with pytest.raises(BadInput) as caught:
        open_model(tmp_path, bad.model_id)
    assert caught.value.code == code


@pytest.mark.parametrize("name", ["model.npz", "schema.json"])
def test_one_changed_byte_keeps_a_model_closed(name: str, tmp_path: Path) -> None:
    told = stored(tmp_path)
    path = folder_of(tmp_path, told) / name
    content = bytearray(path.read_bytes())
    content[-2] ^= 1
    path.write_bytes(bytes(content))

    with pytest.raises(BadInput) as caught:
        open_model(tmp_path, told.model_id)

    assert caught.value.code == "model_changed"
    assert name in caught.value.message


def test_an_evil_model_with_fitting_hashes_is_refused_too(tmp_path: Path) -> None:
    told = stored(tmp_path)
    folder = folder_of(tmp_path, told)
    array_file.write(folder / "model.npz", [np.ones(3)], {"format_version": 1, "folds": [[[]]]})
    from desktop.jobs.ml.model_files import facts_of

    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    manifest["files"]["model.npz"] = facts_of(folder / "model.npz").model_dump()
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")

    with pytest.raises(BadInput) as caught:
        open_model(tmp_path, told.model_id)
    assert caught.value.code == "model_damaged"


@pytest.mark.parametrize(
    ("name", "folder"),
    [
        ("Churn 2025 / Q1", "churn-2025-q1"),
        ("../../etc/passwd", "etc-passwd"),
        ("Отток клиентов", "отток-клиентов"),
        ("", "model"),
        ("...", "model"),
        ("CON", "model-con"),
        ("x" * 300, "x" * 60),
        ("a\0b\n", "a-b"),
    ],
)
def test_any_name_makes_a_harmless_folder(name: str, folder: str) -> None:
    assert model_folder.slug(name) == folder


def copies(models: Path, count: int) -> None:
    """Make many models of one, as listing needs no real arrays."""
    told = stored(models)
    first = folder_of(models, told)
    for number in range(count - 1):
        model_id = f"20250101-000000-{number:06x}"
        copy = models / f"copy-{number % 40}" / model_id
        copy.mkdir(parents=True)
        for path in first.iterdir():
            text = path.read_bytes()
            if path.name == "manifest.json":
                text = text.replace(told.model_id.encode(), model_id.encode())
            (copy / path.name).write_bytes(text)


LIST = """
import sys
from pathlib import Path
from desktop.jobs.ml.model_folder import list_models
from shared.kinds.ml import ModelFacts
listed = list_models(Path(sys.argv[1]))
assert all(isinstance(one, ModelFacts) for one in listed), listed
heavy = {"numpy", "pandas", "sklearn", "scipy"} & set(sys.modules)
print(len(listed), sorted(heavy))
"""


def test_two_hundred_models_are_listed_without_a_heavy_import(tmp_path: Path) -> None:
    copies(tmp_path, 200)

    child = subprocess.run(
        [sys.executable, "-c", LIST, str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )

    assert child.stdout.strip() == "200 []", child.stderr
