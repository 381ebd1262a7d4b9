"""A real RabbitMQ, with all it writes in a folder of its own. It takes some five seconds to start.

Debian's script is passed by, which would go over to another account.
"""

from __future__ import annotations

import signal
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.brokers.server import Server, answers, end, free_port, program, started

PLACES = ("/usr/lib/rabbitmq/bin/rabbitmq-server", "rabbitmq-server")
HELLO = b"AMQP\x00\x00\x09\x01"
CONFIG = """\
listeners.tcp.1 = 127.0.0.1:{port}
disk_free_limit.absolute = 1MB
vm_memory_high_watermark.relative = 0.9
log.file.level = warning
"""


class RabbitServer(Server):
    """One RabbitMQ node, and the name server (epmd) that it needs."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._program = program(*PLACES, package="rabbitmq-server")
        self._epmd_program = program("epmd", package="erlang-base")
        self._epmd_port = free_port()
        self._line_port = free_port()
        self._epmd: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"amqp://guest:guest@127.0.0.1:{self.port}//"

    def launch(self) -> None:
        if self.process is not None:
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "rabbitmq.conf").write_text(CONFIG.format(port=self.port))
        (self.folder / "plugins").write_text("[].\n")
        if self._epmd is None:
            # Else the node would start one that outlives it.
            words = [self._epmd_program, "-port", str(self._epmd_port), "-address", "127.0.0.1"]
            self._epmd = started(words, self.folder)
        self._run([self._program], self._environment())

    def is_up(self) -> bool:
        return answers(self.port, HELLO, b"\x01\x00\x00")

    def close(self) -> None:
        super().close()
        epmd, self._epmd = self._epmd, None
        if epmd is not None:
            end(epmd, signal.SIGKILL)

    def _environment(self) -> dict[str, str]:
        folder = self.folder
        return {
            "HOME": str(folder),
            "RUNNING_UNDER_SYSTEMD": "true",  # no shell stays between us and the node
            "RABBITMQ_NODENAME": f"deskhand{self.port}@localhost",
            "RABBITMQ_NODE_PORT": str(self.port),
            "RABBITMQ_DIST_PORT": str(self._line_port),
            "ERL_EPMD_PORT": str(self._epmd_port),
            "RABBITMQ_MNESIA_BASE": str(folder / "data"),
            "RABBITMQ_LOG_BASE": str(folder / "logs"),
            "RABBITMQ_PID_FILE": str(folder / "node.pid"),
            "RABBITMQ_CONF_ENV_FILE": str(folder / "no-environment"),
            "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq.conf"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "plugins"),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "+S 1:1 +sbwt none +sbwtdcpu none",
        }


@asynccontextmanager
async def rabbitmq_server(folder: Path) -> AsyncIterator[str]:
    """Run a RabbitMQ for a block; its address, amqp://guest:guest@127.0.0.1:<port>//."""
    async with RabbitServer(folder) as server:
        yield server.url
