"""Where an agent's program is, and which folders a box has to show so that it runs there.

Agents come from npm, pipx, a download: a link in one folder, the program in another, and an
interpreter in a third.
"""

from __future__ import annotations

import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

import desktop
from desktop.core.code.agent_profiles import OWN, AgentProfile
from desktop.system.program import boxed_command
from shared.errors import NotFound

SHEBANG_BYTES_MAX = 512
_RUN = "import runpy, sys; sys.path.insert(0, sys.argv.pop(1)); runpy.run_module"
_OWN = f'{_RUN}("desktop.jobs.code.builtin", run_name="__main__", alter_sys=True)'
WRAPPER = "/usr/bin/env"


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """A program that is there."""

    path: Path
    """As it is called."""
    folders: tuple[Path, ...]
    """To be shown in a box (`Box.read_only`), beside the system's."""


def own_agent() -> tuple[str, ...]:
    """Return the command of our own agent.

    Its place on the import path is an argument: a variable would reach all that the agent starts,
    and change what the clone's own programs import.
    """
    boxed = boxed_command("builtin")
    if boxed is not None:
        return tuple(boxed)
    return (sys.executable, "-I", "-c", _OWN, str(Path(desktop.__file__).resolve().parents[1]))


def program_of(profile: AgentProfile, *, search: str | None = None) -> Program:
    """Find an agent's program.

    Args:
        profile: the agent.
        search: folders as in PATH; this process's own when None.

    Raises:
        NotFound: `agent_missing`, with how to get it.
    """
    if profile.program == OWN:
        # Boxes show the worker's own Python and code anyway.
        return Program(path=Path(own_agent()[0]), folders=())
    name = profile.program
    found = shutil.which(name, path=search)
    if found is None:
        raise NotFound(
            "agent_missing",
            f"{profile.title} is not on this machine: there is no program {name!r}.",
            profile.packages and f"To get it: {profile.packages}",
        )
    path = Path(found).absolute()
    folders = dict.fromkeys([*_folders(path), *_interpreter(path.resolve(), search)])
    return Program(path=path, folders=tuple(folder for folder in folders if folder.is_dir()))


def _folders(path: Path) -> list[Path]:
    """Return the folder of a link, and that of what it leads to, with all its packages."""
    real = path.resolve()
    return [path.parent, _outermost(real, "node_modules") or _environment(real) or real.parent]


def _outermost(path: Path, name: str) -> Path | None:
    return next((above for above in reversed(path.parents) if above.name == name), None)


def _environment(path: Path) -> Path | None:
    """Return the virtual environment that a program of Python's is part of."""
    return next((above for above in path.parents if (above / "pyvenv.cfg").is_file()), None)


def _interpreter(path: Path, search: str | None) -> list[Path]:
    """Return the folders of what a script names in its first line."""
    try:
        with path.open("rb") as script:
            first = script.readline(SHEBANG_BYTES_MAX)
    except OSError:
        return []
    if not first.startswith(b"#!"):
        return []
    words = first[2:].decode(errors="replace").split()
    if words and words[0] == WRAPPER:
        words = [word for word in words[1:] if not word.startswith("-") and "=" not in word]
    found = shutil.which(words[0], path=search) if words else None
    if found is None:
        return []
    named = Path(found).absolute()
    base = _base_python(named)
    return [*_folders(named), *base]


def _base_python(python: Path) -> list[Path]:
    """Return what a virtual environment's Python stands on."""
    environment = _environment(python)
    if environment is None:
        return []
    lines = (environment / "pyvenv.cfg").read_text(encoding="utf-8").splitlines()
    homes = [line.partition("=")[2].strip() for line in lines if line.startswith("home")]
    # The folder "bin" of an installation: its libraries are beside it.
    return [Path(home).parent for home in homes if os.path.isabs(home)]  # noqa: PTH117
