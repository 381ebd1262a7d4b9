"""A real redis-server, which writes all that it has taken to a file."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Literal

from tests.brokers.server import Server, answers, program

Fsync = Literal["always", "everysec"]


class RedisServer(Server):
    """One redis-server.

    Args:
        folder: where its files lie; made when missing.
        fsync: when what it took is safe: before it answers ("always"), or a second later.
    """

    def __init__(self, folder: Path, fsync: Fsync = "everysec") -> None:
        super().__init__(folder)
        self.fsync = fsync
        self._program = program("redis-server", package="redis-server")

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def launch(self) -> None:
        if self.process is not None:
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        words = [self._program, "--port", str(self.port), "--bind", "127.0.0.1"]
        words += ["--dir", str(self.folder), "--save", "", "--appendonly", "yes"]
        words += ["--appendfsync", self.fsync, "--daemonize", "no"]
        self._run(words)

    def is_up(self) -> bool:
        return answers(self.port, b"PING\r\n", b"+PONG\r\n")

    def forget_all(self) -> None:
        """Lose everything, as a broker without a disk does."""
        assert answers(self.port, b"FLUSHALL\r\n", b"+OK\r\n")


@asynccontextmanager
async def redis_server(folder: Path, *, fsync: Fsync = "everysec") -> AsyncIterator[str]:
    """Run a redis-server for a block; its address, redis://127.0.0.1:<port>/0."""
    async with RedisServer(folder, fsync) as server:
        yield server.url
