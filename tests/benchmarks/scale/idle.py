"""Workers that do nothing, by the thousand, and what they cost beside bare sockets."""

from __future__ import annotations

import time
from contextlib import ExitStack
from dataclasses import dataclass

from tests.benchmarks.footprint import free_port
from tests.benchmarks.report import OURS, Growth, Part
from tests.benchmarks.scale.sizes import Sizes
from tests.benchmarks.scale.world import Program, Told, World, a_program

LIMIT, WEBSOCKETS = "limit", "websockets"
STANDS = {
    LIMIT: "uvicorn, websockets-sansio, an echo, no protocol and no store",
    WEBSOCKETS: "its own server, an echo",
}
GOAL_WORKERS, GOAL_MIB = 5_000, 200
SETTLE_SECONDS = 2.0
CALM_SHARE = 0.02
"""Of a core: what a hub takes at most that nobody is connected to."""
CALM_SECONDS_MAX = 30.0


@dataclass(frozen=True, slots=True)
class Rested:
    """A server with so many sockets on which nothing happens but beats."""

    rss_mib: float
    cpu_share: float
    """Of one core."""


class Floors:
    """Bare servers with as many plain sockets as the hub has workers."""

    def __init__(self, world: World, beat_seconds: float, held: ExitStack) -> None:
        self._servers: dict[str, Program] = {}
        self._callers: dict[str, Program] = {}
        self.seconds = dict.fromkeys(STANDS, 0.0)
        """How long all of its sockets took to open."""
        for name, server in ((LIMIT, "uvicorn"), (WEBSOCKETS, "websockets")):
            port, errors = free_port(), world.folder / f"{server}.log"
            told = ("tests.benchmarks.scale.floor", str(port), server)
            self._servers[name] = held.enter_context(a_program(*told, errors=errors))
            self._servers[name].next()
            calls = (f"ws://127.0.0.1:{port}/", str(beat_seconds))
            self._callers[name] = held.enter_context(
                a_program("tests.benchmarks.scale.callers", *calls, errors=errors)
            )

    def open(self, count: int) -> None:
        for name, callers in self._callers.items():
            if count:
                self.seconds[name] += callers.ask(f"open {count}")["seconds"]

    def usage(self) -> dict[str, Told]:
        return {name: _usage(server) for name, server in self._servers.items()}


def measure_idle(part: Part, world: World, sizes: Sizes) -> dict[str, float]:
    """Connect workers step by step; return the seconds in which bare servers take all of them."""
    memory: list[float] = []
    cpu: list[float] = []
    with ExitStack() as held:
        floors = Floors(world, sizes.beat_seconds, held)
        _until_calm(world)
        found = empty = _rest(world, floors, sizes.beat_seconds)
        connect_seconds = connect_cpu = before = 0.0
        for count in sizes.idle:
            used = world.usage().cpu_seconds
            connect_seconds += world.start_workers(count)
            connect_cpu += world.usage().cpu_seconds - used
            floors.open(count - int(before))
            before = count
            time.sleep(SETTLE_SECONDS)
            found = _rest(world, floors, sizes.beat_seconds)
            _tell_memory(part, count, found)
            memory.append(found[OURS].rss_mib - empty[OURS].rss_mib)
            cpu.append(found[OURS].cpu_share - empty[OURS].cpu_share)
    most = sizes.idle[-1]
    each = part.figure("memory of one idle worker in the hub", "KiB", better="less")
    beats = part.figure(f"CPU of {most:,} workers' beats", "% of a core", better="less")
    each.why = f"What {most:,} of them add to an empty server."
    beats.why = (
        f"Each beats every {sizes.beat_seconds:.0f} s; the bare servers get the same frames; an"
        " empty one's CPU is taken off."
    )
    if min(cpu) <= 0:
        beats.why = "Too little to be told from what an empty server takes."
    for name, one in found.items():
        stands = STANDS.get(name, "")
        each.add(name, (one.rss_mib - empty[name].rss_mib) * 1024 / most, stands=stands)
        if min(cpu) > 0:
            beats.add(name, (one.cpu_share - empty[name].cpu_share) * 100, stands=stands)
    first = part.figure("CPU for a worker that connects", "ms", better="less")
    first.add(OURS, connect_cpu / most * 1e3)
    first.why = f"{most:,} came in {connect_seconds:.1f} s, their own program on the same cores."
    part.growths.append(Growth("memory of idle workers", list(sizes.idle), memory, "MiB"))
    if min(cpu) > 0:
        shares = [share * 100 for share in cpu]
        part.growths.append(Growth("CPU of beats", list(sizes.idle), shares, "% of a core"))
    return floors.seconds


def _tell_memory(part: Part, count: int, found: dict[str, Rested]) -> None:
    goal = f"at most {GOAL_MIB} MiB" if count == GOAL_WORKERS else ""
    figure = part.figure(f"{count:,} idle workers: memory (RSS)", "MiB", better="less", goal=goal)
    for name, one in found.items():
        figure.add(name, one.rss_mib, stands=STANDS.get(name, ""))
    if goal:
        over = figure.median() - GOAL_MIB
        figure.judge(over <= 0, f"{over:.0f} MiB too many." if over > 0 else "")


def _rest(world: World, floors: Floors, seconds: float) -> dict[str, Rested]:
    """Let all of them do nothing, all at the same time."""
    begun, before = time.monotonic(), {OURS: _usage(world.hub), **floors.usage()}
    time.sleep(seconds)
    took, after = time.monotonic() - begun, {OURS: _usage(world.hub), **floors.usage()}
    return {
        name: Rested(one["rss_mib"], (one["cpu_seconds"] - before[name]["cpu_seconds"]) / took)
        for name, one in after.items()
    }


def _until_calm(world: World) -> None:
    """Wait until the hub has done what it does at once after its start."""
    until = time.monotonic() + CALM_SECONDS_MAX
    used = world.usage().cpu_seconds
    while time.monotonic() < until:
        time.sleep(SETTLE_SECONDS)
        before, used = used, world.usage().cpu_seconds
        if used - before < CALM_SHARE * SETTLE_SECONDS:
            return


def _usage(server: Program) -> Told:
    return {"rss_mib": server.rss_mib, **server.ask("usage")}
