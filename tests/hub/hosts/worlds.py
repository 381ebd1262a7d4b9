"""What the conformance suite needs of a host: one that works, one that cannot, and strangers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from pydantic import JsonValue

from hub.core.pool import Pool
from hub.ports import FleetHost

KEY = "dh_the_fleets_key"
BROKER = "redis://:the-password@127.0.0.1:1/0"
HUB = "http://127.0.0.1:9"


async def nothing() -> None:
    """Wait for nothing."""


@dataclass(kw_only=True)
class HostWorld:
    """One host with its surroundings."""

    pool: Pool
    other: Pool
    """Another pool on the same host."""
    open: Callable[[Pool], FleetHost]
    cannot_start: Pool
    """Its starts are refused."""
    unreachable: Pool
    """Its host does not answer."""
    make_stranger: Callable[[], Awaitable[str]]
    """Start something of nobody's with a similar name; it says what it is called."""
    is_there: Callable[[str], Awaitable[bool]]
    """Whether a stranger is."""
    told: Callable[[str], Awaitable[str]]
    """All that others can see of an instance: labels, command line, annotations."""
    settle: Callable[[], Awaitable[None]] = nothing
    """Let the cluster catch up."""


def a_pool(name: str, host: str, **settings: JsonValue) -> Pool:
    return Pool(
        name=name,
        kinds=("llm.probe",),
        host=host,
        settings=settings,
    )


def write_secrets(folder: Path) -> str:
    file = folder / "fleet.env"
    file.write_text(f"# for nodes\nDESKHAND_FLEET_KEY={KEY}\nDESKHAND_FLEET_BROKER='{BROKER}'\n")
    file.chmod(0o600)
    return str(file)
