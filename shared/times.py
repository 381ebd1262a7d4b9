"""Moments as they are stored: whole milliseconds since the Unix epoch, always UTC."""

from __future__ import annotations

from datetime import UTC, datetime


def to_ms(moment: datetime) -> int:
    assert moment.tzinfo is not None, "a moment without a zone has no place in a store"
    return round(moment.timestamp() * 1000)


def from_ms(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)
