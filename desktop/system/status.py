"""The worker's state as a small file, so that `deskhand status` can tell it from outside."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psutil
from pydantic import BaseModel, ConfigDict

from desktop.core.link import LinkState, LinkStatus
from desktop.store.facts import Pairing
from shared.errors import AppError


class Told(BaseModel):
    """What the file holds."""

    model_config = ConfigDict(frozen=True)

    pid: int
    state: LinkState
    at: datetime
    why: str
    next_try_at: datetime | None


class StatusFile:
    """Written by the running worker at every change of its line."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.last = LinkStatus(state=LinkState.CONNECTING)
        self._since = datetime.now(UTC)

    def write(self, status: LinkStatus) -> None:
        """Replace the file; a reader sees the old or the new one, never half."""
        now = datetime.now(UTC)
        if status.state is not self.last.state:
            self._since = now
        self.last = status
        wait = status.next_try_seconds
        told = Told(
            pid=os.getpid(),
            state=status.state,
            at=self._since,
            why=str(AppError.from_body(status.error)) if status.error else "",
            next_try_at=None if wait is None else now + timedelta(seconds=wait),
        )
        aside = self._path.with_suffix(".new")
        with contextlib.suppress(OSError):  # a full disk must not end the worker
            aside.write_text(told.model_dump_json(), encoding="utf-8")
            aside.replace(self._path)

    def stopped(self) -> None:
        self._path.unlink(missing_ok=True)


def sentence(status: LinkStatus, pairing: Pairing) -> str:
    """Say in one line how a worker's line is, for whoever looks at its terminal."""
    match status.state:
        case LinkState.ONLINE:
            return f"{pairing.worker_name} is connected to {pairing.hub_name}. Ctrl-C stops it."
        case LinkState.CONNECTING:
            return f"Connecting to {pairing.hub_url} …"
        case LinkState.OFFLINE | LinkState.REFUSED:
            return str(AppError.from_body(status.error)) if status.error else "Not connected."


def tell(told: Told | None, pairing: Pairing) -> Iterator[str]:
    """Say how the worker and its line are, in sentences."""
    yield f"{pairing.worker_name}, paired with {pairing.hub_name} ({pairing.hub_url})"
    if told is None:
        yield "The worker is not running. Start it with: deskhand --headless"
        return
    yield f"Running, {told.state} since {told.at.astimezone():%H:%M}."
    if told.why:
        yield told.why
    if told.next_try_at is not None:
        seconds = (told.next_try_at - datetime.now(UTC)).total_seconds()
        yield f"Next try in {max(0.0, seconds):.0f} s."


def read(path: Path) -> Told | None:
    """Read what a running worker told last; None when none runs."""
    try:
        told = Told.model_validate_json(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return told if psutil.pid_exists(told.pid) else None
