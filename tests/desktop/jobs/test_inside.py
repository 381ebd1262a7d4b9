"""The self-contained program is all of our programs in a box: it runs each by its word."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import desktop
from desktop.jobs.inside import run_inside
from desktop.system.program import JOB, boxed_command


def test_a_word_that_is_none_of_ours_is_left_to_others() -> None:
    assert run_inside([]) is None
    assert run_inside(["run-job"]) is None


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("relay",), "relay: PORT SOCKET -- COMMAND"),
        (("ask-human",), "ask_human: PORT"),
    ],
)
def test_each_part_is_found_by_its_word(words: tuple[str, ...], says: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "desktop", "in-box", *words],
        env={**os.environ, "PYTHONPATH": str(Path(desktop.__file__).parents[1])},
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip

    assert done.returncode != 0
    assert says in done.stderr


def test_with_a_python_files_are_run_and_no_words_are_needed() -> None:
    assert boxed_command("relay") is None


def test_the_job_runner_beside_the_program_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "deskhand"))
    alone = boxed_command("relay")
    (tmp_path / JOB).touch()

    assert alone == [str(tmp_path / "deskhand"), "in-box", "relay"]
    assert boxed_command("relay") == [str(tmp_path / JOB), "relay"]
