"""A machine and a box on it, as values."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from desktop.core.code.box import Box
from desktop.core.code.ground import Ground

HOME = Path("/home/anna")
DATA = HOME / ".local/share/deskhand"
CLONE = DATA / "code/clones/7/tree"
BOX = Box(
    workdir=CLONE,
    home=DATA / "code/clones/7/home",
    read_only=(DATA / "code/mirrors/x.git",),
    gateway=DATA / "run/7.sock",
)
GROUND = Ground(
    system=(Path("/usr"), Path("/etc")),
    links=((Path("/bin"), "usr/bin"),),
    secret_files=(Path("/etc/shadow"),),
    secret_folders=(Path("/etc/ssl/private"),),
    mixed={
        Path("/etc"): (Path("/etc/passwd"), Path("/etc/hosts")),
        Path("/etc/ssl"): (Path("/etc/ssl/certs"),),
    },
    tools=(HOME / ".cargo/bin", HOME / ".venv"),
    relay=("/home/anna/.venv/bin/python", "-I", "-S", "/opt/relay.py"),
    guarded=(Path("/"), Path("/home"), HOME, DATA),
    path=f"{HOME}/.cargo/bin:{HOME}/secret/bin:relative:/usr/bin:/bin",
    language={"LANG": "de_DE.UTF-8"},
)


def box(**changes: object) -> Box:
    return replace(BOX, **changes)  # type: ignore[arg-type]
