"""The worker's state as a small file, so that `deskhand status` can tell it from outside."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psutil
from pydantic import BaseModel, ConfigDict

from desktop.core.attempt import AttemptState
from desktop.core.link import LinkState, LinkStatus
from desktop.store import journal, outbox
from desktop.store.facts import Pairing
from shared.errors import AppError
from shared.ids import short


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


def tell(path: Path, pairing: Pairing, connection: sqlite3.Connection) -> Iterator[str]:
    """Say how the worker is, in sentences."""
    yield f"{pairing.worker_name}, paired with {pairing.hub_name} ({pairing.hub_url})"
    yield from _tell_line(path)
    for attempt in journal.attempts(connection):
        if attempt.state is not AttemptState.ENDED:
            yield f"  #{short(attempt.spec.job_id)} {attempt.spec.title}: {attempt.state.value}"
    waiting = outbox.waiting(connection)
    if waiting:
        yield f"{waiting} changes wait to be told to the hub."


def _tell_line(path: Path) -> Iterator[str]:
    told = _read(path)
    if told is None or not psutil.pid_exists(told.pid):
        yield "The worker is not running. Start it with: deskhand --headless"
        return
    yield f"Running, {told.state} since {told.at.astimezone():%H:%M}."
    if told.why:
        yield told.why
    if told.next_try_at is not None:
        seconds = (told.next_try_at - datetime.now(UTC)).total_seconds()
        yield f"Next try in {max(0.0, seconds):.0f} s."


def _read(path: Path) -> Told | None:
    try:
        return Told.model_validate_json(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
