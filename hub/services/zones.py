"""Time zones by the names that people and computers write."""

from __future__ import annotations

from datetime import tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from shared.errors import BadInput
from shared.messages import ZONE_CHARS_MAX


def time_zone(name: str) -> tzinfo | None:
    """Find a zone by a name that somebody else wrote; None when there is no such zone."""
    if not name or len(name) > ZONE_CHARS_MAX:
        return None
    try:
        return ZoneInfo(name)
    # The library refuses paths that lead elsewhere; a folder of zones is no zone either.
    except (ValueError, OSError, ZoneInfoNotFoundError):
        return None


def zone_named(name: str) -> tzinfo:
    """Find a zone.

    Raises:
        BadInput: `zone_unknown`.
    """
    zone = time_zone(name)
    if zone is None:
        raise BadInput(
            "zone_unknown",
            f"There is no time zone '{name[:ZONE_CHARS_MAX]}'.",
            "Name it by continent and city, as in Europe/Vienna or America/New_York.",
        )
    return zone


def is_zone(name: str) -> bool:
    """Say whether there is a time zone of a name."""
    return time_zone(name) is not None
