"""How sizes, ages and counts are written to people."""

from __future__ import annotations

from collections.abc import Sequence

KILO = 1000
MINUTE_SECONDS = 60
HOUR_SECONDS = 3600
DAY_SECONDS = 86_400


def size(file_bytes: int) -> str:
    """Write a size in decimal units: "812 bytes", "2.1 MB"."""
    if file_bytes < KILO:
        return count(file_bytes, "byte")
    # 999,950 bytes would be written as 1000 kB.
    power = next((p for p in (1, 2) if file_bytes < KILO ** (p + 1) * 0.9995), 3)
    amount = file_bytes / KILO**power
    unit = ("kB", "MB", "GB")[power - 1]
    return f"{amount:.1f} {unit}" if amount < 9.95 else f"{amount:,.0f} {unit}"


def age(seconds: float) -> str:
    """Write how long ago something was: "just now", "5 minutes ago", "yesterday"."""
    if seconds < MINUTE_SECONDS:
        return "just now"
    if seconds < HOUR_SECONDS:
        return f"{count(int(seconds // MINUTE_SECONDS), 'minute')} ago"
    if seconds < DAY_SECONDS:
        return f"{count(int(seconds // HOUR_SECONDS), 'hour')} ago"
    days = int(seconds // DAY_SECONDS)
    return "yesterday" if days == 1 else f"{days:,} days ago"


def count(number: int, one: str, many: str | None = None) -> str:
    """Write a count with its noun: "1 row", "7,043 rows"; `many` defaults to one + "s"."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def share(part: float) -> str:
    """Write a share of 0..1 in percent, so that only nothing is 0 % and only all is 100 %."""
    percent = 100 * part
    if 0 < percent < 1:
        return "under 1 %"
    if 99 < percent < 100:
        return "over 99 %"
    return f"{percent:.0f} %"


def number(value: float) -> str:
    """Write a number with at most four telling digits, thousands apart: "1,234", "0.0312"."""
    if value == int(value) and abs(value) < 1e15:
        return f"{int(value):,}"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def listed(names: Sequence[str], shown_max: int = 3) -> str:
    """Write names as a list: "'a'", "'a' and 'b'", "'a', 'b', 'c' and 4 more"."""
    quoted = [f"'{name}'" for name in names[:shown_max]]
    if len(names) > shown_max:
        return f"{', '.join(quoted)} and {len(names) - shown_max:,} more"
    return (
        " and ".join([", ".join(quoted[:-1]), quoted[-1]]) if len(quoted) > 1 else "".join(quoted)
    )
