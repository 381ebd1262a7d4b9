"""`deskhand-hub scaler plan|run`: what it would do and why; or doing it until it is stopped."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
from pathlib import Path

from hub.core.fleet import Decision
from hub.frontends.figures import capital
from hub.hosts import open_host
from hub.scaler.pools import read_pools
from hub.scaler.scaler import Scaler, told_as_json
from shared import logs
from shared.api.fleet_client import FleetClient
from shared.plain_text import plain_line


def plan(pools_file: Path, hub_url: str, key: str, *, as_json: bool) -> int:
    """Print what would be done, a line for each pool; change nothing."""
    scaler = _scaler(pools_file, hub_url, key)
    decisions = asyncio.run(_planned(scaler))
    if as_json:
        sys.stdout.write(json.dumps([told_as_json(one) for one in decisions]) + "\n")
    else:
        sys.stdout.writelines(f"{_line(one)}\n" for one in decisions)
    return 0


def run(pools_file: Path, hub_url: str, key: str, *, every_seconds: float, as_json: bool) -> int:
    """Look after the pools until SIGINT or SIGTERM; nodes go on without it."""
    logs.configure(json_lines=as_json, stream=sys.stdout)
    scaler = _scaler(pools_file, hub_url, key)
    asyncio.run(_run(scaler, every_seconds))
    return 0


def _scaler(pools_file: Path, hub_url: str, key: str) -> Scaler:
    pools = read_pools(pools_file)
    return Scaler(
        hub=FleetClient(hub_url, key),
        pools=pools,
        hosts={pool.name: open_host(pool) for pool in pools},
    )


async def _planned(scaler: Scaler) -> tuple[Decision, ...]:
    try:
        return await scaler.plan()
    finally:
        for host in scaler.hosts.values():
            await host.close()


async def _run(scaler: Scaler, every_seconds: float) -> None:
    task = asyncio.current_task()
    assert task is not None
    if os.name == "posix":
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await scaler.run(every_seconds)


def _line(decision: Decision) -> str:
    """One pool: "probes: start 3. 17 wait …"."""
    steps = [f"start {decision.start}"] if decision.start else []
    steps += [f"drain {', '.join(decision.drain)}"] if decision.drain else []
    steps += [f"stop {', '.join(decision.stop)}"] if decision.stop else []
    told = "; ".join(steps) or "no change"
    return plain_line(f"{decision.pool}: {told}. {capital(decision.reason)}")
