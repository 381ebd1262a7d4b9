"""What other queues keep their jobs in, real and each for one run: Redis, PostgreSQL, a file."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from tests.benchmarks.footprint import free_port
from tests.benchmarks.queue.children import child

Fsync = Literal["always", "everysec"]
"""Of Redis' log: before each acknowledgement, or once a second."""
START_SECONDS = 20.0
POSTGRES_USER = "postgres"
"""Whom PostgreSQL runs as when we are root, which it refuses."""


class Absent(Exception):
    """A program that is needed is not on this machine; says which."""


def redis_server() -> str:
    """Raises Absent."""
    found = shutil.which("redis-server")
    if found is None:
        raise Absent("redis-server is not installed")
    return found


def postgres_folder() -> Path:
    """Return the folder of PostgreSQL's newest programs; Debian's stand in no path.

    Raises:
        Absent: there is none.
    """
    debian = [path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/initdb")]
    if debian:
        return max(debian, key=lambda path: float(path.parent.name))
    found = shutil.which("initdb")
    if found is None:
        raise Absent("PostgreSQL is not installed")
    return Path(found).resolve().parent


def version_of(program: str | Path) -> str:
    told = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout
    words = told.replace("v=", "").split()
    return next((word for word in words if word[0].isdigit()), told.strip())


@contextlib.contextmanager
def redis(folder: Path, fsync: Fsync) -> Iterator[str]:
    """Run a Redis that logs every command; yields its address."""
    port = free_port()
    command: list[str | Path] = [
        redis_server(), "--bind", "127.0.0.1", "--port", str(port), "--dir", str(folder),
        "--appendonly", "yes", "--appendfsync", fsync, "--save", "", "--loglevel", "warning",
    ]  # fmt: skip
    with child(command, folder / "redis.log") as server:
        server.until(lambda: _listens(port), START_SECONDS)
        yield f"redis://127.0.0.1:{port}/0"


@contextlib.contextmanager
def postgres(folder: Path) -> Iterator[str]:
    """Run a PostgreSQL with its own defaults (fsync on); yields how to connect.

    Raises:
        Absent: it is not here, or cannot be run by us.
    """
    programs, port, data = postgres_folder(), free_port(), folder / "postgres"
    user = POSTGRES_USER if os.geteuid() == 0 else None
    data.mkdir()
    try:
        if user is not None:
            shutil.chown(data, user)
        subprocess.run(
            [programs / "initdb", "-D", data, "-U", "bench", "-A", "trust", "-E", "UTF8"],
            check=True,
            capture_output=True,
            text=True,
            user=user,
        )
    except (LookupError, OSError, subprocess.CalledProcessError) as error:
        said = error.stderr if isinstance(error, subprocess.CalledProcessError) else str(error)
        raise Absent(f"PostgreSQL cannot be set up: {said.strip()[-200:]}") from error
    command: list[str | Path] = [
        programs / "postgres", "-D", data, "-p", str(port), "-k", "",
        "-c", "listen_addresses=127.0.0.1",
    ]  # fmt: skip
    # SIGINT is its fast shutdown: it leaves no shared memory behind.
    with child(command, folder / "postgres.log", user=user, how=signal.SIGINT) as server:
        server.until(lambda: _listens(port), START_SECONDS)
        yield f"host=127.0.0.1 port={port} user=bench dbname=postgres"


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True
