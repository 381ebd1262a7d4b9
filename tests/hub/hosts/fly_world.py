"""A strict stand-in for Fly's Machines API: unknown fields, states and machines are refused.

Source: fly.io/docs/machines/api/machines-resource, and superfly/fly-go (flaps, machine_types).
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from hub.core.pool import Pool
from hub.hosts.fly import FlyHost, Settings
from tests.fakes.served import served
from tests.hub.hosts.worlds import HUB, HostWorld, a_pool

APP = "deskhand-fleet"
TOKEN = "fly-token"
STATES = ("created", "started", "stopped", "suspended", "destroyed")


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class _Guest(_Strict):
    cpu_kind: Literal["shared", "performance"]
    cpus: int = Field(ge=1, le=16)
    memory_mb: int = Field(ge=256, multiple_of=256)


class _Restart(_Strict):
    policy: Literal["no", "always", "on-failure"]


class _StopConfig(_Strict):
    signal: Literal["SIGTERM", "SIGINT", "SIGKILL"]
    timeout: str = Field(pattern=r"^\d+s$")


class _MachineConfig(_Strict):
    image: str
    env: dict[str, str]
    metadata: dict[str, str]
    guest: _Guest
    restart: _Restart
    auto_destroy: bool = False
    stop_config: _StopConfig


class _Launch(_Strict):
    name: str = Field(pattern=r"^[a-z0-9-]{1,63}$")
    region: str = ""
    config: _MachineConfig


@dataclass
class _Machine:
    id: str
    name: str
    config: _MachineConfig
    state: str = "created"
    instance_id: str = field(default_factory=lambda: os.urandom(13).hex().upper())


@dataclass
class FakeFly:
    machines: dict[str, _Machine] = field(default_factory=dict)
    next_refusals: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)

    @property
    def app(self) -> Starlette:
        base = "/v1/apps/{app}/machines"
        one = base + "/{id}"
        return Starlette(
            routes=[
                Route(base, self.listed, methods=["GET"]),
                Route(base, self.launched, methods=["POST"]),
                Route(f"{one}/stop", self.stopped, methods=["POST"]),
                Route(f"{one}/wait", self.waited, methods=["GET"]),
                Route(one, self.destroyed, methods=["DELETE"]),
            ]
        )

    def refusal(self, request: Request, allowed: tuple[str, ...] = ()) -> Response | None:
        self.calls.append(f"{request.method} {request.url.path.rpartition('/')[2]}")
        if self.next_refusals:
            status, headers = self.next_refusals.pop(0)
            return JSONResponse({"error": "too many requests"}, status, headers)
        if request.headers.get("Authorization") != f"Bearer {TOKEN}":
            return JSONResponse({"error": "unauthorized"}, 401)
        if request.path_params["app"] != APP:
            return JSONResponse({"error": "app not found"}, 404)
        unknown = [
            key for key in request.query_params
            if key not in allowed and not key.startswith("metadata.")
        ]  # fmt: skip
        if unknown:
            return JSONResponse({"error": f"unknown query {unknown}"}, 400)
        if request.path_params.get("id", "") not in {"", *self.machines}:
            return JSONResponse({"error": "machine not found"}, 404)
        return None

    async def listed(self, request: Request) -> Response:
        if refusal := self.refusal(request):
            return refusal
        wanted = {
            key.removeprefix("metadata."): value for key, value in request.query_params.items()
        }
        shown = []
        for machine in self.machines.values():
            if all(machine.config.metadata.get(k) == v for k, v in wanted.items()):
                shown.append(self.shown(machine))
                if machine.state == "created":
                    machine.state = "started"
        return JSONResponse(shown)

    async def launched(self, request: Request) -> Response:
        if refusal := self.refusal(request):
            return refusal
        try:
            launch = _Launch.model_validate_json(await request.body())
        except ValidationError as error:
            return JSONResponse({"error": str(error)}, 400)
        if any(machine.name == launch.name for machine in self.machines.values()):
            return JSONResponse({"error": "already_exists: unique machine name violation"}, 409)
        if "no-such" in launch.config.image:
            return JSONResponse({"error": "failed to get manifest: not found"}, 422)
        machine = _Machine(os.urandom(7).hex(), launch.name, launch.config)
        self.machines[machine.id] = machine
        return JSONResponse(self.shown(machine))

    async def stopped(self, request: Request) -> Response:
        if refusal := self.refusal(request):
            return refusal
        try:
            _StopConfig.model_validate_json(await request.body())
        except ValidationError as error:
            return JSONResponse({"error": str(error)}, 400)
        machine = self.machines[request.path_params["id"]]
        machine.state = "stopped"
        return JSONResponse({"ok": True})

    async def waited(self, request: Request) -> Response:
        if refusal := self.refusal(request, ("state", "timeout", "instance_id")):
            return refusal
        machine = self.machines[request.path_params["id"]]
        query = request.query_params
        if query["state"] not in STATES or not 1 <= int(query["timeout"]) <= 60:
            return JSONResponse({"error": "invalid state or timeout"}, 400)
        if query["state"] == "stopped" and query.get("instance_id") != machine.instance_id:
            return JSONResponse({"error": "instance_id is needed to wait for stopped"}, 400)
        if machine.state != query["state"]:
            return JSONResponse({"error": "deadline_exceeded"}, 408)
        if machine.config.auto_destroy:
            del self.machines[machine.id]
        return JSONResponse({"ok": True})

    async def destroyed(self, request: Request) -> Response:
        if refusal := self.refusal(request, ("force",)):
            return refusal
        machine = self.machines[request.path_params["id"]]
        if machine.state == "started" and request.query_params.get("force") != "true":
            return JSONResponse({"error": "failed_precondition: machine is active"}, 412)
        del self.machines[machine.id]
        return JSONResponse({"ok": True})

    @staticmethod
    def shown(machine: _Machine) -> dict[str, object]:
        return {
            "id": machine.id,
            "name": machine.name,
            "state": machine.state,
            "region": "fra",
            "instance_id": machine.instance_id,
            "created_at": "2026-11-22T05:00:00Z",
            "config": machine.config.model_dump(),
            "host_status": "ok",
        }


@contextlib.asynccontextmanager
async def fly_machines(folder: Path) -> AsyncIterator[HostWorld]:
    async with fly(folder) as (world, _):
        yield world


@contextlib.asynccontextmanager
async def fly(_folder: Path) -> AsyncIterator[tuple[HostWorld, FakeFly]]:
    fake = FakeFly()
    os.environ["FLY_TEST_TOKEN"] = TOKEN
    try:
        async with served(fake.app) as address:
            yield _world(fake, address), fake
    finally:
        del os.environ["FLY_TEST_TOKEN"]


def _world(fake: FakeFly, address: str) -> HostWorld:
    settings: dict[str, JsonValue] = {
        "hub": HUB,
        "app": APP,
        "image": "registry.fly.io/deskhand-fleet:1",
        "token_variable": "FLY_TEST_TOKEN",
        "api_url": address,
        "stop_seconds": 3,
    }
    pool = a_pool("probes", "fly", **settings)

    async def stranger() -> str:
        config = _MachineConfig(
            image="x", env={}, metadata={"deskhand_fleet": "deskhand", "deskhand_pool": "probes-x"},
            guest=_Guest(cpu_kind="shared", cpus=1, memory_mb=256), restart=_Restart(policy="no"),
            stop_config=_StopConfig(signal="SIGTERM", timeout="3s"),
        )  # fmt: skip
        fake.machines["stranger"] = _Machine("stranger", "deskhand-probes-0a", config, "started")
        return "deskhand-probes-0a"

    async def is_there(name: str) -> bool:
        return any(machine.name == name for machine in fake.machines.values())

    async def told(name: str) -> str:
        shown = [fake.shown(m) for m in fake.machines.values() if m.name == name]
        return json.dumps(shown)

    return HostWorld(
        pool=pool,
        other=replace(pool, name="probes-2"),
        open=_open,
        cannot_start=replace(pool, settings={**settings, "image": "no-such"}),
        unreachable=replace(pool, settings={**settings, "api_url": "http://127.0.0.1:9"}),
        make_stranger=stranger,
        is_there=is_there,
        told=told,
        settle=lambda: asyncio.sleep(0),
    )


def _open(pool: Pool) -> FlyHost:
    return FlyHost(Settings.model_validate(pool.settings))
