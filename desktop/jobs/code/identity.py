"""Whose name stands under a commit: the person's, as their own git knows it.

The only place where the person's configuration is read, and nothing of it but name and address.
"""

from __future__ import annotations

import getpass
import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from shared.plain_text import plain_line

NAME_CHARS_MAX = 100
COMMITTER_NAME = "Deskhand"
COMMITTER_EMAIL = "deskhand@localhost"
READ_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Identity:
    name: str
    email: str

    def variables(self, *, seconds: int) -> dict[str, str]:
        """Tell git who wrote a commit, and that Deskhand made it of that.

        Args:
            seconds: since the epoch; the same for a commit that is made again.
        """
        moment = f"@{seconds} +0000"
        return {
            "GIT_AUTHOR_NAME": self.name,
            "GIT_AUTHOR_EMAIL": self.email,
            "GIT_AUTHOR_DATE": moment,
            "GIT_COMMITTER_NAME": COMMITTER_NAME,
            "GIT_COMMITTER_EMAIL": COMMITTER_EMAIL,
            "GIT_COMMITTER_DATE": moment,
        }


def read_identity(
    repository: Path | None = None, environment: Mapping[str, str] = os.environ
) -> Identity:
    """Read the person's name and address. It blocks: call it in a thread.

    Args:
        repository: a git folder of the person's own, whose configuration goes before.
        environment: with the person's HOME.
    """
    files = [] if repository is None else [["--file", str(repository / "config")]]
    places = [*files, ["--global"], ["--system"]]
    name = next(filter(None, (_read(p, "user.name", environment) for p in places)), "")
    email = next(filter(None, (_read(p, "user.email", environment) for p in places)), "")
    user = _user()
    return Identity(_clean(name) or user, _clean(email) or f"{user}@localhost")


def _read(place: list[str], key: str, environment: Mapping[str, str]) -> str:
    argv = ["git", "config", *place, "--get", key]
    kept = {name: value for name, value in environment.items() if not name.startswith("GIT_")}
    try:
        ran = subprocess.run(
            argv, env=kept, cwd="/", capture_output=True, timeout=READ_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return ran.stdout.decode(errors="replace").strip() if ran.returncode == 0 else ""


def _user() -> str:
    try:
        return _clean(getpass.getuser()) or "someone"
    except (OSError, KeyError):
        return "someone"


def _clean(text: str) -> str:
    """Leave out what git would not take in a name: "<" and ">" end it."""
    return plain_line(text).translate({60: None, 62: None}).strip(" .,;")[:NAME_CHARS_MAX]
