"""Schedules in words: what became of one, what was missed, and how all of them stand."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from hub.core.schedule import Schedule
from hub.core.view import Button, Tone, View
from hub.frontends.facts import Facts
from hub.frontends.figures import capital, plural
from shared.events import ScheduleChanged, ScheduleMissed, ScheduleRan
from shared.ids import short
from shared.plain_text import plain_line
from shared.schedules import ScheduleFacts

LISTED_MAX = 10
WORDS_CHARS_MAX = 80
_PAUSED = {
    "person": "paused",
    "failing": "paused, for it failed again and again",
    "locked": "paused, for the account is locked",
    "unlinked": "paused, for the chat account that made it was unlinked",
    "refused": "paused, for what it asks for is refused",
}
"""How one that is held stands."""


def brief(words: str) -> str:
    """What is done, in one line that is not too long."""
    told = plain_line(words)
    return told if len(told) <= WORDS_CHARS_MAX else f"{told[: WORDS_CHARS_MAX - 2].rstrip()} …"


def label(schedule: ScheduleFacts) -> str:
    """What a schedule is called: "“/predict model.csv” every weekday at 8:00 (#K7Q2)"."""
    return f"“{brief(schedule.words)}” {schedule.when} (#{short(schedule.schedule_id)})"


def schedule_line(body: ScheduleChanged | ScheduleRan | ScheduleMissed, facts: Facts) -> str:
    """Tell it as one line of a history."""
    schedule = body.schedule
    match body:
        case ScheduleChanged() if body.by:
            made = {"created": "was made", "deleted": "was removed"}.get(body.change, body.change)
            verb = made if made.startswith("was") else f"was {made}"
            return f"The schedule {label(schedule)} {verb} by {facts.whose(body.by)}"
        case ScheduleChanged():
            return f"The schedule {label(schedule)} was paused: {schedule.why}".rstrip(": ")
        case ScheduleRan() if body.by:
            return f"The schedule {label(schedule)} was run by {facts.whose(body.by)}"
        case ScheduleRan() if body.missed:
            return f"The schedule {label(schedule)} was run once for {_missed(body.missed)}"
        case ScheduleRan():
            return f"The schedule {label(schedule)} was run"
        case ScheduleMissed():
            return f"The schedule {label(schedule)} was not run: {_why_not(body)}"


def schedule_view(
    body: ScheduleChanged | ScheduleRan | ScheduleMissed, facts: Facts
) -> View | None:
    """Tell a chat what its person does not see anyway: a run tells of itself."""
    match body:
        case ScheduleChanged():
            return _changed(body, facts)
        case ScheduleRan():
            return _made_up(body)
        case ScheduleMissed():
            return _not_run(body, facts)


def _changed(body: ScheduleChanged, facts: Facts) -> View:
    schedule = body.schedule
    buttons = actions(schedule)
    if body.change == "deleted":
        text = f"Removed: {label(schedule)}. What it has begun goes on."
        return View(text=text, subject=_subject(schedule))
    if body.change == "paused" and not body.by:
        text = f"⚠ Paused: {label(schedule)}. {schedule.why} Resume it once that is mended."
        return View(text=text, tone=Tone.FAILED, buttons=buttons, job_id=schedule.last_job_id)
    if body.change == "paused":
        text = f"Paused: {label(schedule)}."
        return View(text=text, tone=Tone.PLAIN, buttons=buttons, subject=_subject(schedule))
    verb = "From now on" if body.change == "created" else "Goes on"
    text = f"{verb}: {label(schedule)}. {next_line(schedule, facts)}"
    return View(text=text, tone=Tone.WAITING, buttons=buttons, subject=_subject(schedule))


def _made_up(body: ScheduleRan) -> View | None:
    if not body.missed:
        return None
    if body.because == "running":
        why = "passed while the last one still went on"
    else:
        why = f"{'was' if body.missed == 1 else 'were'} missed while the hub was off"
    ran = "ran it now" if body.missed == 1 and body.because == "hub_off" else "ran once now"
    text = f"{capital(_missed(body.missed))} of {label(body.schedule)} {why}; {ran}."
    return View(text=text, tone=Tone.PLAIN, is_quiet=True)


def _not_run(body: ScheduleMissed, facts: Facts) -> View:
    text = f"Not run: {label(body.schedule)}. {capital(_why_not(body))}."
    if body.schedule.next_at is not None:
        text += f" {next_line(body.schedule, facts)}"
    tone = Tone.FAILED if body.reason == "refused" else Tone.WAITING
    return View(text=text, tone=tone, buttons=actions(body.schedule))


def _why_not(body: ScheduleMissed) -> str:
    match body.reason:
        case "hub_off":
            was = "was" if body.missed == 1 else "were"
            return f"{_missed(body.missed)} {was} missed while the hub was off"
        case "running":
            last = body.schedule.last_job_id
            of = f" (#{short(last)})" if last else ""
            return f"the last run{of} has not ended, so none was begun beside it"
        case "refused":
            return (body.error.message if body.error else "it was refused").rstrip(".")


def next_line(schedule: ScheduleFacts, facts: Facts) -> str:
    """When it is due next, by the reader's clock, and by its own when that differs."""
    if schedule.next_at is None:
        return f"It is {_PAUSED.get(schedule.paused, 'paused')}."
    return f"Next: {moment(schedule.next_at, schedule.zone, facts)}."


def moment(then: datetime, zone: str, facts: Facts) -> str:
    """Tell a time to come with its day: "tomorrow 8:00", "Mon 24 Nov 8:00 (Europe/Vienna)"."""
    local, today = then.astimezone(facts.zone), facts.now.astimezone(facts.zone).date()
    days = (local.date() - today).days
    clock = f"{local.hour}:{local:%M}"
    day = {0: "today", 1: "tomorrow"}.get(days, f"{local:%a} {local.day} {local:%b}")
    year = f" {local.year}" if local.year != today.year and days > 1 else ""
    differs = str(facts.zone or "") not in ("", zone)
    return f"{day}{year} {clock}" + (f" (it goes by {zone})" if differs else "")


def actions(schedule: ScheduleFacts) -> tuple[Button, ...]:
    """What can be done about it."""
    there = short(schedule.schedule_id)
    held = bool(schedule.paused)
    return (
        Button(
            label="Resume" if held else "Pause",
            says=f"/resume {there}" if held else f"/pause {there}",
        ),
        Button(label="Run now", says=f"/runnow {there}"),
        Button(label="Delete", says=f"/unschedule {there}"),
    )


def schedules_views(schedules: Sequence[Schedule], facts: Facts) -> tuple[View, ...]:
    """All of a person's, each with what can be done about it."""
    if not schedules:
        text = "Nothing is scheduled. For example: /every weekday 8:00 /predict churn new.csv"
        return (View(text=text),)
    views = [_listed(one, facts) for one in schedules[:LISTED_MAX]]
    if len(schedules) > LISTED_MAX:
        left = plural(len(schedules) - LISTED_MAX, "more schedule")
        views.append(View(text=f"… and {left}; /web shows all of them."))
    return tuple(views)


def _listed(schedule: Schedule, facts: Facts) -> View:
    told = schedule.facts
    lines = [
        f"#{schedule.short} {brief(told.words)}",
        f"{capital(told.when)}. {next_line(told, facts)}",
    ]
    if told.why:
        lines.append(told.why)
    tone = Tone.PLAIN if told.paused else Tone.WAITING
    return View(text="\n".join(lines), tone=tone, buttons=actions(told), subject=_subject(told))


def _missed(count: int) -> str:
    return plural(count, "run")


def _subject(schedule: ScheduleFacts) -> str:
    return f"schedule:{schedule.schedule_id}"
