"""Turn the benchmark's runs into the Markdown tables between the markers of a page."""

from __future__ import annotations

import json
import statistics
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from tests.benchmarks.ml.tables import SOURCES

Run = dict[str, Any]

BEGIN, END = "<!-- bench-ml: begin -->", "<!-- bench-ml: end -->"
ORDER = ("linear", "forest", "hgb", "flaml", "autogluon", "deskhand")
HEADS = {
    "linear": "linear",
    "forest": "forest",
    "hgb": "boosting",
    "flaml": "FLAML",
    "autogluon": "AutoGluon",
    "deskhand": "**Deskhand**",
}
PEER = "autogluon"
OURS = "deskhand"


def read(runs: Path) -> list[Run]:
    """Read the runs that ended with a score; the last of each (seed, table, tool) counts."""
    if not runs.exists():
        return []
    found = [json.loads(line) for line in runs.read_text().splitlines()]
    return list({key_of(run): run for run in found if "score" in run}.values())


def key_of(run: Run) -> tuple[int, str, str]:
    return run["seed"], run["table"], run["tool"]


def write(runs: Path, page: Path) -> None:
    """Replace what stands between the markers of the page."""
    text = page.read_text(encoding="utf-8")
    before, rest = text.split(BEGIN)
    after = rest.split(END)[1]
    page.write_text(f"{before}{BEGIN}\n{rendered(read(runs))}\n{END}{after}", encoding="utf-8")


def rendered(runs: list[Run]) -> str:
    """Write all tables."""
    tools = [tool for tool in ORDER if any(run["tool"] == tool for run in runs)]
    heads = ["| |", *(f" {HEADS[tool]} |" for tool in tools)]
    lines = ["".join(heads), "|---" * (len(tools) + 1) + "|"]
    lines += [_score_line(runs, table, tools) for table in SOURCES]
    lines += [_tool_line(name, [of(_of_tool(runs, t), runs) for t in tools]) for name, of in FACTS]
    return "\n".join([*lines, "", *_ours(_of_tool(runs, OURS))])


def _of_tool(runs: Iterable[Run], tool: str) -> list[Run]:
    return [run for run in runs if run["tool"] == tool]


def _score_line(runs: list[Run], table: str, tools: list[str]) -> str:
    means = {}
    for tool in tools:
        scores = [run["score"] for run in _of_tool(runs, tool) if run["table"] == table]
        means[tool] = statistics.mean(scores) if scores else float("nan")
    best = max((mean for mean in means.values() if mean == mean), default=0.0)
    cells = [f"**{m:.4f}**" if m >= best - 5e-5 else f"{m:.4f}" for m in means.values()]
    metric = {"binary": "AUC", "multiclass": "AUC", "regression": "R²"}[SOURCES[table].task]
    return _tool_line(f"{table} ({metric})", cells)


def _tool_line(name: str, cells: Iterable[str]) -> str:
    return f"| {name} | " + " | ".join(cells) + " |"


def ratios(mine: list[Run], runs: list[Run]) -> list[float]:
    """Divide each score by the peer's of the same table and seed."""
    of_peer = {(run["seed"], run["table"]): run["score"] for run in _of_tool(runs, PEER)}
    pairs = ((run["score"], of_peer.get((run["seed"], run["table"]))) for run in mine)
    return [score / peer for score, peer in pairs if peer]


def table_ratios(mine: list[Run], runs: list[Run]) -> list[float]:
    """Divide the mean over seeds of each table's score by the peer's mean."""
    by_table = [[run for run in mine if run["table"] == table] for table in SOURCES]
    found = []
    for of_table in by_table:
        seeds = {run["seed"] for run in of_table}
        peer = [
            run["score"]
            for run in _of_tool(runs, PEER)
            if of_table and run["table"] == of_table[0]["table"] and run["seed"] in seeds
        ]
        if peer:
            found.append(statistics.mean(r["score"] for r in of_table) / statistics.mean(peer))
    return found


def _over(values: Iterable[float], form: Callable[[list[float]], str]) -> str:
    known = list(values)
    return form(known) if known else "–"


def _per_seed(runs: list[Run], fact: str) -> str:
    seeds = {run["seed"] for run in runs}
    return f"{sum(run[fact] for run in runs) / max(1, len(seeds)):.0f}"


FACTS: tuple[tuple[str, Callable[[list[Run], list[Run]], str]], ...] = (
    (
        "score ÷ AutoGluon's, mean",
        lambda mine, runs: _over(ratios(mine, runs), lambda v: f"{statistics.mean(v):.4f}"),
    ),
    (
        "… worst table (mean of seeds)",
        lambda mine, runs: _over(table_ratios(mine, runs), lambda v: f"{min(v):.4f}"),
    ),
    (
        "… worst single run",
        lambda mine, runs: _over(ratios(mine, runs), lambda v: f"{min(v):.4f}"),
    ),
    (
        "log loss, mean of 6 tables",
        lambda mine, _: _over(
            (run["log_loss"] for run in mine if "log_loss" in run),
            lambda v: f"{statistics.mean(v):.4f}",
        ),
    ),
    ("training, s for all 10 tables", lambda mine, _: _per_seed(mine, "fit_seconds")),
    ("… CPU s", lambda mine, _: _per_seed(mine, "fit_cpu_seconds")),
    (
        "… slowest table, s",
        lambda mine, _: _over((run["fit_seconds"] for run in mine), lambda v: f"{max(v):.0f}"),
    ),
    (
        "peak memory, MB: mean / most",
        lambda mine, _: _over(
            (run["peak_mb"] for run in mine), lambda v: f"{statistics.mean(v):.0f} / {max(v):.0f}"
        ),
    ),
    (
        "model on disk, MB: mean / most",
        lambda mine, _: _over(
            (run["disk_mb"] for run in mine if "disk_mb" in run),
            lambda v: f"{statistics.mean(v):.1f} / {max(v):.1f}",
        ),
    ),
    (
        "load average of the machine meanwhile, mean",
        lambda mine, _: _over((run["load"] for run in mine), lambda v: f"{statistics.mean(v):.1f}"),
    ),
    ("runs", lambda mine, _: str(len(mine))),
)


def _ours(mine: list[Run]) -> list[str]:
    """Tell per table what the peers do not give: times to a first answer, honesty, coverage."""
    head = (
        "| Deskhand | training, s (CPU s) | first usable model, s | told score (cross-validated) | "
        "score on new rows | calibration error | 90 % interval covers | model, MB | "
        "predicting the test part, s |"
    )
    lines = [head, "|---" * 9 + "|"]
    for table in SOURCES:
        of_table = [run for run in mine if run["table"] == table]
        if of_table:
            lines.append(_tool_line(table, _our_cells(of_table)))
    return lines


def _our_cells(runs: list[Run]) -> list[str]:
    def mean(fact: str) -> float | None:
        found = [run[fact] for run in runs if run.get(fact) is not None]
        return statistics.mean(found) if found else None

    def told(fact: str, form: str) -> str:
        value = mean(fact)
        return "" if value is None else format(value, form)

    return [
        f"{told('fit_seconds', '.1f')} ({told('fit_cpu_seconds', '.1f')})",
        told("first_seconds", ".1f"),
        told("told_score", ".4f"),
        told("score", ".4f"),
        told("calibration_error", ".3f"),
        told("covered", ".1%"),
        told("disk_mb", ".1f"),
        told("predict_seconds", ".2f"),
    ]
