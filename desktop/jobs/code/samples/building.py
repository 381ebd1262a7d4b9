"""Makes a git repository of a sample's files, with a bare remote beside it, as a person has one."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

SECONDS_MAX = 60.0
MOMENT = "1767225600 +0000"
"""The same commit each time: 1 January 2026."""


@dataclass(frozen=True, slots=True)
class SampleRepository:
    folder: Path
    """A working folder with its origin."""
    remote: Path
    """That origin: bare, where branches are pushed to."""

    def branches(self) -> dict[str, str]:
        """Return the commits of the remote's branches by name."""
        told = git(
            self.remote, "for-each-ref", "--format=%(refname:short) %(objectname)", "refs/heads"
        )
        return dict(line.split(" ") for line in told.splitlines())

    def show(self, branch: str, path: str) -> str:
        """Return a file of the remote as it is in a branch."""
        return git(self.remote, "show", f"{branch}:{path}")


def build(folder: Path, name: str, files: Mapping[str, str]) -> SampleRepository:
    """Make "NAME" and "NAME.git" in a folder; it blocks."""
    made = SampleRepository(folder=folder / name, remote=folder / f"{name}.git")
    for path, content in files.items():
        file = made.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content, encoding="utf-8", newline="\n")
    git(made.folder, "init", "--quiet", "--initial-branch=main", "--template=", ".")
    git(made.folder, "add", "--all")
    git(made.folder, "commit", "--quiet", "--message=First version")
    git(folder, "clone", "--quiet", "--bare", "--template=", str(made.folder), str(made.remote))
    git(made.folder, "remote", "add", "origin", str(made.remote))
    return made


def git(folder: Path, *words: str) -> str:
    """Run git there without anybody's configuration; return what it says."""
    names = ("PATH", "SYSTEMROOT", "TEMP", "TMP")
    env = {name: os.environ[name] for name in names if name in os.environ}
    who = {"NAME": "Anna", "EMAIL": "anna@example.org", "DATE": MOMENT}
    env |= {
        f"GIT_{role}_{what}": told for what, told in who.items() for role in ("AUTHOR", "COMMITTER")
    }
    env |= {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "HOME": str(folder)}
    ran = subprocess.run(
        ["git", *words], cwd=folder, env=env, capture_output=True, timeout=SECONDS_MAX, check=True
    )
    return ran.stdout.decode()
