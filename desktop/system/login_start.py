"""What every way to start at login shares: the program, the state told, files and commands."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from shared.errors import Unavailable

RUN_SECONDS = 20.0
_STARTED: list[subprocess.Popen[bytes]] = []
"""Kept, for Python warns of a child that it forgets while it runs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """How autostart stands, in words that fit a chat."""

    is_on: bool
    place: str
    """The file or key that it is, or would be."""
    notes: tuple[str, ...] = ()
    """What else the person should know, as sentences."""


class Autostart(Protocol):
    def turn_on(self, *, is_now: bool = False) -> State:
        """Start at every login from the next one on; `is_now` starts it at once, too.

        Idempotent; an entry of an earlier version is written anew.

        Raises:
            AppError: the system refused.
        """

    def turn_off(self) -> State:
        """Do not start at login any more; what runs goes on. Idempotent."""

    def state(self) -> State:
        """Read how it stands."""


@dataclass(frozen=True, slots=True)
class Ran:
    """What became of a program that was run."""

    code: int
    said: str


Run = Callable[[Sequence[str]], Ran]


def run_program(command: Sequence[str], variables: Mapping[str, str] = os.environ) -> Ran:
    """Run a program of the system; one that is missing or hangs is a failure like any other."""
    try:
        ended = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=RUN_SECONDS,
            env=with_user_manager(variables),
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return Ran(127, str(error))
    return Ran(ended.returncode, (ended.stdout + ended.stderr).strip())


def with_user_manager(variables: Mapping[str, str]) -> dict[str, str]:
    """Return an environment in which `systemctl --user` finds its manager.

    A login by `su`, and the child of a worker, have lost the variable that names the place.
    """
    if variables.get("XDG_RUNTIME_DIR") or not hasattr(os, "getuid"):
        return dict(variables)
    return {**variables, "XDG_RUNTIME_DIR": f"/run/user/{os.getuid()}"}


def start_detached(command: Sequence[str], log: Path) -> None:
    """Start the worker now, apart from this terminal; its words go to a file."""
    if sys.platform == "win32":
        apart = subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.DETACHED_PROCESS
    else:
        apart = 0
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as words:
        started = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=words,
            stderr=words,
            cwd=Path.home(),
            start_new_session=sys.platform != "win32",
            creationflags=apart,
        )
    _STARTED.append(started)


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """What is to be started."""

    command: tuple[str, ...]
    home: str
    """The profile, when it is one apart; empty for the person's own."""
    log: Path
    """For what it says where the system keeps no journal."""


def write_if_new(path: Path, content: bytes) -> bool:
    """Write a file whole or not at all; False when it was so already."""
    if not path.is_symlink() and path.is_file() and path.read_bytes() == content:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f"{path.name}.new")
    aside.unlink(missing_ok=True)
    with aside.open("xb") as opened:
        opened.write(content)
    aside.replace(path)
    return True


def refused(command: Sequence[str], ran: Ran) -> Unavailable:
    said = ran.said.splitlines()[-1][:200] if ran.said else f"exit code {ran.code}"
    return Unavailable(
        "autostart_refused",
        f"The system did not take it: {' '.join(command[:3])} said: {said}.",
        "`deskhand autostart status` shows how it stands.",
    )
