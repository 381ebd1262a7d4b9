"""Hub and worker as processes of their own, with the tests' kinds: what gets killed.

python -m tests.flows.programs hub DATA PORT
python -m tests.flows.programs worker HOME
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from shared import logs
from shared.protocol import Beats
from shared.store_file import Care
from tests.flows import play

if TYPE_CHECKING:
    from desktop.agent.setup import Setup
    from desktop.system.paths import Paths

BALLAST = "DESKHAND_BALLAST_BYTES"
BEATS = "DESKHAND_BEATS"
"""Seconds between two beats, and of silence until a side is gone: "0.5 2"."""
KINDS = "DESKHAND_PLAY_KINDS"
"""Which of the tests' kinds the hub knows, with commas between; all when it is not set."""
KEYS = "DESKHAND_PLAY_KEYS"
"""Keys in the worker's safe, as JSON. With it hub and worker have the product's own kinds."""
ROOT = Path(__file__).resolve().parents[2]


def start(*arguments: str | Path, log: Path, under: Sequence[str] = ()) -> subprocess.Popen[bytes]:
    """Start one of the programs in a process group of its own; its words go to a file.

    `under`: a command that runs it, with its arguments.
    """
    with log.open("ab") as words:
        return subprocess.Popen(
            [*under, sys.executable, "-m", "tests.flows.programs", *map(str, arguments)],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=words,
            stderr=words,
            start_new_session=True,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )


def kill(process: subprocess.Popen[bytes]) -> None:
    """Kill a program as a power cut does; its children are left to notice."""
    with contextlib.suppress(ProcessLookupError):
        process.send_signal(signal.SIGKILL)
    process.wait()


def _adapted(care: Care) -> Care:
    """A test of a small disk has a small ballast, and has it at once."""
    told = os.environ.get(BALLAST)
    if not told:
        return care
    return replace(care, ballast_bytes=int(told), ballast_seconds=0.1, tend_seconds=0.2)


def _beats() -> Beats | None:
    told = os.environ.get(BEATS)
    if not told:
        return None
    every, dead = map(float, told.split())
    return Beats(every_seconds=every, dead_seconds=dead)


async def _hub(data: Path, port: int) -> None:
    from hub.app import running
    from hub.settings import Settings
    from hub.store.database import CARE

    settings = Settings(data=data, port=port)
    if KEYS in os.environ:
        async with running(settings, beats=_beats(), care=_adapted(CARE)):
            await asyncio.Event().wait()
    chosen = os.environ.get(KINDS, ",".join(play.KINDS)).split(",")
    kinds = {name: kind for name, kind in play.KINDS.items() if name in chosen}
    async with running(settings, kinds=kinds, beats=_beats(), care=_adapted(CARE)):
        await asyncio.Event().wait()


async def _worker(home: Path) -> None:
    from desktop.agent.agent import Agent
    from desktop.agent.setup import Setup
    from desktop.core.policy import parse_policy
    from desktop.store import facts
    from desktop.store.database import CARE, open_store
    from desktop.system.paths import Paths

    paths = Paths(data=home, config=home)
    with open_store(paths.store, care=_adapted(CARE)) as database:
        pairing = await database.read(facts.pairing)
        assert pairing is not None
        setup = Setup(
            paths=paths,
            pairing=pairing,
            token=paths.token.read_text(),
            policy=parse_policy(paths.policy.read_text()),
            app_version="0",
            kinds_at="tests.flows.play:KINDS",
            executors_at="tests.flows.play:EXECUTORS",
        )
        if KEYS in os.environ:
            setup = _with_product(setup)
        await Agent(setup, database, lambda status: print(status, flush=True)).run()


def _with_product(setup: Setup) -> Setup:
    from desktop.agent.setup import EXECUTORS_AT, KINDS_AT, Seams

    keys = json.loads(os.environ[KEYS])

    def read_keys(names: Iterable[str], paths: Paths) -> Mapping[str, str]:
        return {name: keys[name] for name in names if name in keys}

    seams = Seams(read_keys=read_keys)
    return replace(setup, kinds_at=KINDS_AT, executors_at=EXECUTORS_AT, seams=seams)


def main() -> None:
    logs.configure(json_lines=True)
    match sys.argv[1:]:
        case ["hub", data, port]:
            asyncio.run(_hub(Path(data), int(port)))
        case ["worker", home]:
            asyncio.run(_worker(Path(home)))
        case _:
            raise SystemExit(__doc__)


if __name__ == "__main__":
    main()
