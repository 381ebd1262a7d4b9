"""Where nodes of the fleet are started and stopped: one module a host, one Protocol for all.

A host is imported when a pool names it, and what it needs (the docker SDK, httpx, the client of
Kubernetes) with its first call.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING

from shared.errors import BadInput

if TYPE_CHECKING:
    from pydantic import BaseModel

    from hub.core.pool import Pool
    from hub.ports import FleetHost

HOSTS: Mapping[str, str] = {
    "process": "ProcessHost",
    "docker": "DockerHost",
    "fly": "FlyHost",
    "kubernetes": "KubernetesHost",
}
"""By the name of their module here; each has its `Settings` beside it."""


def open_host(pool: Pool) -> FleetHost:
    """Make a pool's host; nothing is called yet.

    Raises:
        BadInput: `host_unknown`.
        pydantic.ValidationError: its settings are not what the host needs.
    """
    made: Callable[[BaseModel], FleetHost] = getattr(_module(pool.host), HOSTS[pool.host])
    return made(settings_of(pool.host).model_validate(pool.settings))


def settings_of(name: str) -> type[BaseModel]:
    """Name the settings that a host has.

    Raises:
        BadInput: `host_unknown`.
    """
    settings: type[BaseModel] = _module(name).Settings
    return settings


def _module(name: str) -> ModuleType:
    if name not in HOSTS:
        raise BadInput("host_unknown", f"There is no host '{name[:40]}'.", f"One of: {known()}.")
    return import_module(f"hub.hosts.{name}")


def known() -> str:
    """List the hosts, for people."""
    return ", ".join(HOSTS)
