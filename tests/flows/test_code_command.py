"""`deskhand code` as a person uses it: a real terminal, sandbox and agent, and a scripted model."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from desktop.commands.diff import PAGER
from desktop.jobs.code.samples import till
from desktop.jobs.code.samples.building import SampleRepository, build, git
from desktop.system.paths import Paths, find_paths
from tests.flows.terminal import ROOT, at_terminal
from tests.llm_servers.scripted import ScriptedModel, running

pytestmark = [pytest.mark.flow, pytest.mark.timeout(240)]
SUITE = "python3 -m unittest discover -s tests -t ."
SECONDS = 120.0


@pytest.fixture
def model() -> Iterator[ScriptedModel]:
    with running() as opened:
        opened.script(*till.STEPS)
        yield opened


@pytest.fixture
def paths(tmp_path: Path, model: ScriptedModel) -> Paths:
    """A machine that belongs to no hub, with a model of its own."""
    made = find_paths(tmp_path / "home")
    made.make()
    made.policy.write_text(
        'disk_free_bytes_min = 0\n[code]\nmodel = "local:scripted"\n'
        f'[[llm.endpoints]]\nname = "local"\nbase_url = "{model.openai_url}"\n'
        'is_local = true\nmodels = ["scripted"]\n'
    )
    return made


@pytest.fixture
def repository(tmp_path: Path) -> SampleRepository:
    folder = tmp_path / "projects"
    folder.mkdir()
    return build(folder, till.NAME, till.FILES)


def command(paths: Paths, *words: object) -> list[str]:
    return [sys.executable, "-m", "desktop", "--home", str(paths.home), *map(str, words)]


def environment() -> dict[str, str]:
    told = {**os.environ, "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring"}
    return told | {"PYTHONPATH": str(ROOT)}


def said(paths: Paths, *words: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(paths, *words), cwd=ROOT, env=environment(), capture_output=True, text=True,
        timeout=SECONDS, check=False, stdin=subprocess.DEVNULL,
    )  # fmt: skip


def order(*more: str) -> tuple[str, ...]:
    return ("code", "fix", "-m", till.INSTRUCTIONS, "--test", SUITE, *more)


def left_behind(folder: Path) -> list[psutil.Process]:
    """Processes that have to do with a test's folder and still run."""
    found = []
    for process in psutil.process_iter(["cmdline"]):
        words = " ".join(process.info["cmdline"] or ())
        if str(folder) in words and process.pid != os.getpid():
            found.append(process)
    return found


def test_a_bug_is_mended_after_a_question_and_a_look_at_the_change(
    paths: Paths, repository: SampleRepository, tmp_path: Path
) -> None:
    words = command(paths, *order())
    with at_terminal(words, environment(), folder=repository.folder / "tests") as at:
        at.until("> ")
        at.type("1")
        at.until("or diff, to see it first")
        at.until("> ")
        at.type("diff")
        at.until("diff --git")
        if shutil.which(PAGER[0]):
            at.until("daily_totals")
            at.press("q")
        at.until("> ")
        at.type("push")
        at.until("See it: deskhand diff")
        assert at.exit_code() == 0

    told = git(repository.folder, "for-each-ref", "--format=%(refname:short)", "refs/heads")
    (branch,) = set(told.split()) - {"main"}
    assert branch.startswith("deskhand/")
    kept = json.loads(said(paths, "diff", "--json").stdout)
    assert kept["branch"] == branch
    assert kept["files_total"] >= 1
    assert not list(paths.data.glob("alone-*"))
    assert left_behind(tmp_path) == []


def test_without_a_terminal_defaults_are_taken_and_nothing_leaves_the_machine(
    paths: Paths, repository: SampleRepository, tmp_path: Path
) -> None:
    done = said(paths, *order(str(repository.folder), "--json"))
    assert done.returncode == 0, done.stderr
    assert "> Keep it here" in done.stderr
    told = json.loads(done.stdout)
    assert (told["state"], told["result"]["is_pushed"]) == ("succeeded", False)
    assert set(repository.branches()) == {"main"}
    assert "+++ b/till/report.py" in said(paths, "diff", told["short"]).stdout
    assert left_behind(tmp_path) == []


def test_ctrl_c_ends_the_agent_and_pushes_nothing(
    paths: Paths, repository: SampleRepository, tmp_path: Path
) -> None:
    with at_terminal(command(paths, *order(str(repository.folder))), environment()) as at:
        at.until("> ")
        at.press_ctrl_c()
        at.until("Stopping")
        at.until("Stopped.")
        assert at.exit_code() == 130
    assert set(repository.branches()) == {"main"}
    assert left_behind(tmp_path) == []
