"""The tests of a clone are run in a box, within limits, and nothing of them is left."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from pathlib import Path

import psutil
import pytest

from desktop.core.code.box import BoxLimits
from desktop.core.code.rules import CodeRules
from desktop.jobs.code.sandbox import Sandbox, choose_now
from desktop.jobs.code.testing import OUTPUT_BYTES_MAX, Suites, read_tree

QUICK_SECONDS = 1.0
MARK = "86399.25"
"""Seconds that nobody else sleeps."""


@pytest.fixture(scope="module")
def sandbox() -> Sandbox:
    found = choose_now(CodeRules())
    if not found.is_isolating:
        pytest.skip(f"no sandbox works here: {found.why}")
    return found


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    (tmp_path / "clone").mkdir()
    return tmp_path / "clone"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "home").mkdir()
    return tmp_path / "home"


def suites(sandbox: Sandbox, seconds_max: float = 60.0) -> Suites:
    return Suites(sandbox, BoxLimits(), seconds_max=seconds_max)


def sleepers() -> list[int]:
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if process.cmdline()[-1:] == [MARK]:
                found.append(process.pid)
    return found


async def until_gone() -> None:
    async with asyncio.timeout(20):
        # Nobody rings when a process is gone.
        while sleepers():  # noqa: ASYNC110
            await asyncio.sleep(0.02)


async def test_the_exit_status_counts_and_not_what_is_printed(
    sandbox: Sandbox, tree: Path, home: Path
) -> None:
    good = await suites(sandbox).run("echo '3 passed in 0.1s'", tree, home)
    bad = await suites(sandbox).run("echo '999 passed in 0.1s'; exit 1", tree, home)

    assert (good.facts.is_good, good.facts.passed, good.facts.failed) == (True, 3, 0)
    assert (bad.facts.is_good, bad.facts.passed) == (False, 999)


async def test_a_suite_without_a_test_is_neither_good_nor_bad(
    sandbox: Sandbox, tree: Path, home: Path
) -> None:
    ran = await suites(sandbox).run("echo 'no tests ran in 0.01s'; exit 5", tree, home)

    assert ran.facts.is_good is None


async def test_what_an_agent_planted_in_the_home_is_not_there(
    sandbox: Sandbox, tree: Path, home: Path
) -> None:
    (home / ".local" / "bin").mkdir(parents=True)
    (home / ".local" / "bin" / "python3").write_text("#!/bin/sh\nexit 0\n")
    (home / ".profile").write_text("exit 0\n")

    ran = await suites(sandbox).run('test -z "$(ls -A "$HOME" | grep -v .tmp)"', tree, home)

    assert ran.facts.is_good


async def test_tests_reach_no_network(sandbox: Sandbox, tree: Path, home: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        script = f"import socket; socket.create_connection(('127.0.0.1', {port}), 3)"

        ran = await suites(sandbox).run(f'python3 -c "{script}"', tree, home)

    assert not ran.facts.is_good


async def test_tests_that_take_too_long_are_ended_with_all_they_started(
    sandbox: Sandbox, tree: Path, home: Path
) -> None:
    ran = await suites(sandbox, QUICK_SECONDS).run(
        f"(setsid sleep {MARK} &) ; sleep {MARK}", tree, home
    )

    assert not ran.facts.is_good
    assert "took longer than 1 s" in ran.output
    await until_gone()


async def test_what_good_tests_leave_running_is_ended(
    sandbox: Sandbox, tree: Path, home: Path
) -> None:
    ran = await suites(sandbox).run(f"(setsid sleep {MARK} >/dev/null 2>&1 &)", tree, home)

    assert ran.facts.is_good
    await until_gone()


async def test_a_cancelled_run_leaves_nothing(sandbox: Sandbox, tree: Path, home: Path) -> None:
    async with asyncio.TaskGroup() as group:
        running = group.create_task(suites(sandbox).run(f"sleep {MARK}", tree, home))
        async with asyncio.timeout(20):
            while not sleepers():  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        running.cancel()

    await until_gone()


async def test_only_the_end_of_a_flood_is_kept(sandbox: Sandbox, tree: Path, home: Path) -> None:
    ran = await suites(sandbox).run("yes | head -c 20000000; echo '1 passed in 1s'", tree, home)

    assert ran.facts.passed == 1
    assert len(ran.output) <= OUTPUT_BYTES_MAX


def test_links_in_a_clone_are_not_read(tree: Path, tmp_path: Path) -> None:
    (tmp_path / "outside.json").write_text('{"scripts": {"test": "secret"}}')
    (tree / "package.json").symlink_to(tmp_path / "outside.json")
    (tree / "far").symlink_to(tmp_path)

    files = read_tree(tree)

    assert files.texts == {"package.json": ""}
    assert all(not path.startswith("far/") for path in files.paths)


async def test_without_pytest_tests_are_run_by_the_standard_library(
    sandbox: Sandbox, tree: Path, home: Path
) -> None:
    (tree / "tests").mkdir()
    (tree / "tests" / "test_a.py").write_text("import unittest\n")
    # A module of that name in the way stands for a box that has none.
    (tree / "pytest.py").write_text("raise ImportError\n")

    assert "unittest discover" in await suites(sandbox).find(tree, home)
