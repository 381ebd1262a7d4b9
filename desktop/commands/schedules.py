"""`deskhand schedules`: what the hub does again and again, also while this one sleeps."""

from __future__ import annotations

import argparse
from datetime import datetime
from typing import cast

from desktop.commands import shapes
from desktop.commands.deeds import ENVIRONMENT, request
from desktop.commands.finding import reading
from desktop.commands.printing import say, say_json
from desktop.commands.worker import EXIT_OK
from desktop.store import schedules
from desktop.store.schedules import ScheduleRow
from desktop.system.hardware import zone_name
from desktop.system.paths import Paths
from shared.errors import BadInput, NotFound
from shared.events import ScheduleAsked
from shared.ids import ScheduleId
from shared.schedules import WHEN_CHARS_MAX, WORDS_CHARS_MAX, ScheduleAction

DONE: dict[ScheduleAction, str] = {
    "pause": "Asked the hub to pause",
    "resume": "Asked the hub to resume",
    "run": "Asked the hub to run now",
    "delete": "Asked the hub to delete",
}


def run(paths: Paths, options: argparse.Namespace) -> int:
    match options.action:
        case "list":
            return listed(paths, is_json=options.json)
        case "add":
            return add(paths, options.words)
        case _:
            return change(paths, cast("ScheduleAction", options.action), options.words)


def listed(paths: Paths, *, is_json: bool) -> int:
    """List them as this computer has heard of them, the newest first."""
    with reading(paths) as connection:
        rows = schedules.rows(connection)
    if is_json:
        say_json([shapes.of_schedule(row) for row in rows])
        return EXIT_OK
    for row in rows:
        say(f"#{row.short} {' '.join(row.facts.words.split())}")
        say(f"  {row.facts.when}{_zone(row)}; {standing(row)}")
    if not rows:
        say('Nothing is scheduled. For example: deskhand schedules add "every day 8:00" "/models"')
    return EXIT_OK


def add(paths: Paths, words: list[str]) -> int:
    """Have something done again and again.

    Raises:
        BadInput: `schedule_incomplete`, `schedule_too_long`.
        NotFound: `not_paired`.
    """
    when, what = (words[0], " ".join(words[1:])) if words else ("", "")
    if not what:
        raise BadInput(
            "schedule_incomplete",
            "A schedule needs when and what.",
            'For example: deskhand schedules add "every weekday 8:00" "/predict churn new.csv"',
        )
    if len(when) > WHEN_CHARS_MAX or len(what) > WORDS_CHARS_MAX:
        raise BadInput("schedule_too_long", f"At most {WORDS_CHARS_MAX:,} characters fit.")
    schedule_id = ScheduleId(ENVIRONMENT.new_id())
    body = ScheduleAsked(
        schedule_id=schedule_id, action="create", words=what, when=when, zone=zone_name()
    )
    request(paths, "schedule", {"action": "create", "words": what, "when": when}, body)
    say("Asked the hub for it; `deskhand schedules` shows what became of it.")
    return EXIT_OK


def change(paths: Paths, action: ScheduleAction, words: list[str]) -> int:
    """Hold one, let it go on, run it now or remove it.

    Raises:
        NotFound: `schedule_unknown`, `not_paired`.
    """
    with reading(paths) as connection:
        row = schedules.named(connection, words[0] if words else "")
    if row is None:
        raise NotFound(
            "schedule_unknown", "There is no such schedule.", "`deskhand schedules` lists them."
        )
    body = ScheduleAsked(schedule_id=row.schedule_id, action=action)
    request(paths, "schedule", {"action": action, "schedule_id": row.schedule_id}, body)
    say(f"{DONE[action]}: #{row.short} {' '.join(row.facts.words.split())[:80]}")
    return EXIT_OK


def standing(row: ScheduleRow) -> str:
    """How one stands, behind a semicolon."""
    if row.waiting is not None:
        return f"{row.waiting} waits for the hub"
    if row.facts.paused:
        return f"paused. {row.facts.why}".rstrip(". ") + "." if row.facts.why else "paused"
    return f"next {_clock(row.facts.next_at)}" if row.facts.next_at else "not known when next"


def _zone(row: ScheduleRow) -> str:
    """Its time zone, where that is not this computer's."""
    return f" in {row.facts.zone}" if row.facts.zone not in ("", zone_name()) else ""


def _clock(moment: datetime) -> str:
    return f"{moment.astimezone():%a %d %b %H:%M}"
