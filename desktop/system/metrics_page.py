"""`/metrics` of a worker for Prometheus: `async with serving("127.0.0.1:9464", read): …`.

A worker serves nothing unless its owner asks for this page by an option; a node of a fleet uses it
the same way. It answers GET of one path, to whoever can reach the address: by default that is this
machine. Figures are read when they are asked for. prometheus-client is imported here alone.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import structlog

from desktop.core.figures import Figures
from desktop.core.link import LinkState
from desktop.core.outcome import Ending
from shared.errors import AppError, BadInput, Unavailable
from shared.loopback import is_loopback

if TYPE_CHECKING:
    from prometheus_client.metrics_core import Metric

log = structlog.get_logger(__name__)

Read = Callable[[], Awaitable[Figures]]
PATH = "/metrics"
PORT_DEFAULT = 9464
"""The one that Prometheus keeps for exporters of OpenTelemetry."""
HEAD_BYTES_MAX = 8 * 1024
CALLERS_MAX = 8
"""Who is read from at the same time; more are turned away."""
SECONDS_MAX = 10.0
"""How long a caller may take to ask, and to be answered."""
PREFIX = "deskhand_worker_"
_LINKS = ("none", *LinkState)


def parse_address(text: str) -> tuple[str, int]:
    """Read "HOST:PORT", "[::1]:9464", or a port alone, which means this machine.

    Raises:
        BadInput: `metrics_address_invalid`.
    """
    host, _, port = text.strip().rpartition(":")
    host = host.removeprefix("[").removesuffix("]") or "127.0.0.1"
    if not (port.isascii() and port.isdigit() and int(port) < 2**16):
        raise BadInput(
            "metrics_address_invalid",
            f"'{text[:100]}' is no address for figures.",
            f"Write HOST:PORT, for example 127.0.0.1:{PORT_DEFAULT}.",
        )
    return host, int(port)


@contextlib.asynccontextmanager
async def serving(address: str, read: Read) -> AsyncIterator[int]:
    """Serve figures inside the block; yields the port, which is chosen when 0 was asked for.

    Raises:
        BadInput: `metrics_address_invalid`.
        Unavailable: `metrics_missing`, the library is not there; `metrics_port_taken`.
    """
    host, port = parse_address(address)
    page = Page(read)
    try:
        server = await asyncio.start_server(page.answer, host, port, limit=HEAD_BYTES_MAX)
    except OSError as error:
        raise Unavailable(
            "metrics_port_taken",
            f"Figures cannot be served at {host} port {port}: {error.strerror or error}.",
            "Choose another port, or stop the program that has it.",
        ) from error
    if not is_loopback(host):
        log.warning(
            "figures can be read by whoever reaches this address", host=host, hint="127.0.0.1"
        )
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


class Page:
    """Answers one request a connection."""

    def __init__(self, read: Read) -> None:
        """Make it.

        Raises:
            Unavailable: `metrics_missing`.
        """
        self._exposition = library()
        self._read = read
        self._callers = 0

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Read a request and answer it; a caller that dawdles or lies is let go."""
        self._callers += 1
        try:
            async with asyncio.timeout(SECONDS_MAX):
                status, kind, body = await self._asked(reader)
                head = (
                    f"HTTP/1.1 {status.value} {status.phrase}\r\nContent-Type: {kind}\r\n"
                    f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
                )
                writer.write(head.encode() + body)
                await writer.drain()
        except (TimeoutError, OSError, EOFError, asyncio.LimitOverrunError):
            pass  # its caller asks again
        finally:
            self._callers -= 1
            writer.close()

    async def _asked(self, reader: asyncio.StreamReader) -> tuple[HTTPStatus, str, bytes]:
        head = await reader.readuntil(b"\r\n\r\n")
        method, _, rest = head.split(b"\r\n", 1)[0].partition(b" ")
        path = rest.partition(b" ")[0].partition(b"?")[0]
        if self._callers > CALLERS_MAX:
            return HTTPStatus.SERVICE_UNAVAILABLE, "text/plain", b"Too many readers.\n"
        if path != PATH.encode():
            return HTTPStatus.NOT_FOUND, "text/plain", b"Figures are at /metrics.\n"
        if method != b"GET":
            return HTTPStatus.METHOD_NOT_ALLOWED, "text/plain", b"GET alone.\n"
        try:
            figures = await self._read()
        except AppError as error:
            log.warning("figures not read", code=error.code)
            return HTTPStatus.SERVICE_UNAVAILABLE, "text/plain", b"The store cannot be read.\n"
        kind: str = self._exposition.CONTENT_TYPE_LATEST
        return HTTPStatus.OK, kind, written(figures)


def library() -> Any:
    """Import prometheus-client.

    Raises:
        Unavailable: `metrics_missing`.
    """
    try:
        return importlib.import_module("prometheus_client")
    except ImportError as error:
        raise Unavailable(
            "metrics_missing",
            "Figures need the library prometheus-client, which is not installed.",
            "Add it: pip install 'deskhand[metrics]'",
        ) from error


def written(figures: Figures) -> bytes:
    """Write figures in Prometheus' text format."""
    from prometheus_client import CollectorRegistry, generate_latest

    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Collector(figures))
    return generate_latest(registry)


class _Collector:
    def __init__(self, figures: Figures) -> None:
        self._figures = figures

    def describe(self) -> Iterable[Metric]:
        return ()

    def collect(self) -> Iterable[Metric]:
        from prometheus_client.core import (
            CounterMetricFamily,
            GaugeMetricFamily,
            HistogramMetricFamily,
        )

        now = self._figures
        link = GaugeMetricFamily(
            PREFIX + "link", "1 for the state that the line to the hub is in.", labels=["state"]
        )
        for state in _LINKS:
            link.add_metric([state], float(state == now.link))
        yield link
        jobs = GaugeMetricFamily(PREFIX + "jobs", "Jobs in hand, by state.", labels=["state"])
        for state, count in (
            ("running", now.running),
            ("waiting", now.waiting),
            ("asking", now.asking),
        ):
            jobs.add_metric([state], count)
        yield jobs
        ends = CounterMetricFamily(
            PREFIX + "attempts", "Attempts that are over, by how they ended.", labels=["end"]
        )
        for end in Ending:
            ends.add_metric([end], now.tally.ends[end])
        yield ends
        for name, told, count in (
            ("reconnects", "How often the line came up again.", now.reconnects),
            ("child_starts", "Processes started for jobs.", now.tally.children),
        ):
            yield CounterMetricFamily(PREFIX + name, told, value=count)
        for name, told, value in (
            ("memory_bytes", "Resident memory of the worker itself.", now.memory_bytes),
            ("outbox_events", "Events that the hub has not confirmed.", now.outbox_events),
            ("outbox_oldest_seconds", "Age of the oldest of them.", now.outbox_oldest_seconds),
            ("sync_behind_events", "Events of the hub still to be fetched.", now.behind_events),
        ):
            if value is not None:
                yield GaugeMetricFamily(PREFIX + name, told, value=value)
        for name, value in sorted(now.more.items()):
            yield GaugeMetricFamily(name, "Told by the program that serves this.", value=value)
        if now.commits is not None:
            yield HistogramMetricFamily(
                PREFIX + "commit_seconds",
                "How long commits of the store took.",
                buckets=_buckets(now.commits.bounds, now.commits.counts),
                sum_value=now.commits.sum,
            )


def _buckets(bounds: Iterable[float], counts: Iterable[int]) -> list[tuple[str, float]]:
    """Add the buckets up, as Prometheus wants them."""
    names = [*(f"{bound:g}" for bound in bounds), "+Inf"]
    total = 0
    told: list[tuple[str, float]] = []
    for name, count in zip(names, counts, strict=True):
        total += count
        told.append((name, float(total)))
    return told
