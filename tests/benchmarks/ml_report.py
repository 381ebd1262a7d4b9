"""Turn the benchmark's runs into the Markdown table between the markers of a page."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


def read(runs: Path) -> list[dict[str, Any]]:
    """Read the runs that ended with a score; the last of each (seed, table, tool) counts."""
    if not runs.exists():
        return []
    found = [json.loads(line) for line in runs.read_text().splitlines()]
    return list({key_of(run): run for run in found if "score" in run}.values())


def key_of(run: dict[str, Any]) -> tuple[int, str, str]:
    return run["seed"], run["table"], run["tool"]


def write(runs: Path, page: Path) -> None:
    raise NotImplementedError
