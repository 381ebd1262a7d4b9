"""The best sandbox that holds is taken; one that the owner names, or none."""

from __future__ import annotations

from pathlib import Path

import pytest

from desktop.core.code.box import Box, Launch
from desktop.core.code.ground import Ground
from desktop.core.code.rules import CodeRules, SandboxChoice
from desktop.core.code.sandbox_words import Reason
from desktop.jobs.code.sandbox import choose_now
from desktop.jobs.code.sandbox.choosing import Try, pick
from desktop.jobs.code.sandbox.none import NoSandbox
from desktop.jobs.code.sandbox.survey import survey
from desktop.jobs.code.sandbox.trial import try_out
from shared.errors import Unavailable
from tests.desktop.core.code.boxes import GROUND

BUBBLEWRAP, LANDLOCK = SandboxChoice.BUBBLEWRAP, SandboxChoice.LANDLOCK
RULES = CodeRules()


def works(name: str) -> Try:
    def attempt(ground: Ground, rules: CodeRules) -> NoSandbox:
        sandbox = NoSandbox(ground, why="", hint="")
        sandbox.name = name
        sandbox.is_isolating = True
        return sandbox

    return attempt


def fails(why: str, hint: str = "") -> Try:
    return lambda ground, rules: Reason(why=why, hint=hint)


def never(ground: Ground, rules: CodeRules) -> Reason:
    raise AssertionError("tried")


def test_the_first_that_works_is_taken_and_no_other_is_tried() -> None:
    found = pick(SandboxChoice.AUTO, GROUND, RULES, {BUBBLEWRAP: works("b"), LANDLOCK: never})

    assert (found.name, found.why) == ("b", "")


def test_a_lesser_one_says_why_the_better_one_does_not_work() -> None:
    ways = {BUBBLEWRAP: fails("It is not installed.", "Install it."), LANDLOCK: works("l")}

    found = pick(SandboxChoice.AUTO, GROUND, RULES, ways)

    assert (found.name, found.is_isolating) == ("l", True)
    assert (found.why, found.hint) == ("It is not installed.", "Install it.")


def test_with_none_that_works_nothing_is_isolated_and_it_says_why() -> None:
    found = pick(
        SandboxChoice.AUTO, GROUND, RULES, {BUBBLEWRAP: fails("A."), LANDLOCK: fails("B.")}
    )

    assert not found.is_isolating
    assert (found.name, found.why) == ("none", "A. B.")


def test_one_that_the_owner_names_is_taken_though_a_better_one_works() -> None:
    assert pick(LANDLOCK, GROUND, RULES, {BUBBLEWRAP: never, LANDLOCK: works("l")}).name == "l"


def test_one_that_the_owner_names_and_that_does_not_work_is_an_error() -> None:
    with pytest.raises(Unavailable) as caught:
        pick(LANDLOCK, GROUND, RULES, {BUBBLEWRAP: works("b"), LANDLOCK: fails("Too old.")})

    assert caught.value.code == "sandbox_unavailable"
    assert "Too old." in caught.value.message


def test_the_owner_may_want_none() -> None:
    found = choose_now(CodeRules(sandbox=SandboxChoice.NONE))

    assert (found.name, found.is_isolating) == ("none", False)


def test_a_sandbox_that_holds_nothing_is_found_out_by_its_trial() -> None:
    assert try_out(NoSandbox(survey(), why="", hint="")) == "a file outside could be read"


def test_a_sandbox_that_starts_nothing_is_told_in_its_words() -> None:
    class Mute(NoSandbox):
        def launch(self, box: Box, argv: object) -> Launch:
            said = ("/bin/sh", "-c", "echo 'bwrap: no \\033[1m permission' >&2; exit 1")
            return Launch(argv=said, env={}, cwd=box.workdir)

    told = try_out(Mute(survey(), why="", hint=""))

    assert told.startswith("bwrap: no")
    assert "\033" not in told


def test_the_survey_shows_no_home_and_finds_our_own_python(tmp_path: Path) -> None:
    ground = survey(guarded=[tmp_path], environ={"PATH": "/usr/bin", "LANG": "C", "KEY": "x"})

    shown = (*ground.system, *ground.tools)
    assert tmp_path in ground.guarded
    assert Path.home() in ground.guarded
    assert not any(guard.is_relative_to(path) for path in shown for guard in ground.guarded)
    assert ground.language == {"LANG": "C"}


def test_an_owners_tools_are_shown_unless_they_are_secrets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in (".ssh", ".config/gh", "sdk/bin", ".cargo/bin"):
        (tmp_path / name).mkdir(parents=True)

    (tmp_path / "innocent").symlink_to(tmp_path / ".ssh")
    (tmp_path / ".nvm").symlink_to(tmp_path)

    ground = survey(tools=("~/.ssh", "~/.config/gh", "~", "~/sdk/bin", "sdk", "~/innocent"))

    below = {path for path in ground.tools if path.is_relative_to(tmp_path)}
    assert below == {tmp_path / "sdk/bin", tmp_path / ".cargo/bin"}


def test_a_link_to_tools_is_shown_with_what_it_leads_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "dotfiles/bin").mkdir(parents=True)
    (tmp_path / ".local").mkdir()
    (tmp_path / ".local/bin").symlink_to(tmp_path / "dotfiles/bin")

    assert {tmp_path / ".local/bin", tmp_path / "dotfiles/bin"} <= set(survey().tools)


def test_settings_that_not_everybody_may_read_are_hidden() -> None:
    closed = {path for path in Path("/etc").iterdir() if not path.stat().st_mode & 0o004}

    ground = survey()

    assert closed <= {*ground.secret_files, *ground.secret_folders}
    shown = {path for paths in ground.mixed.values() for path in paths}
    assert not closed & shown
