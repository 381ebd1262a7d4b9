"""A box's limits as the arguments of `prlimit`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from desktop.core.code.box import BoxLimits

PRLIMIT = "prlimit"


def limits_of(limits: BoxLimits) -> dict[str, int]:
    """Return each limit of a process by the name that `prlimit` has for it.

    Memory is not among them: sanitizers and virtual machines reserve terabytes that they never
    use, and the kernel would count them. A watcher and a cgroup hold it.
    """
    return {
        "core": 0,
        "cpu": limits.cpu_seconds_max,
        "fsize": limits.file_bytes_max,
        "nofile": limits.open_files_max,
        "nproc": limits.processes_max,
    }


def limited(
    argv: Sequence[str], limits: BoxLimits, hard: Mapping[str, int], *, processes_now: int = 0
) -> list[str]:
    """Return the command with `prlimit` before it, which sets soft and hard limits alike.

    `hard` are the limits that we live under ourselves, by name; nobody may go above his own.
    `processes_now` counts those of the person that the kernel counts along: none where the box has
    a user namespace of its own, for each has its own count there.
    """
    wanted = limits_of(limits)
    wanted["nproc"] += processes_now
    set_to = {name: min(value, hard.get(name, value)) for name, value in wanted.items()}
    return [PRLIMIT, *(f"--{name}={value}" for name, value in set_to.items()), "--", *argv]
