"""A Box as Landlock's rules, and all else that its launcher must know, as one text.

Landlock alone is no wall: it knows ports but no addresses, TCP but nothing else, and no metadata.
The filter of `seccomp.py` does the rest, with a supervisor that connects and changes modes itself.
Where a folder holds secrets, what is beside them is named instead, for Landlock takes nothing back.
"""

from __future__ import annotations

import marshal
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from desktop.core.code.box import Box
from desktop.core.code.ground import Ground, check_box, outermost
from desktop.core.code.limits import limits_of
from desktop.core.code.seccomp import REFERRED, Machine, program

DEVICES = ("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom")
"""No terminals: those of the person's other programs are among them."""
PROCESSES = "/proc"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wall:
    """What `desktop/jobs/code/landlock_box/` reads."""

    read: tuple[str, ...]
    """Files, and folders with all that is in them; programs in them may be run."""
    look: tuple[str, ...]
    """Folders whose names may be listed, and those of what is in them."""
    write: tuple[str, ...]
    devices: tuple[str, ...]
    port: int
    """The only port that may be connected to, on 127.0.0.1; 0 for none."""
    filter: str
    """In hexadecimal."""
    referred: dict[str, str]
    """Names of the calls that the filter refers, by their numbers."""
    limits: dict[str, int]

    def to_text(self) -> str:
        """Write it for the same Python to read without importing anything."""
        return marshal.dumps(asdict(self)).hex()


def wall(box: Box, ground: Ground, machine: Machine) -> Wall:
    """Return what a box may, in Landlock's terms.

    Raises:
        BadInput: `box_path`.
    """
    check_box(box, ground)
    calls = machine.calls
    mixed = ground.mixed
    shown = (*(path for path in ground.system if path not in mixed), *ground.tools, *box.read_only)
    beside = tuple(path for paths in mixed.values() for path in paths)
    return Wall(
        read=_texts((*outermost(shown), *beside, Path(PROCESSES))),
        look=_texts((*mixed, *ground.listed)),
        write=_texts(outermost(box.writable_all)),
        devices=DEVICES,
        port=box.port if box.gateway is not None else 0,
        filter=program(machine, is_shared=True).hex(),
        referred={str(calls[name]): name for name in REFERRED if name in calls},
        limits=limits_of(box.limits),
    )


def _texts(paths: Iterable[Path]) -> tuple[str, ...]:
    return tuple(str(path) for path in paths)
