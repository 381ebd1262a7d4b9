"""The doctor says which sandbox coding jobs have, why no better one, and how it is had."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from desktop.core.code.box import Box, Launch
from desktop.doctor.sandbox import examine_sandbox, finding
from desktop.system.paths import Paths


@dataclass
class Told:
    """A sandbox that says of itself what a test wants."""

    name: str = "bubblewrap"
    is_isolating: bool = True
    why: str = ""
    hint: str = ""

    def port(self) -> int:
        raise AssertionError

    def launch(self, box: Box, argv: object) -> Launch:
        raise AssertionError


def test_the_best_sandbox_is_named_without_more_words() -> None:
    told = finding(Told())

    assert told.is_well
    assert told.sentence == "Coding jobs run in a sandbox (bubblewrap)"
    assert told.hint == ""


def test_a_lesser_sandbox_is_well_and_says_how_the_better_one_is_had() -> None:
    told = finding(
        Told("landlock", why="bubblewrap is not installed.", hint="sudo apt install bubblewrap")
    )

    assert told.is_well
    assert told.sentence.endswith("a better one does not work: bubblewrap is not installed")
    assert told.hint == "sudo apt install bubblewrap"


def test_no_sandbox_is_something_to_look_at() -> None:
    told = finding(Told("none", is_isolating=False, why="This kernel has no Landlock."))

    assert not told.is_well
    assert told.sentence == (
        "Coding jobs have no sandbox, so none runs without you. This kernel has no Landlock"
    )


def test_windows_has_none_and_that_is_no_fault_of_the_machine() -> None:
    assert finding(Told("none", is_isolating=False), platform="win32").is_well


def test_a_sandbox_that_the_owner_names_and_that_does_not_work_is_told(tmp_path: Path) -> None:
    (tmp_path / "policy.toml").write_text('[code]\nsandbox = "seatbelt"\n', encoding="utf-8")

    (told,) = examine_sandbox(Paths(data=tmp_path, config=tmp_path))

    assert not told.is_well
    assert "'seatbelt' does not work on this machine" in told.sentence
