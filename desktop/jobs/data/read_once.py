"""A table that a job of the same session has read before is taken as it was read.

Whoever describes a file mostly trains on it next, and looks at it again after that. Reading is
left to `reading`; here its outcome is kept in the session's workspace, typed, until that goes. A
file that has changed since, or a copy that cannot be read, is simply read anew.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pyarrow as pa
from pyarrow import feather
from pydantic import TypeAdapter, ValidationError

from desktop.jobs.data.reading import LARGE_SHARE, ROWS_MAX, Progress, read_table
from desktop.jobs.data.table import Column, ReadReport, Table

if TYPE_CHECKING:
    from desktop.jobs.context import Context

FORMAT = "1"
"""Changes with what reading makes of a file, or how it is kept."""
KEPT_BYTES_MIN = 256 * 1024
"""A smaller file is read as fast as its copy."""
KEPT_BYTES_MAX = 256 * 2**20
DISK_FREE_SHARE_MAX = 0.1
"""Of the disk's free space, what one copy may take."""
FACTS = b"deskhand.table"


@dataclass(frozen=True, slots=True)
class _Facts:
    """What of a table is no cell."""

    columns: tuple[Column, ...]
    report: ReadReport


_FACTS = TypeAdapter(_Facts)


def read_once(
    context: Context,
    path: Path,
    *,
    rows_max: int | None = ROWS_MAX,
    progress: Progress | None = None,
    seed: int = 0,
) -> Table:
    """Read a table as `read_table` does, or take it from the session's workspace.

    Raises:
        AppError: as `read_table`.
    """
    free = min(psutil.virtual_memory().available, context.memory_bytes_max)
    mark = _mark(path, free)
    if mark is not None:
        kept = _load(context.workspace / mark, rows_max)
        if kept is not None:
            context.log(f"{path.name} was read before in this session.")
            return kept
    table = read_table(path, free_ram_bytes=free, rows_max=rows_max, progress=progress, seed=seed)
    # One that changed while it was read is kept under neither name.
    if mark is not None and mark == _mark(path, free) and table.report.sampled_of is None:
        _keep(context.workspace / mark, table)
    return table


def _mark(path: Path, free_ram_bytes: int) -> str | None:
    """Name a file's content without reading it; None when it is not worth a copy."""
    try:
        seen = path.stat()
    except OSError:
        return None
    # Beyond this share of the memory a file is read in single precision, or in part.
    bytes_max = min(KEPT_BYTES_MAX, free_ram_bytes * LARGE_SHARE)
    if not KEPT_BYTES_MIN <= seen.st_size <= bytes_max:
        return None
    told = (FORMAT, path, seen.st_ino, seen.st_size, seen.st_mtime_ns, seen.st_ctime_ns)
    return f"table-{hashlib.sha256(repr(told).encode()).hexdigest()[:32]}.arrow"


def _keep(place: Path, table: Table) -> None:
    """Write a copy, whole or not at all; without room for it there is none."""
    cells = pa.Table.from_pandas(table.frame, preserve_index=False)
    if cells.nbytes > min(KEPT_BYTES_MAX, _disk_free(place) * DISK_FREE_SHARE_MAX):
        return
    facts = _FACTS.dump_json(_Facts(table.columns, table.report))
    cells = cells.replace_schema_metadata({**(cells.schema.metadata or {}), FACTS: facts})
    part = place.with_suffix(f".{os.getpid()}.part")
    with contextlib.suppress(OSError, pa.ArrowException):
        feather.write_feather(cells, part, compression="lz4")
        part.replace(place)
    with contextlib.suppress(OSError):
        part.unlink(missing_ok=True)


def _load(place: Path, rows_max: int | None) -> Table | None:
    if not place.exists():
        return None
    try:
        cells = feather.read_table(place, memory_map=False)
        facts = _FACTS.validate_json((cells.schema.metadata or {})[FACTS])
    except (OSError, pa.ArrowException, ValidationError, KeyError):
        return None
    if rows_max is not None and cells.num_rows > rows_max:
        return None
    return Table(cells.to_pandas(), facts.columns, facts.report)


def _disk_free(place: Path) -> int:
    try:
        return shutil.disk_usage(place.parent).free
    except OSError:
        return 0
