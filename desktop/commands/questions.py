"""`deskhand questions`, `answer`, `cancel`, `retry`: what jobs wait for, and their end."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from datetime import datetime

from desktop.commands import shapes
from desktop.commands.deeds import ENVIRONMENT, request
from desktop.commands.finding import job_named, question_named, reading
from desktop.commands.placing import place_of
from desktop.commands.printing import clock, say, say_json
from desktop.commands.worker import EXIT_OK
from desktop.core.link import LinkState
from desktop.gui import standing
from desktop.store import copied
from desktop.store.copied import JobRow, QuestionRow
from desktop.system.paths import Paths
from shared.errors import BadInput, Conflict
from shared.events import AnswerGiven, CancelAsked, RetryAsked
from shared.ids import JobId, short
from shared.jobs import JobState
from shared.questions import Asking, match

RETRYABLE = frozenset({JobState.FAILED, JobState.DEAD, JobState.INTERRUPTED})


def run(paths: Paths, options: argparse.Namespace) -> int:
    match options.command:
        case "answer":
            return answer(paths, options.id, " ".join(options.value))
        case "cancel":
            return cancel(paths, options.id)
        case "retry":
            return retry(paths, options.id)
        case _:
            return questions(paths, is_json=options.json)


def questions(paths: Paths, *, is_json: bool) -> int:
    """List what jobs on all machines wait for, the oldest first."""
    with reading(paths) as connection:
        rows = copied.open_questions(connection)
        jobs = {row.job_id: row for row in copied.rows_of(connection, [q.job_id for q in rows])}
    if is_json:
        say_json([shapes.of_question(row) for row in rows])
        return EXIT_OK
    now = ENVIRONMENT.now()
    for row in rows:
        for line in told(row, jobs.get(row.job_id), now):
            say(line)
    if not rows:
        say("Nothing is asked.")
    return EXIT_OK


def told(row: QuestionRow, job: JobRow | None, now: datetime) -> Iterator[str]:
    """Tell a question with its answers, numbered."""
    title = f" {job.title}" if job else ""
    yield f"#{short(row.job_id)}{title} asks: {row.asking.text}"
    yield from choices(row.asking)
    yield f"  {_end(row, now)} Answer: deskhand answer {short(row.job_id)} VALUE"


def choices(asking: Asking) -> Iterator[str]:
    for number, choice in enumerate(asking.choices, start=1):
        detail = f" ({choice.detail})" if choice.detail else ""
        yield f"  {number}  {choice.label}{detail}"
    if asking.allow_text:
        yield "  or in your own words"


def _end(row: QuestionRow, now: datetime) -> str:
    if row.state == "parked":
        return "It waits until somebody answers."
    at = clock(row.expires_at, now)
    if row.asking.default is None:
        return f"It is put aside at {at}, and can be answered later, too."
    return f"“{row.asking.label_of(row.asking.default)}” is taken at {at}."


def answer(paths: Paths, name: str, reply: str) -> int:
    with reading(paths) as connection:
        row = question_named(connection, name)
    value = value_of(row.asking, reply)
    request(
        paths,
        "answer",
        {"question_id": row.question_id, "job_id": row.job_id, "value": value},
        AnswerGiven(question_id=row.question_id, job_id=row.job_id, value=value),
    )
    with reading(paths) as connection:
        now = copied.question(connection, row.question_id) or row
        fate = standing.of_answer(now, value, place_of(paths, connection)) if now.given else ""
    say(f"#{short(row.job_id)} gets: {row.asking.label_of(value)}" + (f" ({fate})" if fate else ""))
    return EXIT_OK


def value_of(asking: Asking, reply: str) -> str:
    """Turn what was typed into an answer.

    Raises:
        BadInput: `answer_unfit`.
    """
    value = match(asking, reply)
    if value is None:
        known = ", ".join(f"{n} {c.label}" for n, c in enumerate(asking.choices, start=1))
        raise BadInput(
            "answer_unfit",
            f"'{reply[:60]}' is none of the answers.",
            f"Say a number or a label: {known}" if known else "Say something.",
        )
    return value


def cancel(paths: Paths, name: str) -> int:
    with reading(paths) as connection:
        row = job_named(connection, name).row
    if row.state.is_terminal:
        raise Conflict(
            "job_ended", f"#{row.short_id} has ended already: {row.state.value}.", "deskhand jobs"
        )
    request(paths, "cancel", {"job_id": row.job_id}, CancelAsked(job_id=row.job_id))
    say(f"#{row.short_id} {row.title} is told to stop.")
    say_standing(paths, row.job_id)
    return EXIT_OK


def say_standing(paths: Paths, job_id: JobId) -> None:
    """Say what stands between a wish and its effect; nothing when nothing does."""
    with reading(paths) as connection:
        rows = copied.rows_of(connection, (job_id,))
        place = place_of(paths, connection)
    told = standing.of_job(rows[0], place) if rows else ""
    if told and place.line is not LinkState.ONLINE:
        say(told)


def retry(paths: Paths, name: str) -> int:
    with reading(paths) as connection:
        row = job_named(connection, name).row
    if row.state not in RETRYABLE:
        raise Conflict(
            "job_not_failed",
            f"#{row.short_id} did not fail: {row.state.value}.",
            "A new one is asked for with: deskhand task KIND",
        )
    request(paths, "retry", {"job_id": row.job_id}, RetryAsked(job_id=row.job_id))
    say(f"#{row.short_id} {row.title} is tried again.")
    return EXIT_OK
