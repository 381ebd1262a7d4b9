"""The status file says how the line is, and since when, whoever reads it."""

from __future__ import annotations

import json
from pathlib import Path

from desktop.core.link import LinkState, LinkStatus, unreachable
from desktop.system.status import StatusFile

WHY = unreachable("hub.example.org", "the line was cut")


def told(path: Path) -> dict[str, str]:
    content: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))
    return content


def test_a_line_is_down_since_the_first_try_that_failed(tmp_path: Path) -> None:
    path = tmp_path / "status.json"
    report = StatusFile(path)
    report.write(LinkStatus(state=LinkState.OFFLINE, error=WHY, next_try_seconds=1.0))
    first = told(path)

    report.write(LinkStatus(state=LinkState.OFFLINE, error=WHY, next_try_seconds=20.0))

    assert told(path)["at"] == first["at"]
    assert told(path)["next_try_at"] > first["next_try_at"]
    report.write(LinkStatus(state=LinkState.ONLINE))
    assert told(path)["at"] > first["at"]


def test_a_worker_that_has_stopped_leaves_no_status(tmp_path: Path) -> None:
    report = StatusFile(tmp_path / "status.json")
    report.write(LinkStatus(state=LinkState.ONLINE))

    report.stopped()

    assert not (tmp_path / "status.json").exists()
