"""Runs the code of an analysis in a box: no network, the tables read only, one folder to write in.

Of what it leaves there one JSON document is read, never through a link, never more than is allowed.
"""

from __future__ import annotations

import asyncio
import json
import os
import stat
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

import desktop
from desktop.core.analysis.results import RESULT_BYTES_MAX, Results, read_results
from desktop.core.code.box import Box, BoxLimits
from desktop.jobs.analysis_box.__main__ import LOOK, RESULTS, TABLE_STATUS
from desktop.jobs.code.removing import remove
from desktop.jobs.code.sandbox import Sandbox
from desktop.jobs.code.testing import Ended, ended
from desktop.system.program import boxed_command
from shared.errors import BadInput
from shared.kinds.data import DescribeOutput
from shared.plain_text import plain

WORD = "analysis"
"""Of `desktop.jobs.inside`."""
_RUN = "import runpy, sys; sys.path.insert(0, sys.argv.pop(1)); runpy.run_module"
_OWN = f'{_RUN}("desktop.jobs.analysis_box", run_name="__main__", alter_sys=True)'
LIMITS = BoxLimits(
    memory_bytes_max=2 * 1024**3,
    processes_max=64,
    file_bytes_max=32 * 1024**2,
    disk_bytes_max=256 * 1024**2,
    scratch_bytes_max=64 * 1024**2,
    open_files_max=256,
    cpu_seconds_max=180,
)
SECONDS_MAX = 180.0
AT_ONCE_MAX = 2
SAID_CHARS_MAX = 4_000
THREADS = "2"
_LOOKS: TypeAdapter[dict[str, DescribeOutput]] = TypeAdapter(dict[str, DescribeOutput])


class Turns:
    """How many boxes run at once, of all analyses of one child."""

    def __init__(self) -> None:
        self.free = asyncio.Semaphore(AT_ONCE_MAX)

    async def aclose(self) -> None:
        """Nothing is open."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """Where one analysis runs."""

    sandbox: Sandbox
    folder: Path
    """The job's own; what is below "box" in it is the box's."""
    tables: Mapping[str, Path]
    limits: BoxLimits = LIMITS
    seconds_max: float = SECONDS_MAX
    turns: Turns = field(default_factory=Turns)

    @property
    def out(self) -> Path:
        return self.folder / "box" / "out"


async def look(room: Room) -> dict[str, DescribeOutput]:
    """Describe the tables.

    Raises:
        BadInput: `table_unreadable`.
    """
    over = await _ran(room, "look", "")
    if over.status == TABLE_STATUS:
        raise BadInput("table_unreadable", _said(over), "Look at the file with /describe.")
    content = _read(room.out / LOOK) if over.status == 0 else None
    try:
        return _LOOKS.validate_json(content or b"")
    except ValidationError:
        raise BadInput(
            "table_unreadable",
            f"The tables could not be read in their box: {why(over, room)}",
            "Take a smaller file, or look at it with /describe.",
        ) from None


async def compute(room: Room, code: str) -> Results:
    """Run code on the tables.

    Raises:
        BadInput: `code_failed`, `results_invalid`, `results_none`, in words for its writer.
    """
    over = await _ran(room, "run", code)
    if over.status != 0 or over.overrun is not None or over.is_late:
        raise BadInput("code_failed", why(over, room), "")
    content = _read(room.out / RESULTS)
    if content is None:
        raise BadInput("results_none", "Nothing was handed over that could be read.", "")
    results = read_results(content)
    if results.is_empty:
        raise BadInput("results_none", "No table and no number was handed over with `out`.", "")
    return results


def why(over: Ended, room: Room) -> str:
    """Say why a run did not end well."""
    if over.overrun is not None:
        return f"{over.overrun.message} It was stopped."
    if over.is_late:
        return f"It took longer than {room.seconds_max:.0f} s and was stopped."
    return _said(over) or f"It ended with status {over.status}."


def _said(over: Ended) -> str:
    return plain(over.output.decode(errors="replace").strip())[-SAID_CHARS_MAX:]


async def _ran(room: Room, word: str, code: str) -> Ended:
    order = await asyncio.to_thread(_prepared, room, code)
    box = Box(
        workdir=room.out,
        home=room.folder / "box" / "home",
        read_only=(order.parent, *dict.fromkeys(room.tables.values())),
        env={
            "PYTHONDONTWRITEBYTECODE": "1",
            **dict.fromkeys(
                ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), THREADS
            ),
        },
        limits=room.limits,
    )
    argv = (*_command(), word, str(order))
    launch = await asyncio.to_thread(room.sandbox.launch, box, argv)
    async with room.turns.free:
        return await ended(launch, room.seconds_max)


def _command() -> tuple[str, ...]:
    boxed = boxed_command(WORD)
    if boxed is not None:
        return tuple(boxed)
    # The place on the import path is an argument: a variable would reach all that is started.
    return (sys.executable, "-I", "-c", _OWN, str(Path(desktop.__file__).resolve().parents[1]))


def _prepared(room: Room, code: str) -> Path:
    """Make the box's folders anew, so that nothing of a run before is found in them."""
    place = room.folder / "box"
    remove(place)
    for name in ("out", "home", "order"):
        (place / name).mkdir(parents=True, mode=0o700)
    order = place / "order" / "order.json"
    told = {"tables": {name: str(path) for name, path in room.tables.items()}, "code": code}
    order.write_text(json.dumps(told), encoding="utf-8")
    return order


def _read(path: Path) -> bytes | None:
    """Read what a stranger's program left: an ordinary file of an allowed size, or nothing."""
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    try:
        with os.fdopen(os.open(path, flags), "rb") as file:
            facts = os.fstat(file.fileno())
            if not stat.S_ISREG(facts.st_mode) or facts.st_size > RESULT_BYTES_MAX:
                return None
            return file.read(RESULT_BYTES_MAX)
    except OSError:
        return None
