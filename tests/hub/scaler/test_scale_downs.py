"""Two hundred nodes are taken away under work that comes and goes, and no job is lost with one."""

from __future__ import annotations

import asyncio
import contextlib
import random
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from hub.core.pool import Pool
from hub.hosts.process import ProcessHost, Settings
from hub.scaler.scaler import Scaler
from shared.api.fleet import FleetNodeShown, FleetQueueShown, FleetShown
from shared.jobs import Priority
from tests.hub.hosts.worlds import write_secrets
from tests.hub.scaler.fakes import NOON

NODE = Path(__file__).with_name("folder_node.py")
DOWNS = 200
LOOK_SECONDS = 0.05
SEED = 20261122


class FolderHub:
    """Tells a scaler what lies in the folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._idle_since: dict[str, datetime] = {}
        for name in ("waiting", "held", "done", "beats", "drain"):
            (folder / name).mkdir()

    def get_fleet(self) -> FleetShown:
        # Nodes first: what one takes meanwhile still counts as waiting, never as nobody's.
        nodes = tuple(self._nodes())
        waiting = len(list((self.folder / "waiting").iterdir()))
        return FleetShown(
            is_configured=True,
            is_broker_up=True,
            queues=(
                FleetQueueShown(
                    kind="llm.probe",
                    priority=Priority.DEFAULT,
                    waiting=waiting,
                    running=sum(node.held for node in nodes),
                    oldest_wait_seconds=0.0,
                ),
            ),
            nodes=nodes,
        )

    def _nodes(self) -> list[FleetNodeShown]:
        nodes = []
        for file in (self.folder / "beats").iterdir():
            with contextlib.suppress(FileNotFoundError):
                beat, held, is_draining = map(int, file.read_text().split())
                now = datetime.now(UTC)
                if held:
                    self._idle_since.pop(file.name, None)
                since = None if held else self._idle_since.setdefault(file.name, now)
                nodes.append(
                    FleetNodeShown(
                        node=file.name, instance=file.name, pool="probes", kinds=("llm.probe",),
                        slots=1, held=held, is_draining=bool(is_draining), since=NOON,
                        idle_since=since,
                        seen_at=NOON + timedelta(milliseconds=beat),
                    )
                )  # fmt: skip
        return nodes

    def drain_fleet_node(self, node: str) -> None:
        (self.folder / "drain" / node).touch()


@contextlib.asynccontextmanager
async def a_scaler(folder: Path) -> AsyncIterator[Scaler]:
    hub = FolderHub(folder)
    settings = Settings(
        hub="http://127.0.0.1:9",
        folder=str(folder / "nodes"),
        secrets_file=write_secrets(folder),
        command=f"{sys.executable} -I -S {NODE} {folder}",
    )
    pool = Pool(
        name="probes", kinds=("llm.probe",), nodes_max=8, up_seconds=0.0, idle_seconds=0.1,
    )  # fmt: skip
    host = ProcessHost(settings)
    try:
        yield Scaler(hub=hub, pools=(pool,), hosts={"probes": host})
    finally:
        names = [instance.name for instance in await host.instances(pool)]
        await host.stop(pool, names)
        await host.close()


@pytest.mark.slow
@pytest.mark.timeout(240)
async def test_no_job_is_lost_with_a_node_that_is_taken_away(tmp_path: Path) -> None:
    chance = random.Random(SEED)
    asked = downs = 0
    async with a_scaler(tmp_path) as scaler:
        while downs < DOWNS:
            if chance.random() < 0.15:
                # More than there are nodes for; or one that comes as another is about to go.
                for _ in range(chance.choice((1, 1, 3, 12))):
                    asked += 1
                    (tmp_path / "waiting" / f"{asked:06}").touch()
            decisions = await scaler.run_once()
            downs += sum(len(decision.stop) for decision in decisions)
            await asyncio.sleep(LOOK_SECONDS * chance.random())
        while list((tmp_path / "waiting").iterdir()) or list((tmp_path / "held").glob("*")):
            await scaler.run_once()
            await asyncio.sleep(LOOK_SECONDS)

    assert downs >= DOWNS
    assert len(list((tmp_path / "done").iterdir())) == asked > DOWNS / 2
