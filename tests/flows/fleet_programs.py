"""Hub and nodes of a fleet as processes of their own, with the tests' kinds: what gets killed.

python -m tests.flows.fleet_programs hub DATA PORT
python -m tests.flows.fleet_programs node HUB KEY BROKER KINDS SLOTS NAME

The hub takes its fleet from HUB_FLEET_*; with DESKHAND_FLEET_PLAY set it has the tests' kinds.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

from shared import logs
from tests.flows.programs import ROOT

PLAY = "DESKHAND_FLEET_PLAY"


def start(*arguments: str, log: Path, **variables: str) -> subprocess.Popen[bytes]:
    """Start a module in a process group of its own; its words go to a file."""
    with log.open("ab") as words:
        return subprocess.Popen(
            [sys.executable, "-m", *arguments],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=words,
            stderr=words,
            start_new_session=True,
            env={**os.environ, "PYTHONPATH": str(ROOT), **variables},
        )


async def _hub(data: Path, port: int) -> None:
    from hub.app import running
    from hub.settings import Settings
    from shared.kinds.catalogue import BUILT_IN
    from tests.flows import play

    plays = {name: replace(kind, is_for_fleet=True) for name, kind in play.KINDS.items()}
    kinds = plays if PLAY in os.environ else BUILT_IN
    async with running(Settings(data=data, port=port), kinds=kinds):
        await asyncio.Event().wait()


def _node(hub: str, key: str, broker: str, kinds: str, slots: str, name: str) -> None:
    from desktop.fleet.program import run
    from desktop.fleet.setup import NodeSetup

    run(
        NodeSetup(
            hub_url=hub,
            key=key,
            broker=broker,
            kinds=tuple(kinds.split(",")),
            slots=int(slots),
            node=name,
            kinds_at="tests.flows.play:KINDS",
            executors_at="tests.flows.play:EXECUTORS",
            drain_seconds=20,
            provider_keys={},
        )
    )


def main() -> None:
    logs.configure(json_lines=True)
    match sys.argv[1:]:
        case ["hub", data, port]:
            asyncio.run(_hub(Path(data), int(port)))
        case ["node", *rest] if len(rest) == 6:
            _node(*rest)
        case _:
            raise SystemExit(__doc__)


if __name__ == "__main__":
    main()
