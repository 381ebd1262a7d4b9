"""`deskhand status`, `pause`, `resume`, `policy`: how this worker is, and what it may do."""

from __future__ import annotations

import argparse
import re
import sqlite3
from collections.abc import Iterator
from datetime import datetime, timedelta

from pydantic import BaseModel, JsonValue

from desktop.commands import shapes
from desktop.commands.deeds import ENVIRONMENT, alone, running
from desktop.commands.finding import reading
from desktop.commands.placing import place_of
from desktop.commands.printing import clock, say, say_json
from desktop.commands.worker import EXIT_OK, pairing_of
from desktop.core.attempt import AttemptState
from desktop.core.code import sandbox_words
from desktop.core.link import LinkState
from desktop.core.policy import write_policy
from desktop.desk.holding import FOREVER
from desktop.desk.standing import Line
from desktop.gui import standing
from desktop.jobs.code.sandbox import choose_now
from desktop.store import copied, facts, journal, known, pending, salvage
from desktop.system import status as status_file
from desktop.system.paths import Paths
from desktop.system.policy_file import load_policy
from desktop.system.program import version
from desktop.system.status import Told
from shared.errors import AppError, BadInput, ErrorBody
from shared.kinds import JsonObject

_SPAN = re.compile(r"(\d{1,4})\s*(m|min|h|d)")
_CLOCK = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)")
ENDED = AttemptState.ENDED
MINUTES = {"m": 1, "min": 1, "h": 60, "d": 24 * 60}


class _Live(BaseModel):
    """What of a running program's answer is told in sentences."""

    held_back: ErrorBody | None = None
    safe: ErrorBody | None = None


def run(paths: Paths, options: argparse.Namespace) -> int:
    match options.command:
        case "pause":
            return pause(paths, options.until)
        case "resume":
            return resume(paths)
        case "policy":
            return policy(paths, is_json=options.json)
        case _ if options.json:
            return status_json(paths)
        case _:
            return status(paths)


def status(paths: Paths) -> int:
    """Tell in sentences how this worker is."""
    pairing = pairing_of(paths)
    live = running(paths, "status")
    with reading(paths) as connection:
        told = status_file.read(paths.status)
        for line in status_file.tell(told, pairing):
            say(line)
        for line in _at_hand(paths, connection, told):
            say(line)
        asked = copied.open_questions(connection)
        paused = facts.get(connection, "paused_until")
        mended = salvage.mended(connection, paths.data)
    say(f"{_sandbox(paths)}.")
    if mended is not None:
        say(str(AppError.from_body(mended)))
    if live is None:
        if paused:
            say("Paused: it starts no jobs until deskhand resume.")
    else:
        now = _Live.model_validate(live)
        for trouble in (now.held_back, now.safe):
            if trouble is not None:
                say(str(AppError.from_body(trouble)))
    if asked:
        count = "1 question waits" if len(asked) == 1 else f"{len(asked)} questions wait"
        say(f"{count} for you: deskhand questions")
    return EXIT_OK


def _sandbox(paths: Paths) -> str:
    """Say where coding jobs run on this machine."""
    try:
        rules = load_policy(paths).code
        sandbox = choose_now(rules, guarded=(paths.data, paths.config))
    except AppError as error:
        return error.message.rstrip(".")
    return sandbox_words.told(sandbox.name, is_isolating=sandbox.is_isolating, why=sandbox.why)


def _at_hand(paths: Paths, connection: sqlite3.Connection, told: Told | None) -> Iterator[str]:
    """Tell what this machine has in hand, and what the hub has still to be told."""
    held = [a.spec.job_id for a in journal.attempts(connection) if a.state is not ENDED]
    place = place_of(paths, connection)
    for row in copied.rows_of(connection, held):
        stands = standing.foot(standing.of_job(row, place))
        state = f"{row.state.value}, {stands}" if stands else row.state.value
        yield f"  #{row.short_id} {row.title}: {state}"
    waiting = pending.changes(connection)
    if told is not None and told.state is LinkState.OFFLINE:
        line = Line(state=told.state, running=len(held), waiting=waiting)
        yield standing.goes_on(line)
    elif waiting:
        yield f"{standing.changes(waiting)}."


def status_json(paths: Paths) -> int:
    """Tell it for programs; a machine without a hub is no error here."""
    live = running(paths, "status")
    told: JsonObject = {"version": version(), "running": live is not None, "paired": False}
    try:
        pairing = pairing_of(paths)
    except AppError as error:
        if error.code != "not_paired":
            raise
        say_json(told)
        return EXIT_OK
    with reading(paths) as connection:
        jobs: list[JsonValue] = [shapes.of_job(row) for row in copied.live(connection)]
        asked: list[JsonValue] = [shapes.of_question(q) for q in copied.open_questions(connection)]
        waiting = pending.changes(connection)
        newer = known.update_needed(connection)
        paused = facts.get(connection, "paused_until")
    program = live or {}
    told |= {
        "paired": True,
        "machine": {"id": pairing.worker_id, "name": pairing.worker_name},
        "hub": {"name": pairing.hub_name, "url": pairing.hub_url},
        "person": pairing.person_name,
        "line": program.get("line", {"state": "stopped", "error": None, "next_try_at": None}),
        "held_back": program.get("held_back"),
        "paused_until": paused or None,
        "running_here": program.get("running", 0),
        "progress": program.get("progress", []),
        "jobs": jobs,
        "questions": asked,
        "changes_waiting": waiting,
        "update_needed": {"count": newer.count, "first_type": newer.first_type},
    }
    say_json(told)
    return EXIT_OK


def pause(paths: Paths, told: str) -> int:
    """Start nothing new here for a while; jobs that run go on."""
    pairing_of(paths)
    now = ENVIRONMENT.now()
    until = until_when(told, now)
    moment = until.isoformat() if until else FOREVER
    arguments: JsonObject = {"until": moment} if until else {}
    if running(paths, "pause", arguments) is None:
        alone(paths, lambda d: d.submit(lambda c: facts.put(c, "paused_until", moment)).result())
    say(
        f"Paused until {clock(until, now)}; jobs that run go on."
        if until
        else "Paused until you say: deskhand resume. Jobs that run go on."
    )
    return EXIT_OK


def resume(paths: Paths) -> int:
    pairing_of(paths)
    if running(paths, "resume") is None:
        alone(paths, lambda d: d.submit(lambda c: facts.put(c, "paused_until", "")).result())
    say("Jobs are taken again.")
    return EXIT_OK


def until_when(told: str, now: datetime) -> datetime | None:
    """Read "30m", "1h", "tomorrow" or "18:30"; None for "until I say".

    Args:
        told: as typed; empty for no end.
        now: aware.

    Raises:
        BadInput: `pause_unclear`.
    """
    text = told.strip().lower()
    if not text:
        return None
    local = now.astimezone()
    if text == "tomorrow":
        morning = local.replace(hour=6, minute=0, second=0, microsecond=0)
        return _same_time(morning, days=1)
    if found := _SPAN.fullmatch(text):
        minutes = int(found[1]) * MINUTES[found[2]]
        if minutes:
            return now + timedelta(minutes=minutes)
    if found := _CLOCK.fullmatch(text):
        at = local.replace(hour=int(found[1]), minute=int(found[2]), second=0, microsecond=0)
        at = _same_time(at, days=0)
        return at if at > now else _same_time(at, days=1)
    raise BadInput(
        "pause_unclear",
        f"'{told[:40]}' is no time to pause until.",
        "Say 30m, 2h, 18:30 or tomorrow (which ends at 6:00); or nothing, for until you resume.",
    )


def _same_time(at: datetime, *, days: int) -> datetime:
    """Return what the clock on the wall calls the same time; a day may have 23 or 25 hours."""
    return (at.replace(tzinfo=None) + timedelta(days=days)).astimezone()


def policy(paths: Paths, *, is_json: bool) -> int:
    """Show the owner's rules as they count now, also those that the file does not name."""
    rules = load_policy(paths)
    if is_json:
        say_json({"file": str(paths.policy), **rules.model_dump(mode="json")})
        return EXIT_OK
    there = "" if paths.policy.exists() else " (not there yet; these are the careful defaults)"
    say(f"# {paths.policy}{there}")
    for line in write_policy(rules).splitlines():
        say(line)
    return EXIT_OK
