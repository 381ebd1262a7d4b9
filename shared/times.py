"""Moments as they are stored: whole milliseconds since the Unix epoch, always UTC."""

from __future__ import annotations

from datetime import UTC, datetime


def to_ms(moment: datetime) -> int:
    assert moment.tzinfo is not None, "a moment without a zone has no place in a store"
    return round(moment.timestamp() * 1000)


def from_ms(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def utc_words(moment: datetime) -> str:
    """Tell a moment to people whose zone is not known: "21 Nov 2026, 14:02 UTC"."""
    there = moment.astimezone(UTC)
    return f"{there.day} {there:%b %Y, %H:%M} UTC"
