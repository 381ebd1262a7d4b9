"""What the machine senses of itself for the owner's rules; None for what it cannot tell.

Every sense is read only when a rule needs it, and blocks for a moment: call `read` in a thread.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Set as AbstractSet
from typing import Protocol

import psutil
import structlog

from desktop.core.run_policy import Readings, Sense

log = structlog.get_logger(__name__)


class _Senses(Protocol):
    """What each system's module offers; both may raise anything."""

    def is_metered(self) -> bool | None: ...
    def idle_seconds(self) -> float | None: ...


def read(wanted: AbstractSet[Sense]) -> Readings:
    """Read the senses that are wanted; the others stay None. Never raises."""
    is_on_battery, share = battery() if Sense.BATTERY in wanted else (None, None)
    return Readings(
        is_on_battery=is_on_battery,
        battery_share=share,
        is_metered=is_metered() if Sense.METERED in wanted else None,
        idle_seconds=idle_seconds() if Sense.IDLE in wanted else None,
    )


def battery() -> tuple[bool | None, float | None]:
    """Say whether the machine runs on its battery, and how full that is, 0..1; None: not known.

    A container often has no folder of power supplies at all.
    """
    found = None
    with contextlib.suppress(Exception):  # psutil parses files of the kernel's, some are odd
        found = psutil.sensors_battery() if hasattr(psutil, "sensors_battery") else None
    if found is None:
        return None, None
    is_plugged: bool | None = found.power_plugged
    share = None if found.percent is None else min(1.0, max(0.0, found.percent / 100))
    return (None if is_plugged is None else not is_plugged), share


def is_metered() -> bool | None:
    """Say whether the network counts what goes through it, as the system knows."""
    try:
        return _senses().is_metered()
    except Exception as error:  # a sense that is broken is one that is not there
        log.debug("the network's kind is not known", why=type(error).__name__)
        return None


def idle_seconds() -> float | None:
    """Return how long nobody has touched keyboard or mouse."""
    try:
        return _senses().idle_seconds()
    except Exception as error:
        log.debug("presence is not known", why=type(error).__name__)
        return None


def _senses() -> _Senses:
    """Import this system's module now: its libraries are needed by few rules."""
    if sys.platform == "win32":
        from desktop.system import senses_windows as senses
    elif sys.platform == "darwin":
        from desktop.system import senses_macos as senses
    else:
        from desktop.system import senses_linux as senses
    return senses


def cannot_sense() -> frozenset[Sense]:
    """Return what no program can sense on this kind of system."""
    return frozenset() if sys.platform == "linux" else frozenset({Sense.METERED})
