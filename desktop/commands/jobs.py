"""`deskhand jobs` and `deskhand job ID`: what runs, waits and ended, on all machines."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from datetime import datetime

from desktop.commands import shapes
from desktop.commands.deeds import ENVIRONMENT
from desktop.commands.finding import job_named, reading
from desktop.commands.placing import place_of
from desktop.commands.printing import clock, say, say_json, say_table
from desktop.commands.worker import EXIT_OK
from desktop.desk.standing import Whereabouts
from desktop.gui import standing
from desktop.store import copied, copied_lines, copied_list
from desktop.store.copied import Job, JobRow, QuestionRow
from desktop.store.copied_list import Shelf, Wanted
from desktop.system.paths import Paths
from shared.errors import AppError
from shared.ids import short
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
    count = min(options.count, JOBS_MAX)
    with reading(paths) as connection:
        if options.parts:
            maker = job_named(connection, options.parts).row.job_id
            rows = copied.parts_of(connection, maker, limit=count)
        else:
            rows = copied_list.page(connection, wanted, limit=count)
        place = place_of(paths, connection)
    if options.json:
        say_json([shapes.of_job(row) for row in rows])
    elif rows:
        now = ENVIRONMENT.now()
        say_table(
            ("ID", "STATE", "KIND", "WHAT", "MACHINE", "WHEN"),
            [_cells(row, place, now) for row in rows],
            wide=3,
        )
    elif options.parts:
        say("This job has no parts.")
    elif wanted.is_all:
        say("No jobs yet. Ask for one in a chat, or here: deskhand task ml.train --wait")
    else:
        say("No job fits that.")
    return EXIT_OK


def _cells(row: JobRow, place: Whereabouts, now: datetime) -> tuple[str, ...]:
    what = row.title
    stands = standing.of_job(row, place)
    if row.asks:
        what = f"{row.title} – {row.asks}"
    elif row.headline:
        what = row.headline
    elif row.error is not None:
        what = f"{row.title} – {row.error.message}"
    if stands and not (row.asks or row.headline):
        what = f"{row.title} – {standing.foot(stands)}"
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
        parts = copied.part_counts(connection, found.row.job_id)
        place = place_of(paths, connection)
        if is_json:
            say_json(shapes.of_whole_job(found, asked))
            return EXIT_OK
    for line in story(found, asked, place, ENVIRONMENT.now()):
        say(line)
    if parts:
        told = ", ".join(f"{count:,} {state.value}" for state, count in sorted(parts.items()))
        say(f"Its parts: {told} (deskhand jobs --parts {found.row.short_id}).")
    if tail:
        say(f"The end of its log (deskhand logs {found.row.short_id}):")
    for one in tail:
        say(f"  {one.text}")
    return EXIT_OK


def story(
    found: Job, asked: tuple[QuestionRow, ...], place: Whereabouts, now: datetime
) -> Iterator[str]:
    """Tell a job in lines, the most important first."""
    row = found.row
    where = f" on {row.machine}" if row.machine else ""
    yield f"#{row.short_id} {row.title} ({row.kind}){where}: {row.state.value}"
    if stands := standing.of_job(row, place):
        yield stands
    yield f"Asked for {clock(row.asked_at, now)}" + (
        f": {found.text}" if found.text not in ("", row.kind) else ""
    )
    if row.started_at:
        ended = f", ended {clock(row.ended_at, now)}" if row.ended_at else ""
        tries = f", try {row.attempt}" if row.attempt > 1 else ""
        yield f"Started {clock(row.started_at, now)}{ended}{tries}"
    for name, value in found.inputs.items():
        yield f"  {name} = {value}"
    for question in asked:
        yield f"Asked: {question.asking.text}"
        yield f"  {answer_line(question, place)}"
    yield from result_lines(found)


def answer_line(question: QuestionRow, place: Whereabouts) -> str:
    """Tell which answer a question has, whose it is, and which one came second."""
    if question.given:
        fate = standing.of_answer(question, question.given, place)
        return f"{question.asking.label_of(question.given)} ({fate})"
    if not question.value:
        is_open = question.state in ("open", "parked")
        name = short(question.job_id)
        return f"Answer it: deskhand answer {name} VALUE" if is_open else "Not needed any more."
    told = f"{question.asking.label_of(question.value)} (by {question.answered_by})"
    if question.second:
        second = question.asking.label_of(question.second)
        told += f"; {second} by {question.second_by} came second"
    return told


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
