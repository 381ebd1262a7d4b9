"""What the Jobs window says: ages, clocks and second lines, in the person's language and zone."""

from __future__ import annotations

from datetime import datetime

from desktop.desk.standing import Whereabouts
from desktop.gui import standing
from desktop.gui.language import tr, trn
from desktop.gui.times import clock, duration
from desktop.store.copied import JobRow
from shared.jobs import JobState
from shared.messages import Progress
from shared.plain_text import plain_line

LINE_CHARS_MAX = 400


def title(row: JobRow) -> str:
    """Say what a job is called; a job of which only pieces are known has its short id."""
    told = plain_line(row.title or row.kind).strip()
    return told or tr("Job {short}").format(short=row.short_id)


def second_line(row: JobRow, progress: Progress | None, now: datetime, place: Whereabouts) -> str:
    """Say the one thing that matters most about a job now; empty when its state says it all."""
    stands = standing.of_job(row, place)
    match row.state:
        case JobState.ASKING:
            told = row.asks or tr("Waits for an answer.")
        case JobState.RUNNING | JobState.GRANTED:
            far = progress_line(progress) if progress else ""
            told = f"{far} · {standing.foot(stands)}" if far and stands else far or stands
        case JobState.QUEUED | JobState.OFFERED:
            told = stands or _waiting(row, now)
        case JobState.SUCCEEDED:
            told = row.headline
        case JobState.CANCELLED:
            told = tr("By {who}").format(who=row.cancel_by) if row.cancel_by else ""
        case _:
            told = row.error.message if row.error else ""
    if stands and (row.cancel_by or row.replaced_by) and row.state is not JobState.SUCCEEDED:
        told = stands
    return plain_line(told.strip().split("\n", 1)[0])[:LINE_CHARS_MAX]


def _waiting(row: JobRow, now: datetime) -> str:
    if row.not_before is not None and row.not_before > now:
        told = tr("Tries again at {time}.").format(time=clock(row.not_before, now))
        return f"{told} {row.error.message}" if row.error else told
    if row.machine:
        return tr("For {machine}").format(machine=row.machine)
    return ""


def progress_line(progress: Progress) -> str:
    """Say how far a job is: "fitting · 3 of 5 · 18 s left"."""
    parts = [plain_line(progress.stage).strip()]
    if progress.total > 0:
        parts.append(
            tr("{done} of {total}").format(
                done=_number(progress.done), total=_number(progress.total)
            )
        )
    if progress.eta_seconds is not None:
        parts.append(tr("{time} left").format(time=duration(progress.eta_seconds)))
    return " · ".join(part for part in parts if part)


def line_count(count: int) -> str:
    return trn("{count} line", "{count} lines", count)


def _number(value: float) -> str:
    return f"{value:,.0f}" if value == int(value) or value >= 100 else f"{value:.1f}"
