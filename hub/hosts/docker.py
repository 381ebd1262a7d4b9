"""Nodes as containers of Docker, or of Podman over its own socket: the same API.

Calls block, so each runs in a thread. Containers are found by their labels alone.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from pydantic import Field

from hub.core.pool import Instance, InstanceState, Pool
from hub.hosts.nodes import (
    LABEL,
    LABEL_POOL,
    NodeSettings,
    instance_name,
    is_ours,
    missing,
    read_secrets,
    refused,
    told,
    unreachable,
)
from shared.errors import AppError, first_of

if TYPE_CHECKING:
    from docker import DockerClient
    from docker.models.containers import Container

CALL_SECONDS = 30
CPU_NANO = 1_000_000_000
FAILED_KEPT = 3
"""Containers that ended with an error stay, for their logs; the latest so many."""
STATES = {
    "created": InstanceState.STARTING,
    "configured": InstanceState.STARTING,
    "initialized": InstanceState.STARTING,
    "restarting": InstanceState.STARTING,
    "running": InstanceState.RUNNING,
    "paused": InstanceState.RUNNING,
    "removing": InstanceState.STOPPING,
    "stopping": InstanceState.STOPPING,
}
T = TypeVar("T")


class Settings(NodeSettings):
    """What a pool of containers needs."""

    image: str = Field(min_length=1, max_length=500)
    secrets_file: str = Field(min_length=1)
    """Has DESKHAND_FLEET_KEY and DESKHAND_FLEET_BROKER, a line each, for its owner alone."""
    base_url: str = ""
    """unix:///run/podman/podman.sock, tcp://host:2376 …; DOCKER_HOST when empty."""
    network: str = ""
    """The network that containers join; the daemon's own when empty."""
    memory_mb: int = Field(default=1024, ge=16)
    cpus: float = Field(default=1.0, gt=0)
    command: tuple[str, ...] = Field(default=(), strict=False)
    """What runs in place of the image's own command."""


class DockerHost:
    """Runs nodes in containers."""

    name = "docker"

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._client: DockerClient | None = None

    async def instances(self, pool: Pool) -> tuple[Instance, ...]:
        return await self._asked(lambda client: self._instances(client, pool), "list containers")

    async def start(self, pool: Pool, count: int) -> tuple[str, ...]:
        secrets = read_secrets(Path(self._settings.secrets_file))
        started = [
            await self._asked(
                lambda client: self._start(client, pool, secrets), "start a container"
            )
            for _ in range(count)
        ]
        return tuple(started)

    async def stop(self, pool: Pool, names: Sequence[str]) -> None:
        try:
            async with asyncio.TaskGroup() as tasks:
                for name in names:
                    tasks.create_task(self._stopped(pool, name))
        except* AppError as failures:
            raise first_of(failures) from None

    async def _stopped(self, pool: Pool, name: str) -> None:
        await self._asked(lambda client: self._stop(client, pool, name), "stop a container")

    async def close(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            await asyncio.to_thread(client.close)

    # The same, in a thread.

    def _instances(self, client: DockerClient, pool: Pool) -> tuple[Instance, ...]:
        found = []
        failed = []
        for container in self._containers(client, pool):
            state = STATES.get(container.status)
            if state is not None:
                found.append(_instance(container, pool, state))
            elif container.attrs.get("State", {}).get("ExitCode", 0) == 0:
                _removed(container)
            else:
                failed.append(container)
        failed.sort(key=lambda container: str(container.attrs.get("Created", "")))
        for container in failed[:-FAILED_KEPT]:
            _removed(container)
        return tuple(found)

    def _containers(self, client: DockerClient, pool: Pool) -> list[Container]:
        labels = [f"{LABEL}={self._settings.fleet}", f"{LABEL_POOL}={pool.name}"]
        listed = client.containers.list(all=True, filters={"label": labels}, ignore_removed=True)
        return [c for c in listed if is_ours(c.labels, self._settings.fleet, pool)]

    def _start(self, client: DockerClient, pool: Pool, secrets: dict[str, str]) -> str:
        settings = self._settings
        name = instance_name(settings.fleet, pool)
        container = client.containers.create(
            settings.image,
            list(settings.command) or None,
            name=name,
            labels={LABEL: settings.fleet, LABEL_POOL: pool.name},
            environment={**secrets, **told(pool, settings, name)},
            mem_limit=f"{settings.memory_mb}m",
            nano_cpus=int(settings.cpus * CPU_NANO),
            read_only=True,
            tmpfs={"/tmp": "size=256m"},  # noqa: S108 (the container's own)
            security_opt=["no-new-privileges"],
            cap_drop=["ALL"],
            **({"network": settings.network} if settings.network else {}),
        )
        try:
            container.start()
        except Exception:
            # One that was made and cannot start would be there for ever.
            container.remove(force=True)
            raise
        return name

    def _stop(self, client: DockerClient, pool: Pool, name: str) -> None:
        for container in self._containers(client, pool):
            if container.name == name:
                container.stop(timeout=self._settings.stop_seconds)
                _removed(container)

    async def _asked(self, call: Callable[[DockerClient], T], what: str) -> T:
        """Call in a thread, with errors of our own.

        Raises:
            AppError: `host_unreachable`, `host_refused`, `host_missing`.
        """
        return await asyncio.to_thread(self._called, call, what)

    def _called(self, call: Callable[[DockerClient], T], what: str) -> T:
        try:
            from docker import errors
            from requests.exceptions import RequestException
        except ImportError:
            raise missing(self.name, "docker") from None
        try:
            if self._client is None:
                self._client = self._connected()
            return call(self._client)
        except errors.NotFound as error:
            raise refused(self.name, what, _words(error)) from None
        except errors.APIError as error:
            is_server = error.response is not None and error.response.status_code >= 500
            raise refused(self.name, what, _words(error), retryable=is_server) from None
        except (errors.DockerException, RequestException, OSError) as error:
            raise unreachable(self.name, self._where, type(error).__name__) from None

    def _connected(self) -> DockerClient:
        import docker

        # A stop waits on the other side.
        seconds = CALL_SECONDS + self._settings.stop_seconds
        if not self._settings.base_url:
            return docker.from_env(timeout=seconds)
        return docker.DockerClient(base_url=self._settings.base_url, timeout=seconds)

    @property
    def _where(self) -> str:
        return self._settings.base_url or "its usual address"


def _instance(container: Container, pool: Pool, state: InstanceState) -> Instance:
    started = str(container.attrs.get("State", {}).get("StartedAt", ""))
    return Instance(
        name=str(container.name), pool=pool.name, state=state, started_at=_time(started)
    )


def _time(told_at: str) -> datetime | None:
    """Read a moment with up to nine digits of a second; the year 1 says that there was none."""
    whole, dot, rest = told_at.replace("Z", "+00:00").partition(".")
    digits = "".join(c for c in rest.split("+")[0].split("-")[0] if c.isdigit())
    zone = rest[len(digits) :] if dot else ""
    try:
        moment = datetime.fromisoformat(f"{whole}{zone}")
    except ValueError:
        return None
    return moment if moment.tzinfo is not None and moment.year > 1 else None


def _removed(container: Container) -> None:
    """Remove a container that has ended; one that somebody else removes is gone as well."""
    from docker import errors

    try:
        container.remove(force=True)
    except errors.APIError as error:
        if error.response is None or error.response.status_code not in (404, 409):
            raise


def _words(error: Exception) -> str:
    return str(getattr(error, "explanation", "") or error)[:300].strip().rstrip(".")
