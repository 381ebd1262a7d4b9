"""What a forge runs by itself is known by its name, and other files are not taken for it."""

from __future__ import annotations

import pytest

from desktop.core.code.file_sorts import is_run_by_forge


@pytest.mark.parametrize(
    "path",
    [
        ".github/workflows/ci.yml", ".GitHub/actions/x/action.yml", ".gitlab-ci.yml",
        "deploy/.gitlab-ci-more.yml", "bitbucket-pipelines.yml", ".travis.yml", ".drone.yml",
        ".buildkite/pipeline.yml", ".builds/a.yml", "ci/Jenkinsfile", "Jenkinsfile.release",
        "appveyor.yml", ".cirrus.star", "cloudbuild.yaml", ".woodpecker.yml",
    ],
)  # fmt: skip
def test_what_a_forge_runs_is_known(path: str) -> None:
    assert is_run_by_forge(path)


@pytest.mark.parametrize("path", ["", "src/app.py", "github/x.py", ".github", "docs/travis.md"])
def test_other_files_are_not(path: str) -> None:
    assert not is_run_by_forge(path)
