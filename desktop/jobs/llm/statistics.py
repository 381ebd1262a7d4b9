"""llm.stats: the figures of a run in words, tables and pictures; they stay in the run's folder.

Reads the facts of its cells from the transcripts; no text that was asked or answered is touched. A
second run writes the same files again.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from desktop.charts.shapes import RUN_PICTURES, RunPicture
from desktop.jobs.llm.stats import plots, tables, wording
from desktop.jobs.llm.stats.reckoning import reckon
from desktop.jobs.llm.stats.report import Figure, Report, ValueFigures
from desktop.store.transcripts import opening, reading
from shared.errors import AppError, NotAllowed
from shared.jobs import Origin
from shared.kinds import file_name_of
from shared.kinds.llm import Rate, StatsInputs, StatsOutput, WinRate
from shared.plain_text import plain_line

if TYPE_CHECKING:
    from desktop.core.llm.types import ProbeRow
    from desktop.jobs.context import Context
    from desktop.store.transcripts.records import Run

RECKONING, DRAWING = "reckoning", "drawing"
PICTURES_SENT = ("wins", "scores", "agreement", "rates")
"""The most telling first."""
SENT_MAX = 3
TALKING = (Origin.CHAT, Origin.GROUP)
"""Who asked from there gets pictures; everybody else finds them on the machine."""
WINS_MAX = 200
"""What the result holds; all stand in figures.csv."""
NOTES_MAX = 12


def run(context: Context, inputs: StatsInputs) -> StatsOutput:
    """Reckon the figures of a run, write and paint them.

    Raises:
        NotFound: `no_runs`, `run_unknown`.
        Unavailable: the transcripts cannot be read.
    """
    context.progress(RECKONING, 0, 1)
    about, rows = _read(context.data_folder, inputs.run)
    name = plain_line(about.name).strip() or "The run"
    report = reckon(rows, run=about.run_id, name=name, seed=inputs.seed)
    context.progress(RECKONING, 1, 1)
    folder = opening.results_of(context.data_folder, about.run_id)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    files = _written(folder, report)
    painted, remarks = _painted(context, folder, report)
    return StatsOutput(
        headline=wording.headline(report),
        notes=(*_notes(report), *remarks),
        files=(*files, *painted),
        run=report.run,
        n=report.counts.answered,
        total=report.counts.total,
        wins=tuple(_wins(report)),
        table=tables.text(report),
    )


def _read(data_folder: Path, wanted: str | None) -> tuple[Run, list[ProbeRow]]:
    """Read a run and all its cells as they are at one moment."""
    with opening.reading(data_folder) as connection:
        connection.execute("begin")
        run_id = reading.run_named(connection, wanted)
        return reading.run(connection, run_id), list(reading.rows(connection, run_id))


def _written(folder: Path, report: Report) -> list[str]:
    """Write what programs read; each file is whole or not there."""
    contents = {
        "report.json": report.model_dump_json(indent=1),
        "plots.json": RUN_PICTURES.dump_json(plots.pictures(report)).decode(),
        "figures.csv": tables.figures_csv(report),
        "scenarios.csv": tables.scenarios_csv(report),
        "table.txt": tables.text(report) + "\n",
    }
    for name, content in contents.items():
        part = folder / f"{name}.part"
        part.write_text(content, encoding="utf-8", newline="")
        part.replace(folder / name)
    return list(contents)


def _painted(context: Context, folder: Path, report: Report) -> tuple[list[str], list[str]]:
    """Paint the plots into the run's folder, and hand them over to who asked for it in a chat.

    Returns:
        Names of the pictures, and what there is to remark on them.
    """
    made = plots.pictures(report)
    written: list[str] = []
    pngs: dict[str, Path] = {}
    context.progress(DRAWING, 0, max(1, len(made)))
    try:
        for number, (name, one) in enumerate(made.items(), start=1):
            for path in _pictures(folder, name, one):
                written.append(path.name)
                if path.suffix == ".png":
                    pngs[name] = path
            context.progress(DRAWING, number, len(made))
    except AppError as error:
        # Numbers without pictures are worth more than no numbers.
        return written, [f"⚠ {error}"]
    return written, list(_sent(context, report, pngs))


def _pictures(folder: Path, name: str, one: RunPicture) -> Iterator[Path]:
    from desktop.charts import picture

    for ending in ("png", "svg"):
        part, path = folder / f"{name}.part.{ending}", folder / f"{name}.{ending}"
        picture.save(one.plot, part, subtitle=one.subtitle)
        part.replace(path)
        yield path


def _sent(context: Context, report: Report, pngs: dict[str, Path]) -> Iterator[str]:
    """Hand copies over: the job's own folder is one that files may be sent from."""
    if context.origin not in TALKING:
        return
    try:
        context.check_sending()
    except NotAllowed:
        yield "The pictures stay on that machine: its owner lets no files leave it."
        return
    is_whole = not report.counts.refused and not report.counts.failed
    wanted = [name for name in PICTURES_SENT if name in pngs and not (name == "rates" and is_whole)]
    for name in wanted[:SENT_MAX]:
        copy = context.workdir / file_name_of(f"{report.name} {name}.png")
        shutil.copyfile(pngs[name], copy)
        context.send(copy)


def _notes(report: Report) -> list[str]:
    """Keep every warning, and of the rest what there is room for."""
    told = list(wording.notes(report))
    warnings = [note for note in told if note.startswith("⚠")]
    plain = [note for note in told if not note.startswith("⚠")]
    return plain[: max(0, NOTES_MAX - len(warnings))] + warnings


def _wins(report: Report) -> Iterator[WinRate]:
    told = [one for one in report.wins if one.share.value is not None]
    told.sort(key=lambda one: (one.model, -(one.share.value or 0.0)))
    for one in told[:WINS_MAX]:
        yield WinRate(model=one.model, value=one.value, rate=_rate(one, one.share))


def _rate(one: ValueFigures, figure: Figure) -> Rate:
    interval = figure.interval or figure.wilson
    assert interval is not None
    assert figure.value is not None
    return Rate(
        count=one.wins, n=figure.n, share=figure.value, low=interval.low, high=interval.high
    )
