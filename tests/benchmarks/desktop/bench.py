"""The tray app beside Vorta, and hub and worker at rest: starts, memory, what idling costs.

    python -m tests.benchmarks.desktop.bench [--quick] [--out FILE]

Fewer starts and shorter waits than `python -m tests.benchmarks.desktop`, from source only.
"""

from __future__ import annotations

import subprocess
import tempfile
from importlib.metadata import version
from pathlib import Path

from tests.benchmarks import footprint, program
from tests.benchmarks.desktop.__main__ import (
    Subject,
    frozen,
    idle,
    source,
    stage,
    take_turns,
    vorta,
)
from tests.benchmarks.report import OURS, Part
from tests.desktop.gui.tray.panel import Panel

STARTS, QUICK_STARTS = 5, 2
COLD_STARTS, QUICK_COLD_STARTS = 3, 1
SETTLE_SECONDS, QUICK_SETTLE_SECONDS = 8.0, 3.0
IDLE_SECONDS, QUICK_IDLE_SECONDS = 20.0, 6.0
HUB_STARTS, QUICK_HUB_STARTS = 4, 2
GOALS = {
    "to the tray, warm": 0.5,
    "to the tray, cold files": 1.0,
    "idle memory (PSS)": 80.0,
    "idle CPU": 0.02,
    "idle wake-ups": 0.5,
    "hub: start to first answer": 1.0,
    "hub: idle memory (PSS)": 70.0,
    "worker without agents: idle memory (PSS)": 80.0,
}
"""The most each may be, in the unit of its figure."""
UNITS = {
    "to the tray, warm": "s",
    "to the tray, cold files": "s",
    "idle memory (PSS)": "MiB",
    "idle CPU": "% of a core",
    "idle wake-ups": "1/s",
    "hub: start to first answer": "s",
    "hub: idle memory (PSS)": "MiB",
    "worker without agents: idle memory (PSS)": "MiB",
}


def main() -> None:
    part = Part(
        "desktop",
        "The tray app, and hub and worker at rest",
        about="Start of the process to its icon in a real panel, on a screen of their own, in "
        "turn; cold is with the program's own files taken out of the page cache. Ours is paired, "
        "online and from source; Vorta is as it comes, without a repository. Memory is of the "
        "whole process tree.",
        versions={"PySide6": version("pyside6-essentials")},
    )
    program.run(part, tray, at_rest)


def tray(part: Part, quick: bool) -> None:
    with stage() as (panel, home, environment):
        subjects = {OURS: source(home, environment)}
        for packaged in frozen(None, home, environment):
            subjects["Deskhand, frozen"] = packaged
        try:
            subjects["Vorta"] = vorta(environment)
        except (OSError, subprocess.SubprocessError) as error:
            part.notes.append(f"Vorta could not be installed, so it is left out ({error}).")
        else:
            own, qt = subjects["Vorta"].name.removeprefix("Vorta ").rstrip(")").split(" (PyQt6 ")
            part.versions |= {"Vorta": own, "PyQt6": qt}
        take_turns(
            [*subjects.values()],
            panel,
            starts=QUICK_STARTS if quick else STARTS,
            cold_starts=QUICK_COLD_STARTS if quick else COLD_STARTS,
        )
        for name, subject in subjects.items():
            add_starts(part, name, subject)
            add_idle(part, name, subject, panel, quick=quick)
    for name in [*GOALS][:5]:
        judge(part, name)


def add_starts(part: Part, name: str, subject: Subject) -> None:
    add(part, "to the tray, warm", name, *subject.warm)
    add(part, "to the tray, cold files", name, *subject.cold)
    part.figure("CPU to the tray", "s", better="less").add(name, *subject.cpu)


def add_idle(part: Part, name: str, subject: Subject, panel: Panel, *, quick: bool) -> None:
    settle = QUICK_SETTLE_SECONDS if quick else SETTLE_SECONDS
    found = idle(subject, panel, settle, QUICK_IDLE_SECONDS if quick else IDLE_SECONDS)
    add(part, "idle memory (PSS)", name, found.pss_mib)
    add(part, "idle CPU", name, found.cpu_percent)
    add(part, "idle wake-ups", name, found.wakeups)


def at_rest(part: Part, quick: bool) -> None:
    """Add hub and headless worker, as whole processes in this environment."""
    with tempfile.TemporaryDirectory() as folder:
        found = footprint.measured(Path(folder), QUICK_HUB_STARTS if quick else HUB_STARTS)
    add(part, "hub: start to first answer", OURS, *found.later)
    add(part, "hub: idle memory (PSS)", OURS, found.hub.pss_mib)
    add(part, "worker without agents: idle memory (PSS)", OURS, found.worker.pss_mib)
    for name in [*GOALS][5:]:
        judge(part, name)
    part.notes.append(
        f"The hub's first start, which makes its store, took {found.first:.2f} s; resident sets "
        f"(RSS) are {found.hub.rss_mib:.0f} MiB of the hub and {found.worker.rss_mib:.0f} MiB of "
        "the worker. They run in the developers' environment."
    )


def add(part: Part, name: str, subject: str, *values: float) -> None:
    figure = part.figure(name, UNITS[name], better="less", goal=f"less than {GOALS[name]:g}")
    figure.add(subject, *values)


KEEPS = {
    "to the tray, warm": "imports of Qt and of the worker, which a busy machine stretches",
    "to the tray, cold files": "the libraries of Qt are read from the disk",
    "idle memory (PSS)": "Qt, and the worker's modules in the same process",
    "idle CPU": "timers and the hub's pings",
    "idle wake-ups": "timers and the hub's pings",
    "hub: start to first answer": "its imports, which a busy machine stretches",
    "hub: idle memory (PSS)": "its imports; no page of them is shared with others here",
    "worker without agents: idle memory (PSS)": "its imports",
}


def judge(part: Part, name: str) -> None:
    load = part.mood.get("load", 0.0)
    keeps = f"{KEEPS[name]} (load {load:.1f} when it began)"
    part.figure(name, UNITS[name], better="less").judge_limit(GOALS[name], keeps)


if __name__ == "__main__":
    main()
