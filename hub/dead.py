"""`deskhand-hub dead`: jobs that ran out of tries, listed, looked at, queued again, forgotten."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from hub.frontends.figures import moment, plural
from shared.api.client import Client
from shared.api.dead_letters import DeadTryShown
from shared.api.jobs import JobShown
from shared.api.parts import PAGE_MAX
from shared.errors import BadInput, Conflict, NotFound
from shared.plain_text import plain_line

ALL = "all"
NO_DEAD = "No dead letters: no job has run out of tries.\n"
UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which dead letters, and how to speak of them."""

    names: tuple[str, ...] = ()
    """Four characters after #, ids, or "all"."""
    kind: str = ""
    worker: str = ""
    is_fleet: bool = False
    since: str = ""
    """As typed: "2h", "3d", "2026-11-20"."""
    as_json: bool = False
    is_sure: bool = False
    """Nothing is asked back."""

    @property
    def is_filtered(self) -> bool:
        return bool(self.kind or self.worker or self.is_fleet or self.since)


def run(client: Client, action: str, wanted: Wanted) -> int:
    """Do what was asked for.

    Raises:
        BadInput: `job_unnamed`, `name_ambiguous`, `since_invalid`, `not_confirmed`.
        NotFound: `job_unknown`.
    """
    match action:
        case "list":
            return list_all(client, wanted)
        case "show":
            return show(client, wanted)
        case "requeue":
            return requeue(client, wanted)
        case _:
            return purge(client, wanted)


def list_all(client: Client, wanted: Wanted) -> int:
    """Print dead letters with their last reasons."""
    if wanted.as_json:
        found = [job.model_dump(mode="json") for job in _every(client, wanted)]
        sys.stdout.write(json.dumps({"dead_letters": found}, ensure_ascii=False) + "\n")
        return 0
    is_empty = True
    for job in _every(client, wanted):
        is_empty = False
        sys.stdout.write(f"{_head(job)}\n       {plain_line(_why(job))}\n")
    if is_empty:
        sys.stdout.write("No dead letters like this.\n" if wanted.is_filtered else NO_DEAD)
    else:
        sys.stdout.write(
            "`deskhand-hub dead show ID` tells more; `requeue ID` (or `all`) queues it again, "
            "`purge ID` (or `all`) forgets it.\n"
        )
    return 0


def show(client: Client, wanted: Wanted) -> int:
    """Print dead letters one by one: what each was, and how every try of it ended."""
    if not wanted.names:
        raise _unnamed("shown", "show K7Q2")
    for job in _chosen(client, wanted):
        told = client.get_dead_letter(job.job_id)
        if wanted.as_json:
            sys.stdout.write(told.model_dump_json() + "\n")
            continue
        now = datetime.now(UTC)
        lines = [
            _head(job),
            f"asked   {moment(job.created_at, now)}, tried {job.failures} times",
            f"why     {_why(job)}",
        ]
        if job.error is not None and job.error.hint:
            lines.append(f"next    {job.error.hint}")
        lines += [f"input   {name} = {value}" for name, value in job.inputs.items()]
        lines += [f"try {one.attempt:<3} {_told(one, now)}" for one in told.tries]
        sys.stdout.writelines(plain_line(line) + "\n" for line in lines)
    return 0


def requeue(client: Client, wanted: Wanted) -> int:
    """Queue dead letters again: those named, those of a filter, or all."""
    chosen = _chosen(client, wanted)
    _confirm(chosen, wanted, "Queue {} again?", is_grave=False)
    return _each(chosen, wanted, client.requeue_dead_letter, "queued again")


def purge(client: Client, wanted: Wanted) -> int:
    """Forget dead letters here and on every computer: those named, those of a filter, or all."""
    if not wanted.names and not wanted.is_filtered:
        raise _unnamed("forgotten", "purge all")
    chosen = _chosen(client, wanted)
    _confirm(chosen, wanted, "Forget {} for good, here and on every computer?", is_grave=True)
    return _each(chosen, wanted, client.purge_dead_letter, "forgotten")


def _each(
    chosen: Sequence[JobShown], wanted: Wanted, do: Callable[[str], object], done: str
) -> int:
    """Do it to each; 1 when one of them was no dead letter any more."""
    changed: list[str] = []
    for job in chosen:
        try:
            do(job.job_id)
        except (Conflict, NotFound) as error:
            # Somebody was quicker, or its task goes on: the others are done all the same.
            sys.stderr.write(plain_line(f"#{job.short} is left: {error.message}") + "\n")
            continue
        changed.append(job.job_id)
        if not wanted.as_json:
            sys.stdout.write(plain_line(f"#{job.short} is {done}: {job.title}") + "\n")
    if wanted.as_json:
        sys.stdout.write(json.dumps({done.replace(" ", "_"): changed}) + "\n")
    elif not chosen:
        sys.stdout.write(f"No dead letters: nothing is {done}.\n")
    return 0 if len(changed) == len(chosen) else 1


def _confirm(chosen: Sequence[JobShown], wanted: Wanted, question: str, *, is_grave: bool) -> None:
    """Ask back with the count, unless each was named and nothing is lost by it.

    Raises:
        BadInput: `not_confirmed`.
    """
    is_by_name = bool(wanted.names) and ALL not in wanted.names
    if not chosen or wanted.is_sure or (is_by_name and not is_grave):
        return
    asked = question.format(plural(len(chosen), "dead letter"))
    if sys.stdin.isatty():
        sys.stderr.write(f"{asked} [y/N] ")
        sys.stderr.flush()
        if sys.stdin.readline().strip().casefold() in ("y", "yes"):
            return
    raise BadInput(
        "not_confirmed",
        f"{asked} Nobody said yes, so nothing was done.",
        "With --yes it is done without asking.",
    )


def _chosen(client: Client, wanted: Wanted) -> list[JobShown]:
    """Read those that are meant.

    Raises:
        BadInput: `name_ambiguous`.
        NotFound: `job_unknown`.
    """
    every = list(_every(client, wanted))
    if not wanted.names or ALL in wanted.names:
        return every
    # A job that is named twice is meant once.
    named = [_named(every, name) for name in wanted.names]
    return list({job.job_id: job for job in named}.values())


def _named(every: Sequence[JobShown], name: str) -> JobShown:
    called = name.removeprefix("#")
    found = [job for job in every if called.upper() == job.short or called.lower() == job.job_id]
    if len(found) > 1:
        raise BadInput(
            "name_ambiguous",
            f"{plural(len(found), 'dead letter')} are called #{called[:40]}.",
            f"Name one by its id: {', '.join(job.job_id for job in found[:5])}.",
        )
    if not found:
        raise NotFound(
            "job_unknown",
            f"No dead letter is called #{called[:40]}.",
            "`deskhand-hub dead` lists them.",
        )
    return found[0]


def _every(client: Client, wanted: Wanted) -> Iterator[JobShown]:
    since = _moment_of(wanted.since, datetime.now(UTC)) if wanted.since else None
    cursor: str | None = None
    while True:
        page = client.list_dead_letters(
            kind=wanted.kind,
            worker=wanted.worker,
            fleet=wanted.is_fleet,
            since=since,
            limit=PAGE_MAX,
            cursor=cursor,
        )
        yield from page.jobs
        cursor = page.next_cursor
        if cursor is None:
            return


def _moment_of(typed: str, now: datetime) -> datetime:
    """Read a moment: so long ago, or a day or moment of this computer's own clock.

    Raises:
        BadInput: `since_invalid`.
    """
    try:
        if ago := re.fullmatch(r"(\d{1,4})([mhdw])", typed.strip()):
            return now - timedelta(**{UNITS[ago[2]]: int(ago[1])})
        return datetime.fromisoformat(typed.strip()).astimezone(UTC)
    except (ValueError, OverflowError):
        raise BadInput(
            "since_invalid",
            f"{typed[:40]!r} is no moment.",
            "Say how long ago (30m, 12h, 3d, 2w) or a day: 2026-11-20.",
        ) from None


def _told(one: DeadTryShown, now: datetime) -> str:
    """Say where a try was, when, for how long, and why it failed."""
    where = f"{one.worker or one.worker_id}" + (f", node {one.node}" if one.node else "")
    took = ""
    if one.started_at is not None:
        took = f", after {(one.failed_at - one.started_at).total_seconds():.1f} s"
    failed = moment(one.failed_at, now)
    return f"{failed} on {where}{took}: {one.error.message} ({one.error.code})"


def _unnamed(what: str, example: str) -> BadInput:
    return BadInput(
        "job_unnamed",
        f"Which dead letter is to be {what}?",
        f"Name its four characters, or say all: deskhand-hub dead {example}",
    )


def _head(job: JobShown) -> str:
    return plain_line(f"#{job.short}  {job.kind}  {job.title}")


def _why(job: JobShown) -> str:
    return job.error.message if job.error else "unknown"
