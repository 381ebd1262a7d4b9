"""Exports spans over OTLP/HTTP, OpenTelemetry's way, when the environment names a collector.

Both programs use it, and nothing else imports OpenTelemetry. The endpoint, headers and time-outs
are read by the SDK from its own variables (OTEL_EXPORTER_OTLP_…, OTEL_SERVICE_NAME). A collector
that is slow, broken or away costs spans and nothing else: they wait in a bounded queue of a thread
of their own, and what finds no room is dropped.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING

import structlog

from shared import spans
from shared.errors import Unavailable

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
    from opentelemetry.trace import SpanContext

log = structlog.get_logger(__name__)

ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
DISABLED = "OTEL_SDK_DISABLED"
QUEUE_MAX = 4096
"""Spans that wait for the collector."""
CLOSE_SECONDS = 3.0
"""How long the end of a program may wait for the last spans to leave."""


@contextmanager
def exported(service: str, version: str, names: Mapping[str, str] | None = None) -> Iterator[None]:
    """Export this program's spans inside the block, if the environment says where to.

    Args:
        service: what it is called in traces, unless OTEL_SERVICE_NAME says otherwise.
        version: of this program.
        names: more attributes of the resource: "service.instance.id", …

    Raises:
        Unavailable: `otel_missing`, the libraries are not there.
    """
    if not is_asked_for(os.environ):
        yield
        return
    exporter = _Exporting(service, version, names or {})
    try:
        with spans.told_to(exporter.tell):
            yield
    finally:
        exporter.close()


def is_asked_for(environment: Mapping[str, str]) -> bool:
    if environment.get(DISABLED, "").strip().lower() == "true":
        return False
    return any(environment.get(name, "").strip() for name in ENDPOINTS)


class _Exporting:
    def __init__(self, service: str, version: str, names: Mapping[str, str]) -> None:
        try:
            from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
            from opentelemetry.sdk.resources import SERVICE_NAME, Resource
            from opentelemetry.sdk.trace.export import BatchSpanProcessor
        except ImportError as error:
            raise Unavailable(
                "otel_missing",
                "Spans are to be exported, but OpenTelemetry's libraries are not installed.",
                "Add them: pip install 'deskhand[otel]', or unset OTEL_EXPORTER_OTLP_ENDPOINT.",
            ) from error
        # It logs every try that failed; that it fails, and works again, is told once here.
        logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)
        told = {"service.version": version, **names}
        if not os.environ.get("OTEL_SERVICE_NAME"):
            told[SERVICE_NAME] = service
        self._resource = Resource.create(told)
        self._processor = BatchSpanProcessor(
            _noted(OTLPSpanExporter()), max_queue_size=QUEUE_MAX, schedule_delay_millis=1000
        )

    def tell(self, span: spans.Span) -> None:
        self._processor.on_end(self._readable(span))

    def close(self) -> None:
        """Send what waits, for a moment at most; the collector may be gone."""
        closing = threading.Thread(target=self._processor.shutdown, daemon=True, name="spans")
        closing.start()
        closing.join(CLOSE_SECONDS)

    def _readable(self, span: spans.Span) -> ReadableSpan:
        from opentelemetry.sdk.trace import ReadableSpan
        from opentelemetry.sdk.util.instrumentation import InstrumentationScope
        from opentelemetry.trace import SpanKind, Status, StatusCode

        facts = {**span.facts, **({"error.type": span.failed} if span.failed else {})}
        return ReadableSpan(
            span.name,
            context=_context(span.place.trace_id, span.place.span_id, span.place.flags),
            parent=_context(span.place.trace_id, span.parent, span.place.flags)
            if span.parent
            else None,
            resource=self._resource,
            attributes=facts,
            kind=SpanKind[span.sort.upper()],
            status=Status(StatusCode.ERROR) if span.failed else Status(StatusCode.UNSET),
            start_time=_nanoseconds(span.start),
            end_time=max(_nanoseconds(span.start), _nanoseconds(span.end)),
            instrumentation_scope=InstrumentationScope("deskhand"),
        )


def _noted(inner: SpanExporter) -> SpanExporter:
    """Have an exporter's troubles logged when they begin and when they are over."""
    from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

    class Noting(SpanExporter):
        def __init__(self) -> None:
            self._is_well = True

        def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
            try:
                result = inner.export(spans)
            except Exception:
                result = SpanExportResult.FAILURE
            is_well = result is SpanExportResult.SUCCESS
            if is_well != self._is_well:
                self._is_well = is_well
                say = log.info if is_well else log.warning
                say("spans are exported again" if is_well else "spans cannot be exported")
            return result

        def shutdown(self) -> None:
            inner.shutdown()

        def force_flush(self, timeout_millis: int = 30_000) -> bool:
            return inner.force_flush(timeout_millis)

    return Noting()


def _context(trace_id: str, span_id: str, flags: int) -> SpanContext:
    from opentelemetry.trace import SpanContext, TraceFlags

    return SpanContext(
        int(trace_id, 16), int(span_id, 16), is_remote=False, trace_flags=TraceFlags(flags)
    )


def _nanoseconds(moment: datetime) -> int:
    return round(moment.timestamp() * 1_000_000) * 1000
