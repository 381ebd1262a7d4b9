"""`deskhand-hub dead`: jobs that ran out of tries, listed, looked at, queued again, forgotten."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import UTC, datetime

from hub.frontends.figures import moment
from shared.api.client import Client
from shared.api.jobs import JobShown
from shared.api.parts import PAGE_MAX
from shared.errors import BadInput, NotFound
from shared.plain_text import plain_line

ALL = "all"


def run(client: Client, action: str | None, name: str) -> int:
    """Do what was asked for with one dead letter (by its four characters), or all."""
    match action:
        case None:
            return list_all(client)
        case "show":
            return show(client, name)
        case "requeue":
            return requeue(client, name or ALL)
        case _:
            return purge(client, name)


def list_all(client: Client) -> int:
    """Print the dead letters with their reasons."""
    is_empty = True
    for job in _every(client):
        is_empty = False
        sys.stdout.write(f"{_head(job)}\n       {plain_line(_why(job))}\n")
    sys.stdout.write(
        "No dead letters: no job has run out of tries.\n"
        if is_empty
        else "`deskhand-hub dead show ID` tells more; `requeue ID` (or `all`) queues it again, "
        "`purge ID` (or `all`) forgets it.\n"
    )
    return 0


def show(client: Client, name: str) -> int:
    """Print one dead letter: what it was, why it died, and how it came to that.

    Raises:
        NotFound: `job_unknown`.
    """
    job = _named(client, name)
    now = datetime.now(UTC)
    lines = [
        _head(job),
        f"asked   {moment(job.created_at, now)}, tried {job.failures} times",
        f"why     {_why(job)}",
    ]
    if job.error is not None and job.error.hint:
        lines.append(f"next    {job.error.hint}")
    lines += [f"input   {name} = {value}" for name, value in job.inputs.items()]
    lines += [
        f"{moment(event.at, now)}  {event.type.replace('_', ' ')}"
        for event in client.get_job_events(job.job_id).events
        if event.type != "job_logged"
    ]
    sys.stdout.writelines(plain_line(line) + "\n" for line in lines)
    return 0


def requeue(client: Client, name: str) -> int:
    """Queue one dead letter again, or all.

    Raises:
        NotFound: `job_unknown`.
    """
    chosen = list(_every(client)) if name == ALL else [_named(client, name)]
    for job in chosen:
        client.requeue_dead_letter(job.job_id)
        sys.stdout.write(plain_line(f"#{job.short} is queued again: {job.title}") + "\n")
    if not chosen:
        sys.stdout.write("No dead letters: nothing to queue again.\n")
    return 0


def purge(client: Client, name: str) -> int:
    """Forget one dead letter, or all, here and on every computer.

    Raises:
        BadInput: `job_unnamed`.
        NotFound: `job_unknown`.
    """
    if not name:
        raise BadInput(
            "job_unnamed",
            "Which dead letter is to be forgotten?",
            "Name its four characters, or say all: deskhand-hub dead purge all",
        )
    chosen = list(_every(client)) if name == ALL else [_named(client, name)]
    for job in chosen:
        client.purge_dead_letter(job.job_id)
        sys.stdout.write(plain_line(f"#{job.short} is forgotten: {job.title}") + "\n")
    if not chosen:
        sys.stdout.write("No dead letters: nothing to forget.\n")
    return 0


def _every(client: Client) -> Iterator[JobShown]:
    page = client.list_dead_letters(limit=PAGE_MAX)
    while True:
        yield from page.jobs
        if page.next_cursor is None:
            return
        page = client.list_dead_letters(limit=PAGE_MAX, cursor=page.next_cursor)


def _named(client: Client, name: str) -> JobShown:
    for job in _every(client):
        if job.short == name.upper():
            return job
    raise NotFound(
        "job_unknown",
        f"No dead letter is called #{name[:40]}.",
        "`deskhand-hub dead` lists them.",
    )


def _head(job: JobShown) -> str:
    return plain_line(f"#{job.short}  {job.kind}  {job.title}")


def _why(job: JobShown) -> str:
    return job.error.message if job.error else "unknown"
