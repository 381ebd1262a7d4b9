"""When something was said, and how long something still takes; ages are in `gui.times`."""

from __future__ import annotations

from datetime import datetime

from desktop.gui.language import tr
from desktop.gui.times import DAY, HOUR, MINUTE


def clock(at: datetime, now: datetime) -> str:
    """Say when something was: the time today, the day before it otherwise."""
    local, today = at.astimezone(), now.astimezone()
    if local.date() == today.date():
        return f"{local:%H:%M}"
    return f"{local:%Y-%m-%d %H:%M}"


def span(seconds: float) -> str:
    """Say how long something takes, in its largest whole unit."""
    whole = max(0, int(seconds))
    if whole < MINUTE:
        return tr("{count} s").format(count=whole)
    if whole < HOUR:
        return tr("{count} min").format(count=whole // MINUTE)
    if whole < DAY:
        return tr("{count} h").format(count=whole // HOUR)
    return tr("{count} d").format(count=whole // DAY)


def countdown(seconds: float) -> str:
    """Say how long something still takes: minutes are rounded up, the last one is counted."""
    whole = max(0, round(seconds))
    if whole <= MINUTE:
        return tr("{count} s").format(count=whole)
    return span(-(-whole // MINUTE) * MINUTE)
