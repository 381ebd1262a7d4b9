"""Moments and spans as people say them, in their language and their zone."""

from __future__ import annotations

from datetime import datetime

from desktop.gui.language import tr

MINUTE, HOUR, DAY = 60, 3600, 86_400


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
