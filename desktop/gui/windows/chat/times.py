"""Moments and spans as people say them, in the person's zone."""

from __future__ import annotations

from datetime import datetime

from desktop.gui.language import tr

MINUTE, HOUR, DAY = 60, 3600, 86400


def clock(at: datetime, now: datetime) -> str:
    """Say when something was: the time today, the day before it otherwise."""
    local, today = at.astimezone(), now.astimezone()
    if local.date() == today.date():
        return f"{local:%H:%M}"
    return f"{local:%Y-%m-%d %H:%M}"


def age(at: datetime, now: datetime) -> str:
    """Say how long ago something was, in one short word."""
    seconds = (now - at).total_seconds()
    if seconds < MINUTE:
        return tr("now")
    if seconds < 7 * DAY:
        return span(seconds)
    return f"{at.astimezone():%Y-%m-%d}"


def span(seconds: float) -> str:
    """Say how long something takes, in its largest whole unit."""
    whole = max(0, int(seconds))
    if whole < MINUTE:
        return tr("{n} s").format(n=whole)
    if whole < HOUR:
        return tr("{n} min").format(n=whole // MINUTE)
    if whole < DAY:
        return tr("{n} h").format(n=whole // HOUR)
    return tr("{n} d").format(n=whole // DAY)


def countdown(seconds: float) -> str:
    """Say how long something still takes: minutes are rounded up, the last one is counted."""
    whole = max(0, round(seconds))
    if whole <= MINUTE:
        return tr("{n} s").format(n=whole)
    return span(-(-whole // MINUTE) * MINUTE)
