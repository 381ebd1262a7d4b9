"""What the Jobs window says: ages, clocks and second lines, in the person's language and zone."""

from __future__ import annotations

import html
from datetime import datetime

from desktop.gui.language import tr, trn
from desktop.store.copied import JobRow
from shared.jobs import JobState
from shared.messages import Progress
from shared.plain_text import plain_line

MINUTE, HOUR, DAY = 60, 3600, 86_400
LINE_CHARS_MAX = 400


def age(moment: datetime, now: datetime) -> str:
    """Say how old something is in a few letters, or its date: "now", "5 min", "3 h", "14 Nov"."""
    seconds = (now - moment).total_seconds()
    if seconds < MINUTE:
        return tr("now")
    if seconds < HOUR:
        return tr("{count} min").format(count=int(seconds // MINUTE))
    if seconds < DAY:
        return tr("{count} h").format(count=int(seconds // HOUR))
    if seconds < 7 * DAY:
        return tr("{count} d").format(count=int(seconds // DAY))
    local = moment.astimezone()
    if local.year == now.astimezone().year:
        return tr("{day}/{month}").format(day=local.day, month=local.month)
    return f"{local:%Y-%m-%d}"


def clock(moment: datetime, now: datetime) -> str:
    """Say a moment in the person's zone: today's as a time, others with their day."""
    local = moment.astimezone()
    if local.date() == now.astimezone().date():
        return f"{local:%H:%M:%S}"
    return f"{local:%Y-%m-%d %H:%M}"


def duration(seconds: float) -> str:
    """Say how long something took or takes: "7.5 s", "3 min", "2 h 5 min"."""
    if seconds < 10:
        return tr("{count} s").format(count=f"{seconds:.1f}")
    if seconds < MINUTE:
        return tr("{count} s").format(count=int(seconds))
    if seconds < 10 * MINUTE:
        minutes, rest = divmod(round(seconds), MINUTE)
        if not rest:
            return tr("{count} min").format(count=minutes)
        return tr("{minutes} min {seconds} s").format(minutes=minutes, seconds=rest)
    if seconds < HOUR:
        return tr("{count} min").format(count=round(seconds / MINUTE))
    hours, minutes = divmod(round(seconds / MINUTE), 60)
    return tr("{hours} h {minutes} min").format(hours=hours, minutes=minutes)


def title(row: JobRow) -> str:
    """Say what a job is called; a job of which only pieces are known has its short id."""
    told = plain_line(row.title or row.kind).strip()
    return told or tr("Job {short}").format(short=row.short_id)


def second_line(row: JobRow, progress: Progress | None, now: datetime) -> str:
    """Say the one thing that matters most about a job now; empty when its state says it all."""
    match row.state:
        case JobState.ASKING:
            told = row.asks or tr("Waits for an answer.")
        case JobState.RUNNING | JobState.GRANTED:
            told = progress_line(progress) if progress else ""
        case JobState.QUEUED | JobState.OFFERED:
            told = _waiting(row, now)
        case JobState.SUCCEEDED:
            told = row.headline
        case JobState.CANCELLED:
            told = tr("By {who}").format(who=row.cancel_by) if row.cancel_by else ""
        case _:
            told = row.error.message if row.error else ""
    if row.cancel_by and not row.state.is_terminal:
        told = tr("Is being cancelled.")
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


def escaped(text: str) -> str:
    """Write text for a tool tip, which would take some of it for markup."""
    return f"<p style='white-space:pre-wrap'>{html.escape(text)}</p>"
