"""`deskhand jobs` and `deskhand job ID`: what runs, waits and ended, on all machines."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from datetime import datetime

from desktop.commands import shapes
from desktop.commands.deeds import ENVIRONMENT
from desktop.commands.finding import job_named, reading
from desktop.commands.printing import clock, say, say_json, say_table
from desktop.commands.worker import EXIT_OK
from desktop.store import copied, copied_lines, copied_list
from desktop.store.copied import Job, JobRow, QuestionRow
from desktop.store.copied_list import Shelf, Wanted
from desktop.system.paths import Paths
from shared.errors import AppError
from shared.jobs import JobState
from shared.kinds import Output

TAIL_LINES = 8
JOBS_MAX = 1000


def run(paths: Paths, options: argparse.Namespace) -> int:
    if options.command == "job":
        return job(paths, options.id, is_json=options.json)
    return jobs(paths, options)


def jobs(paths: Paths, options: argparse.Namespace) -> int:
    """List jobs, the newest first."""
    wanted = Wanted(
        shelf=Shelf[options.state.upper()] if options.state else None,
        machine=options.on or "",
        kind=options.kind or "",
        words=options.search or "",
    )
    with reading(paths) as connection:
        rows = copied_list.page(connection, wanted, limit=min(options.count, JOBS_MAX))
    if options.json:
        say_json([shapes.of_job(row) for row in rows])
    elif rows:
        now = ENVIRONMENT.now()
        say_table(
            ("ID", "STATE", "KIND", "WHAT", "MACHINE", "WHEN"),
            [_cells(row, now) for row in rows],
            wide=3,
        )
    elif wanted.is_all:
        say("No jobs yet. Ask for one in a chat, or here: deskhand task ml.train --wait")
    else:
        say("No job fits that.")
    return EXIT_OK


def _cells(row: JobRow, now: datetime) -> tuple[str, ...]:
    what = row.title
    if row.asks:
        what = f"{row.title} – {row.asks}"
    elif row.headline:
        what = row.headline
    elif row.error is not None:
        what = f"{row.title} – {row.error.message}"
    return (
        row.short_id,
        row.state.value,
        row.kind,
        what,
        row.machine,
        clock(row.ended_at or row.created_at, now),
    )


def job(paths: Paths, name: str, *, is_json: bool) -> int:
    """Tell all about one job."""
    with reading(paths) as connection:
        found = job_named(connection, name)
        asked = copied.questions(connection, found.row.job_id)
        tail = copied_lines.tail(connection, found.row.job_id, count=TAIL_LINES)
        if is_json:
            say_json(shapes.of_whole_job(found, asked))
            return EXIT_OK
    for line in story(found, asked, ENVIRONMENT.now()):
        say(line)
    if tail:
        say(f"The end of its log (deskhand logs {found.row.short_id}):")
    for one in tail:
        say(f"  {one.text}")
    return EXIT_OK


def story(found: Job, asked: tuple[QuestionRow, ...], now: datetime) -> Iterator[str]:
    """Tell a job in lines, the most important first."""
    row = found.row
    where = f" on {row.machine}" if row.machine else ""
    yield f"#{row.short_id} {row.title} ({row.kind}){where}: {row.state.value}"
    yield f"Asked for {clock(row.created_at, now)}" + (
        f": {found.text}" if found.text not in ("", row.kind) else ""
    )
    if row.started_at:
        ended = f", ended {clock(row.ended_at, now)}" if row.ended_at else ""
        tries = f", try {row.attempt}" if row.attempt > 1 else ""
        yield f"Started {clock(row.started_at, now)}{ended}{tries}"
    for name, value in found.inputs.items():
        yield f"  {name} = {value}"
    for question in asked:
        answer = question.asking.label_of(question.value or question.given)
        by = f" (by {question.answered_by})" if question.answered_by else ""
        yield f"Asked: {question.asking.text}"
        yield f"  {answer}{by}" if answer else f"  Answer it: deskhand answer {row.short_id} VALUE"
    yield from result_lines(found)


def result_lines(found: Job) -> Iterator[str]:
    """Tell what came of a job."""
    row = found.row
    if found.result is not None and row.state is JobState.SUCCEEDED:
        output = Output.model_validate(found.result)
        yield output.headline
        yield from output.notes
        for file in output.files:
            yield f"  file: {file}"
    if row.error is not None and row.state is not JobState.SUCCEEDED:
        yield str(AppError.from_body(row.error))
