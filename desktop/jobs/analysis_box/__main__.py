"""Main in the box: `look ORDER` describes the tables, `run ORDER` runs the code on them.

ORDER is a JSON file: {"tables": {name: path}, "code": "..."}. Results go into the working folder.
"""

from __future__ import annotations

import json
import os
import sys
import traceback
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from shared.errors import AppError

if TYPE_CHECKING:
    from desktop.jobs.data.table import Table

RESULTS, LOOK = "results.json", "look.json"
CODE_NAME = "<code>"
FREE_BYTES = 1024**3
"""What reading may plan with."""
FAULT_STATUS, TABLE_STATUS = 3, 4


def main(arguments: Sequence[str]) -> int:
    """Do what is ordered; the status says how it went, the output why it did not."""
    word, path = arguments
    order = json.loads(Path(path).read_text(encoding="utf-8"))
    warnings.simplefilter("ignore")
    try:
        tables = {name: _read(Path(where)) for name, where in order["tables"].items()}
    except AppError as error:
        sys.stdout.write(f"{error.message} {error.hint}".strip())
        return TABLE_STATUS
    return _look(tables) if word == "look" else _run(tables, order["code"])


def _read(path: Path) -> Table:
    from desktop.jobs.data.reading import read_table

    return read_table(path, free_ram_bytes=FREE_BYTES)


def _look(tables: dict[str, Table]) -> int:
    from desktop.jobs.describe import described

    told = {name: described(table).model_dump(mode="json") for name, table in tables.items()}
    Path(LOOK).write_text(json.dumps(told), encoding="utf-8")
    return 0


def _run(tables: dict[str, Table], code: str) -> int:
    import numpy as np
    import pandas as pd

    from desktop.jobs.analysis_box.out import Out

    out = Out()
    frames = {name: table.frame for name, table in tables.items()}
    names = {"pd": pd, "np": np, "tables": frames, "df": next(iter(frames.values())), "out": out}
    try:
        exec(compile(code, CODE_NAME, "exec"), names | {"__name__": "analysis"})  # noqa: S102
        out.write(Path(RESULTS))
    except BaseException as error:  # whatever it is, its writer is told
        sys.stdout.write(_told(error, code))
        sys.stdout.flush()
        # What the code left running must not keep the box open.
        os._exit(FAULT_STATUS)
    sys.stdout.flush()
    os._exit(0)


def _told(error: BaseException, code: str) -> str:
    """Tell an error with the lines of the code that it came through."""
    lines = code.splitlines()
    frames = [
        frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename == CODE_NAME
    ]
    places = [
        f"line {frame.lineno}: {lines[frame.lineno - 1].strip()}"
        for frame in frames
        if frame.lineno and frame.lineno <= len(lines)
    ]
    if isinstance(error, SyntaxError) and error.lineno:
        places.append(f"line {error.lineno}: {(error.text or '').strip()}")
    return "\n".join([*places, f"{type(error).__name__}: {error}"])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
