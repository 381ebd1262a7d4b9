"""Numbers as people read them: durations, moments, counts and progress bars."""

from __future__ import annotations

from datetime import datetime, timedelta, tzinfo

BAR_CELLS = 5


def bar(share: float, cells: int = BAR_CELLS) -> str:
    """Draw a share (0..1, clamped) as cells; full only when it is all done."""
    filled = int(max(0.0, min(1.0, share)) * cells + 1e-9)
    return "▓" * filled + "░" * (cells - filled)


def count(number: float) -> str:
    """7043 -> "7,043"; fractions are kept to one digit: 2.5 -> "2.5"."""
    return f"{number:,.0f}" if float(number).is_integer() else f"{number:,.1f}"


def plural(number: int, noun: str) -> str:
    """(1, "job") -> "1 job", (3, "job") -> "3 jobs"."""
    return f"{count(number)} {noun}" if number == 1 else f"{count(number)} {noun}s"


def duration(seconds: float) -> str:
    """90 -> "1 min 30 s"; at most two units, nothing below a second."""
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        minutes, rest = divmod(whole, 60)
        return f"{minutes} min {rest} s" if rest and minutes < 5 else f"{minutes} min"
    hours, minutes = divmod(whole // 60, 60)
    if hours < 24:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    days, hours = divmod(hours, 24)
    return f"{days} d {hours} h" if hours else f"{days} d"


def ago(then: datetime, now: datetime) -> str:
    """How long since, as words; a moment ahead of our clock counts as now."""
    seconds = (now - then).total_seconds()
    if seconds < 5:
        return "just now"
    # To the minute: nobody reads the seconds of an age.
    return f"{duration(seconds if seconds < 60 else seconds // 60 * 60)} ago"


def moment(then: datetime, now: datetime, zone: tzinfo | None = None) -> str:
    """Tell a time as briefly as it is clear: "14:02", "yesterday 14:02", "3 Mar 14:02".

    Args:
        then: aware.
        now: aware.
        zone: the person's; None is the zone of this machine.
    """
    local, today = then.astimezone(zone), now.astimezone(zone).date()
    clock = f"{local:%H:%M}"
    if local.date() == today:
        return clock
    if local.date() == today - timedelta(days=1):
        return f"yesterday {clock}"
    day = f"{local.day} {local:%b}"
    return f"{day} {clock}" if local.year == today.year else f"{day} {local.year}"


def capital(text: str) -> str:
    """Begin a sentence; what follows the first letter stays as it is."""
    return text[:1].upper() + text[1:]


def quoted(name: str) -> str:
    """Write a name as a command takes it: in quotes when it has a blank."""
    return f'"{name}"' if " " in name else name
