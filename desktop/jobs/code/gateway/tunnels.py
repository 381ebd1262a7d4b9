"""Tunnels from a box to package registries: hosts by list or by a person's word, nothing else.

What goes through is TLS for the very host that was asked for, and its bytes are counted: so much
may be fetched, and little may be sent.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from desktop.core.code.client_hello import NotTls, server_name
from desktop.core.code.registries import (
    ALLOW,
    Registry,
    Standing,
    host_of,
    question_for,
    registry_of,
    standing_of,
)
from desktop.jobs.code.gateway.line import CHUNK_BYTES, Line, Request
from desktop.jobs.code.gateway.outside import OpenHost, Streams, close
from desktop.jobs.code.gateway.questions import Questions
from shared.errors import AppError
from shared.plain_text import plain_line

log = structlog.get_logger(__name__)

REGISTRIES_ASKED_MAX = 5
"""Questions about hosts in one job; programs that try names one after another get no more."""
TUNNELS_MAX = 64
HOSTS_NOTED_MAX = 100
SENT_BYTES_MAX = 64 * 1024 * 1024
"""By one job, to all registries; a download needs a few kilobytes."""
FETCHED_BYTES_MAX = 8 * 1024**3
IDLE_SECONDS = 300.0
HELLO_SECONDS = 20.0


@dataclass(slots=True)
class HostUse:
    """What a host was asked for, and how much went there and came back."""

    is_allowed: bool = False
    is_told: bool = False
    tunnels: int = 0
    sent_bytes: int = 0
    fetched_bytes: int = 0


class _Refused(Exception):
    """The box gets no tunnel, or no more of it."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status
        self.why = why


class Tunnels:
    """All tunnels of one job."""

    def __init__(
        self,
        allowed: tuple[str, ...],
        questions: Questions,
        open_host: OpenHost,
        tell: Callable[[str], None],
    ) -> None:
        """Open nothing yet.

        Args:
            allowed: hosts that need no question, "*.example.org" among them.
            questions: of the job.
            open_host: connects to a host.
            tell: writes a line to the job's log.
        """
        self._allowed = allowed
        self._questions = questions
        self._open_host = open_host
        self._tell = tell
        self._asked: set[Registry] = set()
        self._open = 0
        self._sent_left = SENT_BYTES_MAX
        self._fetched_left = FETCHED_BYTES_MAX
        self.hosts: dict[str, HostUse] = {}

    async def answer(self, request: Request, line: Line) -> None:
        """Open a tunnel, or say why not."""
        try:
            await self._tunnel(request.target, line)
        except _Refused as refused:
            log.info("no tunnel", target=request.target[:100], why=refused.why)
            await _refuse(line, refused.status, refused.why)
        except AppError as error:
            await _refuse(line, 502, error.message)

    async def _tunnel(self, target: str, line: Line) -> None:
        host = host_of(target)
        if host is None:
            raise _Refused(403, f"{target[:100]!r} is no host at port 443 that can be reached")
        use = self._use(host)
        await self._check(host)
        use.is_allowed = True
        if self._open >= TUNNELS_MAX:
            raise _Refused(503, f"{TUNNELS_MAX} connections are open")
        self._open += 1
        use.tunnels += 1
        try:
            outer = await self._open_host(host)
            try:
                await self._join(host, use, line, outer)
            finally:
                await close(outer[1])
        finally:
            self._open -= 1

    def _use(self, host: str) -> HostUse:
        if host not in self.hosts and len(self.hosts) >= HOSTS_NOTED_MAX:
            return HostUse()
        return self.hosts.setdefault(host, HostUse())

    def _tell_refused(self, host: str) -> None:
        """Say once that a host was wanted; agents call home again and again."""
        use = self.hosts.get(host)
        if use is not None and not use.is_told:
            use.is_told = True
            self._tell(f"Refused: {host}, which is not among the registries of the policy.")

    async def _check(self, host: str) -> None:
        match standing_of(host, self._allowed):
            case Standing.ALLOWED:
                return
            case Standing.REFUSED:
                self._tell_refused(host)
                raise _Refused(403, f"{host} is not in the owner's list of registries")
            case Standing.ASKED:
                await self._ask(host)

    async def _ask(self, host: str) -> None:
        registry = registry_of(host)
        if registry not in self._asked and len(self._asked) >= REGISTRIES_ASKED_MAX:
            raise _Refused(403, f"{REGISTRIES_ASKED_MAX} hosts were asked about; no more are")
        self._asked.add(registry)
        answer = await self._questions.answer_to(question_for(registry))
        if answer is None:
            raise _Refused(403, f"a person was asked about {host}; try again later")
        if answer != ALLOW:
            raise _Refused(403, f"{host} was refused for this job")

    async def _join(self, host: str, use: HostUse, line: Line, outer: Streams) -> None:
        reader, writer, early = await line.switch()
        early = await _checked_hello(host, reader, early)
        self._count_sent(use, len(early))
        outer[1].write(early)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._copy(reader, outer[1], use, is_sent=True))
            tasks.create_task(self._copy(outer[0], writer, use, is_sent=False))

    async def _copy(
        self,
        source: asyncio.StreamReader,
        target: asyncio.StreamWriter,
        use: HostUse,
        *,
        is_sent: bool,
    ) -> None:
        try:
            while part := await _read(source):
                if is_sent:
                    self._count_sent(use, len(part))
                else:
                    self._count_fetched(use, len(part))
                target.write(part)
                await target.drain()
            if target.can_write_eof():
                target.write_eof()
        except (ConnectionError, TimeoutError, _Refused):
            # One direction that breaks ends both: the other one sees its end.
            target.close()

    def _count_sent(self, use: HostUse, count: int) -> None:
        use.sent_bytes += count
        self._sent_left -= count
        if self._sent_left < 0:
            raise _Refused(403, f"more than {SENT_BYTES_MAX} bytes were sent")

    def _count_fetched(self, use: HostUse, count: int) -> None:
        use.fetched_bytes += count
        self._fetched_left -= count
        if self._fetched_left < 0:
            raise _Refused(403, f"more than {FETCHED_BYTES_MAX} bytes were fetched")


async def _read(source: asyncio.StreamReader) -> bytes:
    async with asyncio.timeout(IDLE_SECONDS):
        return await source.read(CHUNK_BYTES)


async def _checked_hello(host: str, reader: asyncio.StreamReader, early: bytes) -> bytes:
    """Read the first message; it has to be for the host that was allowed."""
    told = early
    try:
        async with asyncio.timeout(HELLO_SECONDS):
            while (name := server_name(told)) is None:
                part = await reader.read(CHUNK_BYTES)
                if not part:
                    raise _Refused(403, "it ended before it began")
                told += part
    except (NotTls, TimeoutError):
        raise _Refused(403, f"what is sent to {host} is no TLS") from None
    if name != host:
        raise _Refused(403, f"a connection for {host} is meant for {name[:100]!r}")
    return told


async def _refuse(line: Line, status: int, why: str) -> None:
    """Say why not: beside the status, too, for that is all that many programs show."""
    if line.has_begun:
        return
    told = {"error": {"code": "host_refused", "message": f"Deskhand: {why}."}}
    reason = f"Deskhand: {plain_line(why)}".encode("ascii", "replace").decode()
    headers = {"connection": "close"}
    await line.reply(status, json.dumps(told).encode(), headers, reason=reason)
