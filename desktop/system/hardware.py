"""What this machine can do and how it is: capabilities, memory, metrics."""

from __future__ import annotations

import importlib
import platform
import shutil
import sys
from collections.abc import Mapping
from datetime import tzinfo
from importlib.machinery import PathFinder
from pathlib import Path
from types import MappingProxyType
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import psutil

from desktop.core.code.ability import CodeAbility
from desktop.core.llm.locality import LOCAL, Found, told
from desktop.core.toolsets import git_command, toolset_for
from desktop.system.power import battery
from shared.capabilities import Capability, Lacking, family_of
from shared.kinds import Kind
from shared.messages import ZONE_CHARS_MAX, Metrics

NO_ABILITY = CodeAbility()
TOOLS_MAX = 32
"""Of a capability."""
LIBRARIES: Mapping[str, tuple[str, ...]] = {
    "data": ("numpy", "pandas"),
    "ml": ("numpy", "pandas", "sklearn"),
    "files.head": ("numpy", "pandas"),
    "llm": ("pydantic_ai", "openai"),
    "llm.stats": ("numpy",),
    "web": ("httpcore", "trafilatura", "markitdown", "ddgs", "playwright"),
    "plan": ("pydantic_ai", "openai"),
    "code": ("pydantic_ai", "openai"),
    "code.agents": (),
    "code.diff": (),
}
"""What a kind or its family imports; one that is not listed needs nothing more."""
PROGRAMS: Mapping[str, tuple[str, ...]] = {
    "code": ("git",),
    "code.agents": ("git",),
    "code.diff": (),
}
"""What a kind or its family starts, in the same way."""


def kinds_ready(kinds: Mapping[str, Kind], executors: Mapping[str, str]) -> frozenset[str]:
    """Return the kinds that have an executor and whose libraries and programs are installed.

    Looks for the libraries without importing them; ones that were installed just now are found,
    and so are ones this process refuses to import itself, as the tray app does with pandas.
    """
    importlib.invalidate_caches()
    return frozenset(
        name for name in kinds if name in executors and _has_libraries(name) and _has_programs(name)
    )


def _has_libraries(kind: str) -> bool:
    return all(PathFinder.find_spec(library) for library in _of(LIBRARIES, kind))


def _has_programs(kind: str) -> bool:
    return all(shutil.which(program) for program in _of(PROGRAMS, kind))


def _of(table: Mapping[str, tuple[str, ...]], kind: str) -> tuple[str, ...]:
    return table[kind] if kind in table else table.get(family_of(kind), ())


def capabilities(
    ready: frozenset[str],
    kinds: Mapping[str, Kind] = MappingProxyType({}),
    code: CodeAbility = NO_ABILITY,
    concurrent: int | None = None,
    local: tuple[Found, ...] = (),
) -> tuple[Capability, ...]:
    """Say what hubs are told of each kind.

    Args:
        ready: kinds that could be run here now.
        kinds: all there are; needed to tell coding jobs apart.
        code: what this machine is good for in those.
        concurrent: how many of those it runs at once.
        local: endpoints on this machine that answer; kinds that can be kept local tell of them.
    """
    models = told(local)
    return tuple(
        Capability(
            kind=name,
            tools=(LOCAL, *code.tools)[:TOOLS_MAX] if local else code.tools,
            specializations=code.specializations,
            jobs_max=concurrent,
        )
        if name in kinds and kinds[name].is_apart
        else Capability(kind=name, tools=(LOCAL,), specializations=models)
        if local and name in kinds and LOCAL in kinds[name].inputs.model_fields
        else Capability(kind=name)
        for name in sorted(ready)
    )


def lacking(
    kinds: Mapping[str, Kind], executors: Mapping[str, str], ready: frozenset[str]
) -> tuple[Lacking, ...]:
    """Return the kinds that would be ready here if what they use were installed."""
    return tuple(_lack(name) for name in sorted(kinds.keys() & executors.keys() - ready))


def _lack(kind: str) -> Lacking:
    tools = toolset_for(kind)
    if _has_libraries(kind) and not _has_programs(kind):
        return Lacking(kind=kind, command=git_command(sys.platform))
    return Lacking(kind=kind, command=tools.command, download_mb=tools.download_mb)


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


def own_memory_bytes() -> int:
    """Resident memory of this program, without its children."""
    return int(psutil.Process().memory_info().rss)


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
