"""The planted bugs as their files tell them, and a copy of the product with one of them in it."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FOLDER = Path(__file__).resolve().parent / "bugs"
COPIED = ("desktop", "hub", "shared", "tests", "packaging", "pyproject.toml")


@dataclass(frozen=True, slots=True, kw_only=True)
class Bug:
    path: Path
    name: str
    wrong: str
    """What is wrong, in a sentence."""
    found_by: tuple[str, ...]
    """Rungs that must find it, the cheapest first."""


def read(path: Path) -> Bug:
    """Read the lines that stand before a patch's diff."""
    told: dict[str, list[str]] = {}
    for line in path.read_text().split("\n---", 1)[0].splitlines():
        name, _, value = line.partition(": ")
        told.setdefault(name, []).append(value)
    [name], [wrong] = told["name"], told["wrong"]
    return Bug(path=path, name=name, wrong=wrong, found_by=tuple(told["found by"]))


def all_bugs() -> list[Bug]:
    return [read(path) for path in sorted(FOLDER.glob("*.patch"))]


def why_not(bug: Bug, tree: Path = ROOT) -> str:
    """Say why a bug's patch does not fit the product any more; empty when it does."""
    return _git_apply(bug, tree, "--check")


def plant(bug: Bug, tree: Path) -> None:
    """Copy the product to an empty folder and put a bug into it."""
    leave_out = shutil.ignore_patterns("__pycache__", "*.pyc", ".hypothesis", "locks", "img")
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, tree / name, ignore=leave_out)
        else:
            shutil.copy(source, tree / name)
    complaint = _git_apply(bug, tree)
    assert not complaint, complaint


def _git_apply(bug: Bug, tree: Path, *options: str) -> str:
    # Outside of any repository, so that it looks at the folder alone.
    done = subprocess.run(
        ["git", "apply", "--unsafe-paths", *options, str(bug.path)],
        cwd=tree,
        env={"PATH": "/usr/bin:/bin:/usr/local/bin", "GIT_DIR": "/nonexistent"},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stderr.strip() if done.returncode else ""
