"""How long the statistics of a run take and how much memory, in a process of their own.

    python -m tests.benchmarks.statistics.runs [CELLS]

Each row is a new process, imports included: first the figures alone, from rows in memory to
report.json, then all that the job does: reading the transcripts, tables, pictures (PNG and SVG).
Memory is the peak of the resident set.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from random import Random

CELLS = 10_000
SHAPES = ((2, 50), (4, 2), (1, 1), (8, 8))
"""Models, repeats; the scenarios are as many as it takes."""
VALUES = 10
RUN = "0199a000-0000-7000-8000-000000000001"
MIB = 1024


def main(cells: int) -> None:
    print("| cells | models | repeats | scenarios | what | s | CPU s | peak MiB |")
    print("|---|---|---|---|---|---|---|---|")
    for models, repeats in SHAPES:
        scenarios = max(1, cells // (models * repeats))
        with tempfile.TemporaryDirectory() as folder:
            _fill(Path(folder), models, repeats, scenarios)
            for what in ("figures", "the job"):
                _row(folder, what, models, repeats, scenarios)


def _row(folder: str, what: str, models: int, repeats: int, scenarios: int) -> None:
    began = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", __spec__.name, folder, what],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    seconds = time.perf_counter() - began
    cpu, peak = done.stdout.split()
    total = models * repeats * scenarios
    print(f"| {total:,} | {models} | {repeats} | {scenarios:,} | {what} | {seconds:.2f} "
          f"| {cpu} | {peak} |", flush=True)  # fmt: skip


def _fill(folder: Path, models: int, repeats: int, scenarios: int) -> None:
    """Make the transcripts of a run: two values against each other, a leaning in each scenario."""
    from desktop.core.llm import definition
    from desktop.core.llm.scenarios import expand
    from desktop.core.llm.types import CellEnd, CellState
    from desktop.store.transcripts import opening, writing
    from desktop.store.transcripts.records import NewRun
    from shared.times import to_ms
    from tests.desktop.store.transcripts.world import NOW

    random = Random(1)
    names = [f"value {number}" for number in range(VALUES)]
    read = definition.parse({
        "name": "dilemmas",
        "models": [f"local:m{number}" for number in range(models)],
        "scenarios": [
            {"id": f"s{number}", "prompt": "Which?",
             "options": dict(zip("AB", random.sample(names, 2), strict=True))}
            for number in range(scenarios)
        ],
    })  # fmt: skip
    new = NewRun(
        run_id=RUN, name="dilemmas", definition=definition.snapshot(read),
        sha256=definition.digest(read), scenarios=expand(read), models=tuple(read.models),
        repeats=repeats, at=NOW,
    )  # fmt: skip
    database = opening.open_to_write(folder, NOW)
    database.submit(lambda connection: writing.make_run(connection, new)).result()
    leaning = [random.betavariate(1, 1) for _ in range(scenarios * models)]

    def end(connection: object) -> None:
        for index in range(new.total):
            choice = "A" if random.random() < leaning[index // repeats] else "B"
            state = CellState.ANSWERED if random.random() < 0.98 else CellState.REFUSED
            ended = CellEnd(state=state, choice=choice if state == CellState.ANSWERED else "")
            writing.end_cell(connection, RUN, index, ended, to_ms(NOW))  # type: ignore[arg-type]

    database.submit(end).result()
    database.close()


def _figures(folder: Path) -> None:
    import sqlite3

    from desktop.jobs.llm.stats.reckoning import reckon
    from desktop.store.transcripts import opening, reading

    with opening.reading(folder) as connection:
        assert isinstance(connection, sqlite3.Connection)
        rows = list(reading.rows(connection, RUN))
    (folder / "report.json").write_text(reckon(rows, run=RUN, name="dilemmas").model_dump_json())


def _job(folder: Path) -> None:
    from desktop.jobs.llm.statistics import run
    from shared.kinds.llm import StatsInputs
    from tests.desktop.jobs.fake_context import FakeContext

    context = FakeContext(folder, folder / "job")
    context.data_folder = folder
    run(context, StatsInputs(run=RUN))


if __name__ == "__main__":
    if len(sys.argv) < 3:
        main(int(sys.argv[1]) if len(sys.argv) > 1 else CELLS)
    else:
        (_figures if sys.argv[2] == "figures" else _job)(Path(sys.argv[1]))
        used = resource.getrusage(resource.RUSAGE_SELF)
        print(f"{used.ru_utime + used.ru_stime:.2f} {used.ru_maxrss / MIB:.0f}")
