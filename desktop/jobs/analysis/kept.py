"""What an analysis leaves on its machine: the code, the tables as CSV, the pictures."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

from desktop.core.analysis.results import Results
from shared.errors import NotAllowed
from shared.ids import JobId
from shared.jobs import Origin
from shared.kinds import file_name_of

FOLDER = "analyses"
KEPT_MAX = 100
TALKING = (Origin.CHAT, Origin.GROUP)
SENT_MAX = 6
CODE = "code.py"

Sender = Callable[[Path], None]


def keep(data_folder: Path, job_id: JobId, results: Results, code: str) -> Path:
    """Write code and tables into a folder of the job's own; the oldest of many goes."""
    parent = data_folder / FOLDER
    folder = parent / job_id
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, mode=0o700)
    (folder / CODE).write_text(code, encoding="utf-8")
    for number, table in enumerate(results.tables, start=1):
        path = folder / f"table-{number}.csv"
        with path.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([table.columns, *table.rows])
    for old in sorted(parent.iterdir(), key=_changed)[:-KEPT_MAX]:
        shutil.rmtree(old, ignore_errors=True)
    return folder


def sent(
    origin: Origin, pictures: list[Path], copies: Path, send: Sender, name: str
) -> Iterator[str]:
    """Hand pictures over to who asked in a chat; yields what there is to remark."""
    if origin not in TALKING:
        return
    for number, picture in enumerate(pictures[:SENT_MAX], start=1):
        copy = copies / file_name_of(f"{name} {number}.png")
        shutil.copyfile(picture, copy)
        try:
            send(copy)
        except NotAllowed:
            yield "The pictures stay on that machine: its owner lets no files leave it."
            return


def _changed(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0
