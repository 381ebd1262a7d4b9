"""What this machine can do and how it is: capabilities, memory, metrics."""

from __future__ import annotations

import importlib
import platform
import shutil
from collections.abc import Mapping
from datetime import tzinfo
from importlib.machinery import PathFinder
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import psutil

from desktop.core.toolsets import toolset_for
from desktop.system.power import battery
from shared.capabilities import Capability, Lacking
from shared.kinds import Kind
from shared.messages import ZONE_CHARS_MAX, Metrics

LIBRARIES: Mapping[str, tuple[str, ...]] = {
    "data": ("numpy", "pandas"),
    "ml": ("numpy", "pandas", "sklearn"),
    "files.head": ("numpy", "pandas"),
    "llm": ("pydantic_ai", "openai"),
    "llm.stats": ("numpy",),
}
"""What a kind or its family imports; one that is not listed needs nothing more."""


def kinds_ready(kinds: Mapping[str, Kind], executors: Mapping[str, str]) -> frozenset[str]:
    """Return the kinds that have an executor and whose libraries are installed.

    Looks for the libraries without importing them; ones that were installed just now are found,
    and so are ones this process refuses to import itself, as the tray app does with pandas.
    """
    importlib.invalidate_caches()
    return frozenset(
        name
        for name in kinds
        if name in executors and all(PathFinder.find_spec(lib) for lib in _libraries(name))
    )


def _libraries(kind: str) -> tuple[str, ...]:
    return LIBRARIES.get(kind) or LIBRARIES.get(kind.split(".", maxsplit=1)[0], ())


def capabilities(ready: frozenset[str]) -> tuple[Capability, ...]:
    return tuple(Capability(kind=name) for name in sorted(ready))


def lacking(
    kinds: Mapping[str, Kind], executors: Mapping[str, str], ready: frozenset[str]
) -> tuple[Lacking, ...]:
    """Return the kinds that would be ready here if their libraries were installed."""
    return tuple(
        Lacking(kind=name, command=tools.command, download_mb=tools.download_mb)
        for name in sorted(kinds.keys() & executors.keys() - ready)
        for tools in (toolset_for(name),)
    )


def machine_name() -> str:
    return platform.node().split(".")[0][:60] or "computer"


def platform_name() -> str:
    """Name the system as people do: "Debian GNU/Linux 12", "Windows 11", "macOS 15.1"."""
    if platform.system() == "Linux":
        try:
            release = platform.freedesktop_os_release()
        except OSError:
            return "Linux"
        return release.get("PRETTY_NAME", "Linux").split(" (")[0]
    if platform.system() == "Darwin":
        return f"macOS {platform.mac_ver()[0]}"
    return f"{platform.system()} {platform.release()}"


def zone_name() -> str:
    """Name the machine's time zone as IANA does ("Europe/Vienna"); empty when it is not known."""
    import tzlocal

    try:
        name = str(tzlocal.get_localzone_name() or "")
    except Exception:  # a broken link, a registry key it has never heard of
        return ""
    return name if len(name) <= ZONE_CHARS_MAX else ""


def zone() -> tzinfo | None:
    """Return the machine's time zone with its changes of the clock; None when it is not known."""
    try:
        return ZoneInfo(zone_name())
    except (ValueError, ZoneInfoNotFoundError, OSError):
        return None


def memory_total_bytes() -> int:
    return int(psutil.virtual_memory().total)


def cores() -> int:
    """Count the processor's cores that this program may use."""
    process = psutil.Process()
    if hasattr(process, "cpu_affinity"):  # macOS has none
        return len(process.cpu_affinity() or ()) or 1
    return psutil.cpu_count() or 1


def disk_free_bytes(folder: Path) -> int:
    return shutil.disk_usage(folder).free


def metrics(folder: Path) -> Metrics:
    """Measure the machine; the CPU share is since the last call."""
    memory = psutil.virtual_memory()
    return Metrics(
        cpu_share=min(1.0, psutil.cpu_percent(interval=None) / 100),
        memory_used_bytes=memory.total - memory.available,
        memory_total_bytes=memory.total,
        disk_free_bytes=disk_free_bytes(folder),
        battery_share=battery()[1],
    )
