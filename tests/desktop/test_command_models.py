"""`deskhand models`: by name, id or number; nothing of a model is run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from desktop.system.paths import find_paths
from tests.desktop.command_world import Profile
from tests.desktop.jobs.fake_context import FakeContext
from tests.desktop.jobs.ml.test_show import stored


@pytest.fixture
def profile(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Profile:
    paths = find_paths(tmp_path / "home")
    paths.make()
    context = FakeContext(tmp_path / "files", tmp_path / "home")
    assert context.models_folder == paths.models
    stored(context, hours=2, name="Old")
    stored(context, hours=1, name="New one")
    return Profile(paths, capsys)


def names(profile: Profile) -> list[str]:
    return [model["name"] for model in json.loads(profile.answer("models", "--json"))]


def test_models_are_listed_and_shown(profile: Profile) -> None:
    assert names(profile) == ["New one", "Old"]
    lines = profile.answer("models").splitlines()
    assert lines[1].startswith("1  New one")
    for name in ("new one", "1"):
        said = profile.answer("models", "show", name)
        assert said.startswith("New one: predicts")
        assert "Columns, the ones that matter most first" in said
    facts = json.loads(profile.answer("models", "show", "Old", "--json"))
    assert facts["name"] == "Old"
    assert facts["metrics"][0]["name"]


def test_a_model_is_renamed_put_aside_and_brought_back(profile: Profile) -> None:
    profile.answer("models", "rename", "2", "Churn 2025")
    assert names(profile) == ["New one", "Churn 2025"]
    assert "models undo" in profile.answer("models", "delete", "churn 2025")
    assert names(profile) == ["New one"]
    assert "Churn 2025 is back" in profile.answer("models", "undo")
    assert names(profile) == ["New one", "Churn 2025"]
    assert profile.run("models", "undo")[0] == 1


@pytest.mark.parametrize("words", [("show",), ("show", "nothing"), ("delete", "9")])
def test_a_model_that_is_not_there_is_named(profile: Profile, words: tuple[str, ...]) -> None:
    code, _, complaint = profile.run("models", *words)
    assert (code, "deskhand models lists them" in complaint) == (1, True)
