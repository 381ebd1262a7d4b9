"""A cluster, as far as the fleet can see: with Deployments, and with Jobs."""

from __future__ import annotations

import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

from hub.core.pool import Pool
from hub.hosts.kubernetes import KubernetesHost, Settings
from tests.fakes.served import served
from tests.hub.hosts.fake_kubernetes import NAMESPACE, FakeCluster
from tests.hub.hosts.worlds import HUB, HostWorld, a_pool


def kubeconfig(folder: Path, server: str) -> str:
    """JSON is YAML, too."""
    file = folder / f"kubeconfig-{server.rpartition(':')[2]}"
    told = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "here",
        "contexts": [{"name": "here", "context": {"cluster": "c", "user": "u"}}],
        "clusters": [{"name": "c", "cluster": {"server": server}}],
        "users": [{"name": "u", "user": {"token": "t"}}],
    }
    file.write_text(json.dumps(told))
    return str(file)


@contextlib.asynccontextmanager
async def cluster(folder: Path, mode: str) -> AsyncIterator[tuple[HostWorld, FakeCluster]]:
    fake = FakeCluster()
    for name in ("probes", "probes-2"):
        fake.add_deployment(name, {"app": name})
    async with served(fake.app) as address:
        yield _world(folder, fake, address, mode), fake


@contextlib.asynccontextmanager
async def cluster_with_deployments(folder: Path) -> AsyncIterator[HostWorld]:
    async with cluster(folder, "deployment") as (world, _):
        yield world


@contextlib.asynccontextmanager
async def cluster_with_jobs(folder: Path) -> AsyncIterator[HostWorld]:
    async with cluster(folder, "jobs") as (world, _):
        yield world


def _world(folder: Path, fake: FakeCluster, address: str, mode: str) -> HostWorld:
    usual = {"hub": HUB, "mode": mode, "namespace": NAMESPACE}
    usual["kubeconfig"] = kubeconfig(folder, address)
    if mode == "deployment":
        own = {"deployment": "probes"}
        broken = {"deployment": "no-such"}
        other = {"deployment": "probes-2"}
    else:
        own = other = {"image": "registry.example/node:1", "secret": "fleet"}
        broken = {"image": "no-such", "secret": "fleet"}
    pool = a_pool("probes", "kubernetes", **usual, **own)

    async def stranger() -> str:
        fake.add_pod("probes-0a0a0a0a", {"app": "probes-other"})
        fake.jobs["deskhand-probes-0a"] = {
            "metadata": {"name": "deskhand-probes-0a", "labels": {"deskhand.fleet": "another"}},
            "spec": {},
        }
        return "probes-0a0a0a0a" if mode == "deployment" else "deskhand-probes-0a"

    async def is_there(name: str) -> bool:
        return name in fake.pods or name in fake.jobs

    async def told(name: str) -> str:
        return json.dumps(fake.pods.get(name) or fake.jobs.get(name))

    away = {**usual, "kubeconfig": kubeconfig(folder, "http://127.0.0.1:9")}
    return HostWorld(
        pool=pool,
        other=replace(pool, name="probes-2", settings={**usual, **other}),
        open=_open,
        cannot_start=replace(pool, settings={**usual, **broken}),
        unreachable=replace(pool, settings={**away, **own}),
        make_stranger=stranger,
        is_there=is_there,
        told=told,
    )


def _open(pool: Pool) -> KubernetesHost:
    return KubernetesHost(Settings.model_validate(pool.settings))
