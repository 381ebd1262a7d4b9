"""What it takes until a desktop has its person's whole log, and how far it is behind after that.

    python -m tests.benchmarks.sync.bench --out FILE [--quick]

The hub and each desktop are programs of their own on this machine, with the product's own parts:
signatures are checked, digests kept, every stretch committed with fsync. Beside them, in the same
run: the same rows written by plain SQLite, the finished file copied, and a document of pycrdt's.
"""

from __future__ import annotations

import argparse
import bisect
import json
import math
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from desktop.system.paths import Paths
from shared.snapshot import FAR_BEHIND_EVENTS
from tests.benchmarks import machine, peers
from tests.benchmarks.queue.children import Child, child
from tests.benchmarks.report import OURS, Figure, Growth, Part, table
from tests.benchmarks.sync import limits

PYCRDT = "pycrdt==0.14.13"
NEW_GOAL_SECONDS = 30.0
"""For 100,000 events; a smaller run is judged by its share."""
NEW_GOAL_EVENTS = 100_000
CATCH_UP_GOAL_SECONDS = 60.0
RESUME_GOAL_SECONDS = 1.0
LAG_GOAL_MS = 300.0
GAP_SECONDS = 0.05
"""Between events while lag is measured."""
ALLOWED_SECONDS = 300.0


@dataclass(frozen=True, slots=True)
class Scope:
    sizes: tuple[int, ...] = (10_000, 30_000, 100_000)
    away: int = 10_000
    nap: int = 1_000
    lags: int = 100


QUICK = Scope(sizes=(1_000, 3_000, 9_000), away=3_000, nap=1_000, lags=40)


class Bench:
    def __init__(
        self, scope: Scope, out: Path, folder: Path, hub: Child, *, peer: str = PYCRDT
    ) -> None:
        self._peer = peer
        self._scope, self._out, self._folder, self._hub = scope, out, folder, hub
        self._url = str(hub.answer()["url"])
        self._costs: list[float] = []
        self._sizes: list[float] = []
        self.part = Part("sync", "Sync", about=_ABOUT, mood=machine.mood())

    def run(self) -> Part:
        for size in self._scope.sizes[:-1]:
            with self._desktop(f"of {size}", self._grow(size)) as (_, told):
                self._note_size(told)
        position = self._grow(self._scope.sizes[-1])
        with self._desktop("over the line", position, "--line") as (_, told):
            self._over_the_line(told)
        with self._desktop("new", position) as (desktop, told):
            self._note_size(told)
            self._by_snapshot(told)
            self._beside(self._folder / "new")
            self._away(desktop, told["upto"])
            self._lag(desktop)
        self.part.growths.append(
            Growth("CPU of a new desktop", self._sizes, self._costs, "s of CPU")
        )
        self._keep()
        return self.part

    def _grow(self, size: int) -> int:
        return int(self._hub.ask(f"grow {size}", ALLOWED_SECONDS)["position"])

    @contextmanager
    def _desktop(
        self, name: str, upto: int, *options: str
    ) -> Iterator[tuple[Child, dict[str, Any]]]:
        """A new desktop, which has taken in the hub's log up to a number, or further."""
        code = str(self._hub.ask("invite")["code"])
        home = self._folder / name
        command = program("desktop", home, self._url, code, *options)
        with child(command, self._folder / "desktop.log") as desktop:
            desktop.answer()
            yield desktop, self._take(desktop, upto)

    def _take(self, desktop: Child, upto: int) -> dict[str, Any]:
        """Let a desktop come so far; what it took is told with the hub's CPU for it."""
        before = float(self._hub.ask("usage")["cpu_seconds"])
        told = desktop.ask(f"take {upto}", ALLOWED_SECONDS)
        told["hub_cpu_seconds"] = float(self._hub.ask("usage")["cpu_seconds"]) - before
        return {**told, "upto": upto}

    def _note_size(self, told: dict[str, Any]) -> None:
        self._sizes.append(told["upto"])
        self._costs.append(told["cpu_seconds"])

    def _over_the_line(self, told: dict[str, Any]) -> None:
        self._new("over the line", told)
        self._keep()

    def _by_snapshot(self, told: dict[str, Any]) -> None:
        self._new("by snapshot" if told["upto"] > FAR_BEHIND_EVENTS else "as it comes", told)
        figure = self.part.figure("most memory of a new desktop", "MiB", better="less")
        figure.add(OURS, told["peak_mib"])
        figure.why = "the whole process, its libraries included"
        self._keep()

    def _new(self, how: str, told: dict[str, Any]) -> None:
        events = told["upto"]
        goal = NEW_GOAL_SECONDS * events / NEW_GOAL_EVENTS
        time_of = self.part.figure(
            f"new desktop, {events:,} events {how}", "s", better="less", goal=f"under {goal:.3g} s"
        )
        time_of.add(OURS, told["seconds"], stands="checked, indexed, fsync")
        seconds = time_of.median()
        time_of.judge(seconds < goal, _why(seconds < goal, told))
        costs = {"desktop": told["cpu_seconds"], "hub": told["hub_cpu_seconds"]}
        for side, cpu in costs.items():
            name = f"CPU of the {side} an event, {how}"
            self.part.figure(name, "µs", better="less").add(OURS, cpu / events * 1e6)
        wire = self.part.figure(f"wire an event, {how}", "bytes", better="less")
        wire.add(OURS, told["bytes"] / events)

    def _beside(self, home: Path) -> None:
        """Do the same work with others; the store's rows are what the desktop has."""
        store = Paths(data=home, config=home).store
        line, snapshot = [one for one in self.part.figures if one.name.startswith("new desktop")]
        snapshot.add(
            "limit: plain SQLite", limits.insert(store, self._folder)["seconds"],
            stands="the same rows, nothing checked, one commit",
        )  # fmt: skip
        snapshot.add(
            "limit: the finished file copied", limits.copied(store, self._folder)["seconds"],
            stands="no desktop could trust it",
        )  # fmt: skip
        try:
            if self._peer:
                self._beside_crdt(store, line, snapshot)
        except (OSError, subprocess.SubprocessError) as error:
            self.part.notes.append(f"pycrdt was not measured: {error}.")
        self._keep()

    def _beside_crdt(self, store: Path, line: Figure, snapshot: Figure) -> None:
        python = peers.python_of("pycrdt", self._peer)
        self.part.versions.update(peers.versions_of(python, "pycrdt"))
        lines = self._folder / "lines.json"
        count = limits.lines_of(store, lines)
        script = Path(__file__).with_name("crdt.py")
        done = subprocess.run(
            [python, script, lines], capture_output=True, text=True, check=True,
            timeout=ALLOWED_SECONDS,
        )  # fmt: skip
        told = json.loads(done.stdout.splitlines()[-1])
        line.add("pycrdt", told["line"]["seconds"], stands="updates one by one, in memory only")
        snapshot.add("pycrdt", told["state"]["seconds"], stands="the whole state, one fsync")
        for how, name in (("line", _how(line)), ("state", _how(snapshot))):
            of = told[how]
            self.part.figure(f"CPU of the desktop an event, {name}", "µs", better="less").add(
                "pycrdt", of["cpu_seconds"] / count * 1e6
            )
            self.part.figure(f"wire an event, {name}", "bytes", better="less").add(
                "pycrdt", of["bytes"] / count, stands="not packed"
            )

    def _away(self, desktop: Child, upto: int) -> None:
        """Let it be away while the log grows, and come back."""
        goals = ((self._scope.nap, RESUME_GOAL_SECONDS), (self._scope.away, CATCH_UP_GOAL_SECONDS))
        for missed, goal in goals:
            desktop.ask("away")
            grown = self._grow(upto + missed)
            told = self._take(desktop, grown)
            count, upto = grown - upto, grown
            figure = self.part.figure(
                f"catch-up of {count:,} events after it was away", "s", better="less",
                goal=f"under {goal:.0f} s",
            )  # fmt: skip
            figure.add(OURS, told["seconds"], stands="from the call to the last commit")
            figure.judge(told["seconds"] < goal, _why(told["seconds"] < goal, told))
        self._keep()

    def _lag(self, desktop: Child) -> None:
        told = self._hub.ask(f"tell {self._scope.lags} {GAP_SECONDS}")
        self._take(desktop, int(told["position"]))
        heard = [(int(upto), float(at)) for upto, at in desktop.ask("heard")["heard"]]
        # A desktop starts again from a number it had; of equal ones the first commit counts.
        places = [upto for upto, _ in heard]
        down = [
            max(0.0, heard[bisect.bisect_left(places, place)][1] - at) * 1e3
            for place, at in told["told"]
        ]
        up = [one * 1e3 for one in desktop.ask(f"say {self._scope.lags} {GAP_SECONDS}")["seconds"]]
        for name, values in (
            ("committed at the hub → committed at the desktop", down),
            ("committed at the desktop → acknowledged by the hub", up),
        ):
            self.part.figure(f"lag p50, {name}", "ms", better="less").add(
                OURS, statistics.median(values)
            )
            figure = self.part.figure(
                f"lag p95, {name}", "ms", better="less", goal=f"under {LAG_GOAL_MS:.0f} ms"
            )
            worst = percentile(values, 0.95)
            figure.add(OURS, worst, stands=f"{len(values)} events, 20 a second")
            figure.judge(worst < LAG_GOAL_MS)
        self._keep()

    def _keep(self) -> None:
        self.part.save(self._out)


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least so many of all are not above."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def _how(figure: Figure) -> str:
    return figure.name.partition(" events ")[2]


def _why(is_met: bool, told: dict[str, Any]) -> str:
    if is_met:
        return ""
    both = told["cpu_seconds"] + told["hub_cpu_seconds"]
    return f"{told['seconds']:.1f} s, of which both sides were at work for {both:.1f} s of CPU"


def program(module: str, *arguments: str | Path) -> list[str | Path]:
    return [sys.executable, "-m", f"tests.benchmarks.sync.{module}", *arguments]


_ABOUT = (
    "One person's log on a hub, of jobs that another machine has done: nine of twelve events are "
    "signed by it. A desktop has an event when it is committed in its copy, signature checked, "
    "digest kept, jobs and words indexed. pycrdt takes the same events as strings in one list of a "
    "document: it merges without a hub, and checks no signature, keeps nothing on a disk as it "
    "goes and makes no tables to search. CPU is of whole processes."
)


def measure(scope: Scope, out: Path) -> Part:
    """Measure all of it; what was found is saved after every step."""
    begun = time.monotonic()
    machine.WORK.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=machine.WORK) as made:
        folder = Path(made)
        with child(program("hub", folder / "hub"), folder / "hub.log") as hub:
            part = Bench(scope, out, folder, hub).run()
    part.seconds = time.monotonic() - begun
    part.save(out)
    return part


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--out", type=Path, default=machine.WORK / "sync.json")
    parser.add_argument("--quick", action="store_true", help="less of everything")
    asked = parser.parse_args()
    print(table(measure(QUICK if asked.quick else Scope(), asked.out)))


if __name__ == "__main__":
    main()
