"""The desktop that takes a hub's log in, a program of its own.

    python -m tests.benchmarks.sync.desktop FOLDER URL CODE [--line]

It is the product's agent without its windows, on a store of its own; with --line it fetches no
snapshot. It reads an order a line and answers each with a line of JSON: "usage", "take UPTO" (run
until the hub's log is committed here up to a number), "away" (stop running), "say COUNT
GAP_SECONDS" (write events, and tell how long each took to be acknowledged), or "heard" (up to
where the hub's log was committed at which moments).
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
import time
from dataclasses import dataclass, field, replace
from pathlib import Path

from desktop.agent.agent import SNAPSHOT_FILE, Agent
from desktop.agent.setup import Seams, Setup
from desktop.core.policy import Policy
from desktop.link.dialling import Line, dial
from desktop.store import facts
from desktop.store.database import open_store
from desktop.system.device_key import make_key
from desktop.system.paths import Paths
from shared.database import Database
from shared.events import SettingChanged
from shared.logs import configure
from shared.messages import Events
from shared.pairing import b64
from tests.benchmarks.sync.orders import read_orders, say, usage
from tests.flows.joining import join


@dataclass
class Notes:
    """What the agent does, as it is seen from within this process."""

    upto: int = 0
    heard: list[tuple[int, float]] = field(default_factory=list)
    """Up to where the hub's log is committed here, and since when (monotonic)."""
    acked: list[tuple[int, float]] = field(default_factory=list)
    received_bytes: int = 0
    """Of frames; a snapshot is counted by its file."""
    changed: asyncio.Event = field(default_factory=asyncio.Event)


def note_commits(agent: Agent, notes: Notes, snapshot: Path) -> None:
    """Have each commit of an agent noted; `snapshot` is where the file lies while it comes."""
    station = agent.station
    apply, acknowledged = station.apply, station.acknowledged

    async def noted_apply(hub_epoch: str, events: Events) -> None:
        with contextlib.suppress(OSError):
            # While it lies there this is a piece of it.
            notes.received_bytes = max(notes.received_bytes, snapshot.stat().st_size)
        await apply(hub_epoch, events)
        notes.upto = events.upto
        notes.heard.append((events.upto, time.monotonic()))
        notes.changed.set()

    async def noted_acknowledged(seq: int) -> None:
        notes.acked.append((seq, time.monotonic()))
        notes.changed.set()
        await acknowledged(seq)

    station.apply = noted_apply  # type: ignore[method-assign]
    station.acknowledged = noted_acknowledged  # type: ignore[method-assign]


class Desktop:
    def __init__(self, setup: Setup, database: Database) -> None:
        self._notes = notes = Notes()

        async def counted(*arguments: object) -> Line:
            line = await dial(*arguments)  # type: ignore[arg-type]
            receive = line.recv

            async def recv() -> str | bytes:
                frame = await receive()
                notes.received_bytes += len(frame)
                return frame

            line.recv = recv  # type: ignore[method-assign]
            return line

        self._setup = replace(setup, seams=replace(setup.seams, dial=counted))
        self._database = database
        self._agent: Agent | None = None
        self._task: asyncio.Task[None] | None = None

    async def take(self, upto: int) -> dict[str, object]:
        """Run, and take the log in up to a number; says how long that took and what it cost."""
        notes, bytes_before = self._notes, self._notes.received_bytes
        begun, cpu = time.monotonic(), time.process_time()
        if self._task is None:
            self._agent = Agent(self._setup, self._database, lambda _status: None)
            note_commits(self._agent, notes, self._setup.paths.data / SNAPSHOT_FILE)
            self._task = asyncio.get_running_loop().create_task(self._agent.run())
        while notes.upto < upto:
            notes.changed.clear()
            await notes.changed.wait()
        ended = notes.heard[-1][1]
        return {
            "seconds": ended - begun,
            "cpu_seconds": time.process_time() - cpu,
            "bytes": notes.received_bytes - bytes_before,
            **{key: value for key, value in usage().items() if key != "cpu_seconds"},
            "events": await self._database.read(_count),
        }

    async def away(self) -> dict[str, object]:
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
            self._task = None
        return {"upto": self._notes.upto}

    async def say(self, count: int, gap_seconds: float) -> dict[str, object]:
        assert self._agent is not None
        notes, waits = self._notes, []
        for number in range(count):
            await asyncio.sleep(gap_seconds)
            await self._agent.say(SettingChanged(name="bench", value=str(number)))
            written, seq = time.monotonic(), self._agent.station.outbox_seq
            while not notes.acked or notes.acked[-1][0] < seq:
                notes.changed.clear()
                await notes.changed.wait()
            waits.append(max(0.0, notes.acked[-1][1] - written))
        return {"seconds": waits}

    def heard(self) -> dict[str, object]:
        return {"heard": self._notes.heard}


def _count(connection: object) -> int:
    [count] = connection.execute("select count(*) from event").fetchone()  # type: ignore[attr-defined]
    return int(count)


async def serve(folder: Path, url: str, code: str, *, has_snapshots: bool) -> None:
    orders = read_orders()
    paths = Paths(data=folder, config=folder)
    paths.make()
    key = make_key()
    pairing, token = await asyncio.to_thread(join, url, code, folder.name, key)
    with open_store(paths.store) as database:
        await database.write(lambda c: facts.put(c, "public_key", b64(key.public)))
        await database.write(lambda c: facts.save_pairing(c, pairing))
        setup = Setup(
            paths=paths,
            pairing=pairing,
            token=token,
            policy=Policy(folders=(), disk_free_bytes_min=0),
            app_version="0",
            seams=Seams(has_snapshots=has_snapshots),
            sign=key.sign,
        )
        desktop = Desktop(setup, database)
        say({"is_ready": True})
        while order := await orders.get():
            match order.split():
                case ["usage"]:
                    say(usage())
                case ["take", upto]:
                    say(await desktop.take(int(upto)))
                case ["away"]:
                    say(await desktop.away())
                case ["say", count, gap]:
                    say(await desktop.say(int(count), float(gap)))
                case ["heard"]:
                    say(desktop.heard())
                case _:
                    say({"error": f"no such order: {order}"})
        await desktop.away()


def main() -> None:
    folder, url, code, *options = sys.argv[1:]
    configure(json_lines=True, level="WARNING")
    asyncio.run(serve(Path(folder), url, code, has_snapshots="--line" not in options))


if __name__ == "__main__":
    main()
