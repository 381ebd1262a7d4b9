"""The time zone of the machine that a hub runs on: what counts while nobody named another."""

from __future__ import annotations

import os
from pathlib import Path

LOCAL = Path("/etc/localtime")
ZONES = "zoneinfo/"
UTC = "UTC"


def zone_name(local: Path = LOCAL) -> str:
    """Name the machine's zone as IANA does ("Europe/Vienna"); "UTC" where that cannot be told."""
    named = os.environ.get("TZ", "").removeprefix(":")
    if named and not named.startswith("/"):
        return named
    try:
        target = str(local.readlink())
    except OSError:
        return UTC
    return target.partition(ZONES)[2] or UTC
