"""New stores, as their migrations leave them: made once in a process, and copied for each test.

Making one costs 25 to 35 ms of CPU, which thousands of tests that begin with a new store would
spend. What migrations do has tests of its own, which make their stores by them.
"""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path

from desktop.store.database import open_store as open_worker_store
from hub.store.database import STORE_NAME
from hub.store.database import open_store as open_hub_store


def lay_hub_store(folder: Path) -> None:
    """Put a new store where a hub is going to start; one that is there stays."""
    _lay(folder / STORE_NAME, _new_hub_store())


def lay_worker_store(path: Path) -> None:
    """Put a new store where a worker is going to start; one that is there stays."""
    _lay(path, _new_worker_store())


def _lay(path: Path, content: bytes) -> None:
    if not path.exists():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_bytes(content)


@cache
def _new_hub_store() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        open_hub_store(Path(folder)).close()
        return Path(folder, STORE_NAME).read_bytes()


@cache
def _new_worker_store() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "worker.sqlite3")
        open_worker_store(path).close()
        return path.read_bytes()
