"""`docs/reliability.md` promises nothing that no test shows."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "reliability.md"
SHOWN_BY = "shown by"
NAMED = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")
ROWS_MIN = 18 + 5
"""The faults of the design, and the rules for what meets."""


def rows() -> list[tuple[str, str]]:
    """What each row of the tables with tests promises, and its last cell."""
    found, is_shown = [], False
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        if not line.startswith("|"):
            is_shown = False
            continue
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if cells[-1] == SHOWN_BY:
            is_shown = True
        elif is_shown and not set(cells[0]) <= {"-"}:
            found.append((cells[0], cells[-1]))
    return found


def test_every_fault_and_every_rule_has_a_row() -> None:
    assert len(rows()) >= ROWS_MIN


def test_no_row_is_without_a_test() -> None:
    assert [fault for fault, shown in rows() if not NAMED.search(shown)] == []


def test_every_test_that_is_named_exists() -> None:
    missing = [
        f"{path}::{name}"
        for _, shown in rows()
        for path, name in NAMED.findall(shown)
        if not _has(ROOT / path, name)
    ]
    assert missing == []


def _has(path: Path, name: str) -> bool:
    return path.exists() and f"def {name}(" in path.read_text(encoding="utf-8")
