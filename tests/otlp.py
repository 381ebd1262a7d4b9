"""A collector: takes spans over OTLP/HTTP and reads them with OpenTelemetry's own protocol."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


@dataclass(frozen=True, slots=True)
class Taken:
    """One span, as it arrived."""

    service: str
    name: str
    trace_id: str
    span_id: str
    parent: str
    start: int
    end: int
    facts: dict[str, object]
    is_failed: bool


class Collector(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, status: int = 200) -> None:
        super().__init__(("127.0.0.1", 0), _Taking)
        self.status = status
        self.taken: list[Taken] = []
        self.asked = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def handle_error(self, request: object, client_address: object) -> None:
        """Whoever exported has gone meanwhile."""


class _Taking(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        collector = self.server
        assert isinstance(collector, Collector)
        assert self.path == "/v1/traces"
        assert self.headers["content-type"] == "application/x-protobuf"
        request = ExportTraceServiceRequest()
        request.ParseFromString(self.rfile.read(int(self.headers["content-length"])))
        if collector.status == 200:
            collector.taken += _read(request)
        self.send_response(collector.status)
        self.send_header("content-length", "0")
        self.end_headers()
        collector.asked.set()

    def log_message(self, *_: object) -> None:
        return


def _read(request: ExportTraceServiceRequest) -> Iterator[Taken]:
    for of_resource in request.resource_spans:
        about = {a.key: a.value.string_value for a in of_resource.resource.attributes}
        for of_scope in of_resource.scope_spans:
            for span in of_scope.spans:
                facts = {
                    a.key: getattr(a.value, str(a.value.WhichOneof("value")))
                    for a in span.attributes
                }
                yield Taken(
                    about["service.name"],
                    span.name,
                    span.trace_id.hex(),
                    span.span_id.hex(),
                    span.parent_span_id.hex(),
                    span.start_time_unix_nano,
                    span.end_time_unix_nano,
                    facts,
                    span.status.code == span.status.STATUS_CODE_ERROR,
                )


@contextmanager
def collecting(status: int = 200) -> Iterator[Collector]:
    """Run a collector inside the block; `status` is what it answers to everything."""
    with Collector(status) as collector:
        thread = threading.Thread(target=collector.serve_forever, daemon=True)
        thread.start()
        try:
            yield collector
        finally:
            collector.shutdown()
            thread.join()
