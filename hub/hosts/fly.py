"""Nodes as machines of Fly.io, over its Machines API.

Source: fly.io/docs/machines/api and the client that flyctl uses (superfly/fly-go, package flaps).
Secrets are the app's own (`fly secrets set DESKHAND_FLEET_KEY=… DESKHAND_FLEET_BROKER=…`): every
machine of the app has them, and they pass through nobody here.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, TypeAdapter, ValidationError

from hub.core.pool import Instance, InstanceState, Pool
from hub.hosts.nodes import (
    LABEL,
    LABEL_POOL,
    NodeSettings,
    instance_name,
    is_ours,
    missing,
    refused,
    told,
    unreachable,
)
from shared.errors import AppError, NotAllowed, first_of

if TYPE_CHECKING:
    import httpx

CALL_SECONDS = 15.0
WAIT_SECONDS_MAX = 60
"""Fly waits no longer for a state in one call."""
GONE = 404
BUSY = 409
TOO_MANY = 429
STATES = {
    "created": InstanceState.STARTING,
    "starting": InstanceState.STARTING,
    "started": InstanceState.RUNNING,
    "stopping": InstanceState.STOPPING,
    "destroying": InstanceState.STOPPING,
    "replacing": InstanceState.STARTING,
    "restarting": InstanceState.STARTING,
}


class Settings(NodeSettings):
    """What a pool of Fly machines needs."""

    app: str = Field(min_length=1, max_length=63, pattern=r"^[a-z0-9-]+$")
    image: str = Field(min_length=1, max_length=500)
    region: str = Field(default="", max_length=10, pattern=r"^[a-z]*$")
    cpu_kind: Literal["shared", "performance"] = "shared"
    cpus: int = Field(default=1, ge=1, le=16)
    memory_mb: int = Field(default=512, ge=256)
    token_variable: str = "FLY_API_TOKEN"  # noqa: S105 (the name of a variable)
    """The variable of the scaler's environment that has the token for the API."""
    api_url: str = Field(default="https://api.machines.dev", pattern=r"^https?://.+")


class _Config(BaseModel):
    model_config = ConfigDict(extra="ignore")

    metadata: dict[str, str] = Field(default_factory=dict)


class _Machine(BaseModel):
    """As much of a machine as is looked at."""

    model_config = ConfigDict(extra="ignore")

    id: str
    name: str
    state: str
    instance_id: str = ""
    created_at: datetime | None = None
    config: _Config | None = None


_Machines = TypeAdapter(list[_Machine])


class FlyHost:
    """Runs nodes on machines of one app."""

    name = "fly"

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._client: httpx.AsyncClient | None = None

    async def instances(self, pool: Pool) -> tuple[Instance, ...]:
        return tuple(
            Instance(name=m.name, pool=pool.name, state=STATES[m.state], started_at=m.created_at)
            for m in await self._machines(pool)
            if m.state in STATES
        )

    async def start(self, pool: Pool, count: int) -> tuple[str, ...]:
        return tuple([await self._start(pool) for _ in range(count)])

    async def stop(self, pool: Pool, names: Sequence[str]) -> None:
        machines = [m for m in await self._machines(pool) if m.name in set(names)]
        try:
            async with asyncio.TaskGroup() as tasks:
                for machine in machines:
                    tasks.create_task(self._stop(machine))
        except* AppError as failures:
            raise first_of(failures) from None

    async def close(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()

    async def _machines(self, pool: Pool) -> list[_Machine]:
        query = {f"metadata.{_key(LABEL)}": self._settings.fleet}
        answer = await self._call("GET", "", "list machines", query=query)
        try:
            machines = _Machines.validate_json(answer.content)
        except ValidationError:
            raise unreachable(self.name, self._settings.api_url, "no list of machines") from None
        return [m for m in machines if _is_ours(m, self._settings.fleet, pool)]

    async def _start(self, pool: Pool) -> str:
        settings = self._settings
        name = instance_name(settings.fleet, pool)
        body: dict[str, JsonValue] = {
            "name": name,
            "config": {
                "image": settings.image,
                "env": {**told(pool, settings, name)},
                "metadata": {_key(LABEL): settings.fleet, _key(LABEL_POOL): pool.name},
                "guest": {
                    "cpu_kind": settings.cpu_kind,
                    "cpus": settings.cpus,
                    "memory_mb": settings.memory_mb,
                },
                # A node that has drained is over; nobody pays for what lies about.
                "restart": {"policy": "no"},
                "auto_destroy": True,
                "stop_config": {"signal": "SIGTERM", "timeout": f"{settings.stop_seconds}s"},
            },
        }
        if settings.region:
            body["region"] = settings.region
        await self._call("POST", "", "start a machine", body=body)
        return name

    async def _stop(self, machine: _Machine) -> None:
        """Stop, wait till it is, and destroy; one that is gone on the way is no error."""
        seconds = self._settings.stop_seconds
        path = f"/{machine.id}"
        body: dict[str, JsonValue] = {"signal": "SIGTERM", "timeout": f"{seconds}s"}
        with contextlib.suppress(_Gone):
            if machine.state in ("created", "starting", "started"):
                await self._call("POST", f"{path}/stop", "stop a machine", body=body)
                await self._until_stopped(machine, min(seconds, WAIT_SECONDS_MAX))
            query = {"force": "true"}
            await self._call("DELETE", path, "destroy a machine", query=query)

    async def _until_stopped(self, machine: _Machine, seconds: int) -> None:
        query = {"state": "stopped", "timeout": str(seconds)}
        if machine.instance_id:
            query["instance_id"] = machine.instance_id
        path = f"/{machine.id}/wait"
        await self._call("GET", path, "stop a machine in time", query=query, seconds=seconds)

    async def _call(
        self,
        method: str,
        path: str,
        what: str,
        *,
        body: dict[str, JsonValue] | None = None,
        query: Mapping[str, str] | None = None,
        seconds: float = 0.0,
    ) -> httpx.Response:
        """Call the API of the app's machines.

        Raises:
            _Gone: there is no such machine (any more).
            AppError: `host_unreachable`, `host_refused`, `host_token_missing`, `host_missing`.
        """
        client = self._connected()
        import httpx

        try:
            answer = await client.request(
                method,
                f"/v1/apps/{self._settings.app}/machines{path}",
                json=body,
                params=query,
                timeout=CALL_SECONDS + seconds,
            )
        except httpx.HTTPError as error:
            why = type(error).__name__
            raise unreachable(self.name, self._settings.api_url, why) from None
        if answer.is_success:
            return answer
        if answer.status_code == GONE and path:
            raise _Gone
        raise _refusal(answer, what)

    def _connected(self) -> httpx.AsyncClient:
        if self._client is None:
            try:
                import httpx
            except ImportError:
                raise missing(self.name, "httpx") from None
            variable = self._settings.token_variable
            token = os.environ.get(variable, "").strip()
            if not token:
                raise NotAllowed(
                    "host_token_missing",
                    f"There is no token for Fly in {variable}.",
                    "`fly tokens create deploy` makes one; set the variable for the scaler.",
                )
            bearer = token if " " in token else f"Bearer {token}"
            self._client = httpx.AsyncClient(
                base_url=self._settings.api_url, headers={"Authorization": bearer}
            )
        return self._client


class _Gone(Exception):
    """There is no such machine any more."""


def _key(label: str) -> str:
    """Spell a label as a key of metadata."""
    return label.replace(".", "_")


def _is_ours(machine: _Machine, fleet: str, pool: Pool) -> bool:
    metadata = machine.config.metadata if machine.config else {}
    labels = {label: metadata.get(_key(label), "") for label in (LABEL, LABEL_POOL)}
    return is_ours(labels, fleet, pool)


def _refusal(answer: httpx.Response, what: str) -> AppError:
    try:
        why = str(answer.json().get("error") or answer.status_code)
    except (ValueError, AttributeError):
        why = f"HTTP {answer.status_code}"
    wait = answer.headers.get("Retry-After", "")
    may_pass = answer.status_code in (BUSY, TOO_MANY) or answer.is_server_error
    return refused(
        "fly",
        what,
        why[:300].rstrip("."),
        retryable=may_pass,
        retry_after_seconds=float(wait) if wait.isdigit() else None,
    )
