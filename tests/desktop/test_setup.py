"""`deskhand setup ml` and `setup llm`: what they run, where they will not, what a failure says."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import venv
from pathlib import Path

import pytest

from desktop.commands.setup import requirements
from desktop.core.toolsets import TOOLSETS, TRAINING, Toolset, toolset_for
from desktop.jobs import EXECUTORS
from desktop.system.hardware import LIBRARIES, lacking
from desktop.system.program import NAME
from shared.kinds.catalogue import BUILT_IN
from shared.requirements import lock_file

ROOT = Path(__file__).parents[2]
PACKAGES = os.pathsep.join(
    (str(ROOT), *(path for path in sys.path if path.endswith("site-packages")))
)


def asked(
    python: Path | str, *arguments: str, what: str = "ml", **variables: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [python, "-m", "desktop", "setup", what, *arguments],
        cwd=ROOT, env={**os.environ, "PYTHONPATH": PACKAGES, **variables},
        capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of a fresh venv."""
    folder = tmp_path_factory.mktemp("venv")
    venv.create(folder, with_pip=False)
    return folder / ("Scripts" if os.name == "nt" else "bin") / "python"


@pytest.mark.parametrize(("what", "package"), [("ml", "scikit-learn"), ("llm", "pydantic-ai-slim")])
def test_the_command_installs_what_is_locked_into_this_venv_alone(
    python: Path, what: str, package: str
) -> None:
    told = asked(python, "--dry-run", what=what)
    assert told.returncode == 0, told.stderr
    command = shlex.split(told.stdout)
    assert command[0] == str(python)
    assert command[1:4] == ["-m", "pip", "install"]
    assert "--require-hashes" in command
    lock = Path(command[command.index("-r") + 1]).read_text()
    assert f"\n{package}==" in lock
    assert "\ndeskhand" not in lock


def test_an_installer_that_fails_is_told_with_what_to_do(python: Path) -> None:
    told = asked(python, PIP_NO_INDEX="1", PIP_FORCE_REINSTALL="1")
    assert told.returncode == 1
    assert "The installer ended with exit code 1" in told.stderr
    assert "network" in told.stderr
    assert "training tools are there" not in told.stdout
    assert "Traceback" not in told.stderr


def test_tools_that_are_there_already_are_no_trouble(python: Path) -> None:
    """They are on this venv's path; the real installer looks, and finds nothing to do."""
    told = asked(python, PIP_NO_INDEX="1")
    assert told.returncode == 0, told.stdout + told.stderr
    assert told.stdout.startswith("Adding the training tools.")
    assert "The training tools are there." in told.stdout


def test_without_pip_and_uv_it_says_how_to_get_one(python: Path, tmp_path: Path) -> None:
    """Packages come from a folder without pip: all that the command line itself imports."""
    code = (
        "import sys, importlib.util as u\nfound = u.find_spec\n"
        "u.find_spec = lambda n, p=None: None if n == 'pip' else found(n, p)\n"
        "from desktop.__main__ import main\nsys.exit(main(['setup', 'ml']))\n"
    )
    told = subprocess.run(
        [python, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": PACKAGES, "PATH": str(tmp_path)},
    )  # fmt: skip
    assert told.returncode == 1
    assert "-m ensurepip" in told.stderr


def test_the_python_of_the_system_is_left_alone() -> None:
    outside = Path(sys.base_prefix) / "bin" / "python3"
    if not outside.exists():
        pytest.skip("this Python has no base to look at")
    told = asked(outside)
    assert told.returncode == 1
    assert "leaves alone" in told.stderr
    assert "scikit-learn" in told.stderr


def test_what_is_added_is_never_looked_up_by_our_own_name() -> None:
    names = requirements(TRAINING)
    assert any(name.startswith("scikit-learn") for name in names)
    assert not any(name.startswith(NAME) for name in names)


@pytest.mark.parametrize("tools", TOOLSETS.values(), ids=lambda tools: tools.name)
def test_the_lock_has_all_that_the_kinds_import(tools: Toolset) -> None:
    """Names of packages and of what they are imported by differ by these few."""
    packages = {"sklearn": "scikit-learn", "pydantic_ai": "pydantic-ai-slim"}
    lock = lock_file(tools.lock).read_text()
    kinds = (name for name in LIBRARIES if toolset_for(name) is tools)
    wanted = {library for kind in kinds for library in LIBRARIES[kind]}
    assert wanted
    assert not [name for name in wanted if f"\n{packages.get(name, name)}==" not in lock]


def test_what_a_worker_lacks_names_the_command_that_adds_it() -> None:
    commands = {lack.kind: lack.command for lack in lacking(BUILT_IN, EXECUTORS, frozenset())}
    assert commands["ml.train"] == "deskhand setup ml"
    assert commands["llm.probe"] == "deskhand setup llm"
