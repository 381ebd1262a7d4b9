"""Why a sandbox does not work is told with what its owner can do about it."""

from __future__ import annotations

import pytest

from desktop.core.code.sandbox_words import (
    APPARMOR_HINT,
    Reason,
    bubblewrap_failed,
    bubblewrap_missing,
    landlock_failed,
    nothing_isolates,
    told,
)


@pytest.mark.parametrize(
    ("installers", "hint"),
    [
        (("apt-get",), "Install it: sudo apt install bubblewrap"),
        (("dnf", "apt-get"), "Install it: sudo dnf install bubblewrap"),
        ((), "Install it: your package manager"),
    ],
)
def test_a_missing_bubblewrap_is_installed_by_the_systems_own_means(
    installers: tuple[str, ...], hint: str
) -> None:
    assert bubblewrap_missing(installers).hint == hint


@pytest.mark.parametrize(
    ("settings", "word", "hint"),
    [
        ({"kernel/apparmor_restrict_unprivileged_userns": "1"}, "AppArmor", APPARMOR_HINT),
        ({"kernel/unprivileged_userns_clone": "0"}, "kernel", "unprivileged_userns_clone=1"),
        ({"user/max_user_namespaces": "0"}, "no user namespaces", "max_user_namespaces=15000"),
        ({}, "setting up uid map: Permission denied", "docs/sandbox.md"),
        ({"kernel/apparmor_restrict_unprivileged_userns": "0"}, "uid map", "docs/sandbox.md"),
    ],
)
def test_a_bubblewrap_that_does_not_start_is_explained_by_what_forbids_it(
    settings: dict[str, str], word: str, hint: str
) -> None:
    reason = bubblewrap_failed("bwrap: setting up uid map: Permission denied", settings)

    assert word in reason.why
    assert hint in reason.hint


@pytest.mark.parametrize(
    ("abi", "word"),
    [(0, "has no Landlock"), (4, "(version 4) holds back too little"), (7, "a file outside")],
)
def test_landlock_says_which_kernel_it_needs(abi: int, word: str) -> None:
    assert word in landlock_failed(abi, "a file outside could be read").why


def test_with_nothing_at_all_every_reason_is_told_and_the_first_way_out() -> None:
    reason = nothing_isolates((Reason(why="One."), Reason(why="Two.", hint="Do this.")))

    assert reason == Reason(why="One. Two.", hint="Do this.")
    assert nothing_isolates(()).why == "There is no sandbox for this system."


def test_the_line_for_people_names_the_sandbox() -> None:
    assert told("bubblewrap", is_isolating=True, why="") == (
        "Coding jobs run in a sandbox (bubblewrap)"
    )
    assert "none runs without you" in told("none", is_isolating=False, why="Windows.")
