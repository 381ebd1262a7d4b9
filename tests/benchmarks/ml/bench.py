"""Training beside plain scikit-learn, FLAML and AutoGluon, and what our child process costs.

    python -m tests.benchmarks.ml.bench [--quick] [--out FILE]

A few tables and short budgets; all ten, with 60 s and three seeds, are `python -m
tests.benchmarks.ml` and stand in docs/ml.md.
"""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

from tests.benchmarks import program
from tests.benchmarks.machine import WORK
from tests.benchmarks.ml import __main__ as whole
from tests.benchmarks.ml.overhead import Cost, both
from tests.benchmarks.ml.tables import SOURCES
from tests.benchmarks.peers import versions_of
from tests.benchmarks.report import OURS, Figure, Part

TABLES, QUICK_TABLES = ("churn", "hpc", "ames"), ("ames",)
BUDGET_SECONDS, QUICK_BUDGET_SECONDS = 5.0, 3.0
INSTALL_SECONDS_MAX = 90.0
TOOL_SECONDS_MAX = 120.0
SEED = 0
PAIRS, QUICK_PAIRS = 2, 1
TREES, QUICK_TREES = 100, 40
NAMES = {
    "linear": "linear",
    "forest": "random forest",
    "hgb": "boosting",
    "deskhand": OURS,
    "flaml": "FLAML",
    "autogluon": "AutoGluon",
}
PACKAGES = {"flaml": "flaml", "autogluon": "autogluon.tabular"}
METRICS = {"binary": "AUC", "multiclass": "AUC", "regression": "R²"}
SCORE_SHARE_MIN = 0.99
"""Of the best peer's score, on each table."""
PEAK_MB_MAX = 700.0
BUDGET_TIMES_MAX = 1.05
CPU_TIMES_MAX = 1.1
BARE = "bare script"


def main() -> None:
    part = Part(
        "ml",
        "Training on tables",
        about="Score on a quarter of the rows that nobody trained on, seconds of the fit and peak "
        "memory of the process tree; one thread each, in turn, the same few seconds for those "
        "who take a budget (Deskhand, FLAML, AutoGluon with its medium preset). Ours reads the "
        "file, explains, draws and stores in that time.",
        versions={"scikit-learn": version("scikit-learn")},
    )
    program.run(part, child, tables)


def child(part: Part, quick: bool) -> None:
    """Add what a job's child process costs beside a script."""
    with tempfile.TemporaryDirectory(dir=WORK) as folder:
        for _ in range(QUICK_PAIRS if quick else PAIRS):
            add_pair(part, *both(QUICK_TREES if quick else TREES, Path(folder)))
    judge_child(part)


def add_pair(part: Part, ours: Cost, bare: Cost) -> None:
    assert ours.score == bare.score, "they did not fit the same"
    stands = f"{ours.lines} lines of progress"
    for name, unit, goal, values in (
        ("the same fit, whole process", "s", "", (ours.seconds, bare.seconds)),
        (
            "the same fit, CPU of all processes",
            "s",
            f"at most {CPU_TIMES_MAX:g} x the bare script",
            (ours.cpu_seconds, bare.cpu_seconds),
        ),
        ("the same fit, peak memory", "MB", "", (ours.peak_mb, bare.peak_mb)),
    ):
        figure = part.figure(name, unit, better="less", goal=goal)
        figure.add(OURS, values[0], stands=stands)
        figure.add(BARE, values[1])


def judge_child(part: Part) -> None:
    figure = part.figure("the same fit, CPU of all processes", "s")
    more = figure.median() - figure.median(BARE)
    figure.judge_limit(
        CPU_TIMES_MAX * figure.median(BARE),
        f"{more:.2f} s more: imports of the child's own side, and the worker's watch",
    )


def tables(part: Part, quick: bool) -> None:
    tools = those_there(part)
    budget = QUICK_BUDGET_SECONDS if quick else BUDGET_SECONDS
    for table in QUICK_TABLES if quick else TABLES:
        for tool in tools:
            command = whole.command_of(tool, table, SEED, budget, WORK / "ml")
            found = whole.measure(command, WORK / "ml" / "errors.log", TOOL_SECONDS_MAX)
            add_run(part, table, NAMES[tool], found)
        judge_table(part, table, budget)
    part.notes.append(
        f"One split of {', '.join(QUICK_TABLES if quick else TABLES)} with {budget:.0f} s; all "
        "ten tables, with 60 s and three seeds, are in [ml.md](ml.md)."
    )


def those_there(part: Part) -> list[str]:
    """Return who can be measured; whoever cannot be installed in time is named."""
    tools = []
    for tool, name in NAMES.items():
        try:
            python = whole.python_of(tool, seconds_max=INSTALL_SECONDS_MAX)
        except (OSError, subprocess.SubprocessError) as error:
            part.notes.append(f"{name} is left out: it could not be installed ({error}).")
            continue
        tools.append(tool)
        if package := PACKAGES.get(tool):
            [part.versions[name]] = versions_of(Path(python), package).values()
    return tools


def add_run(part: Part, table: str, name: str, found: Mapping[str, Any]) -> None:
    """Add what one tool did on one table."""
    if "score" not in found:
        part.notes.append(f"{name} gave no result on {table} (exit code {found['exit']}).")
        return
    score_of(part, table).add(name, found["score"])
    seconds_of(part, table).add(name, found["fit_seconds"])
    memory_of(part, table).add(name, found["peak_mb"])


def score_of(part: Part, table: str) -> Figure:
    metric = METRICS[SOURCES[table].task]
    return part.figure(
        f"{table}: score", metric, goal=f"at least {SCORE_SHARE_MIN:g} x the best of all others"
    )


def seconds_of(part: Part, table: str) -> Figure:
    return part.figure(
        f"{table}: fit", "s", better="less", goal=f"at most {BUDGET_TIMES_MAX:g} x the budget"
    )


def memory_of(part: Part, table: str) -> Figure:
    return part.figure(
        f"{table}: peak memory", "MB", better="less", goal=f"at most {PEAK_MB_MAX:.0f}"
    )


def judge_table(part: Part, table: str, budget: float) -> None:
    score = score_of(part, table)
    if best := next(iter(score.peers()), None):
        keeps = f"{best} is ahead within a budget of {budget:.0f} s"
        score.judge_limit(SCORE_SHARE_MIN * score.median(best), keeps)
    seconds_of(part, table).judge_limit(
        BUDGET_TIMES_MAX * budget,
        f"the budget of {budget:.0f} s begins when the file is read; explaining, drawing and "
        "storing came after it",
    )
    memory_of(part, table).judge_limit(PEAK_MB_MAX, "more models at a time than that")


if __name__ == "__main__":
    main()
