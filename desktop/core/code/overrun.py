"""Whether a box uses more than it may, from what a watcher saw of it."""

from __future__ import annotations

from dataclasses import dataclass

from desktop.core.code.box import BoxLimits
from shared.errors import LimitReached

DISK_FREE_BYTES_MIN = 512 * 1024**2
"""Below it the machine itself would suffer, whoever filled the disk."""
GB = 1e9


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What all processes of a box have, at one moment."""

    memory_bytes: int
    """Resident and their own; what they share is not counted."""
    processes: int
    written_bytes: int
    """By how much less is free on the clone's disk than when the box was started."""
    free_bytes: int


def overrun(seen: Seen, limits: BoxLimits) -> LimitReached | None:
    """Say which limit is passed; None while all is well."""
    if seen.memory_bytes > limits.memory_bytes_max:
        return LimitReached(
            "box_memory",
            f"The sandbox used {seen.memory_bytes / GB:.1f} GB of memory;"
            f" it may use {limits.memory_bytes_max / GB:.1f} GB.",
            "Raise `memory_bytes_max` in the policy's [code], or order less at once.",
        )
    if seen.processes > limits.processes_max:
        return LimitReached(
            "box_processes",
            f"The sandbox had {seen.processes} processes; it may have {limits.processes_max}.",
            "A program in it started itself again and again, most likely.",
        )
    if seen.written_bytes > limits.disk_bytes_max or seen.free_bytes < DISK_FREE_BYTES_MIN:
        return LimitReached(
            "box_disk",
            f"While the sandbox ran, {max(0, seen.written_bytes) / GB:.1f} GB were written"
            f" to its disk, and {seen.free_bytes / GB:.1f} GB are free there.",
            "Free some space, or order something that makes less.",
        )
    return None
