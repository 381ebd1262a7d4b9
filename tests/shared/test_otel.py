"""Spans leave as OpenTelemetry's collectors read them, and what becomes of them disturbs nobody."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from hub.demo.programs import free_port
from shared import spans, trace
from shared.errors import Unavailable
from shared.otel import ENDPOINTS, exported
from shared.spans import Span
from tests.otlp import collecting

PLACE = trace.Trace("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7")
BOUND_SECONDS = 30.0
START = datetime(2026, 1, 2, 3, 4, 5, 678900, tzinfo=UTC)


def a_span(name: str = "attempt", **more: object) -> Span:
    told: dict[str, object] = {
        "name": name, "place": PLACE, "parent": "1122334455667788", "start": START,
        "end": START + timedelta(seconds=2), "facts": {"deskhand.attempt": 1},
    }  # fmt: skip
    return Span(**{**told, **more})  # type: ignore[arg-type]


@pytest.fixture(autouse=True)
def _nowhere(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ENDPOINTS:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "1")
    yield
    # A program ends with threads that still try; here they would draw chance beside other tests.
    for thread in threading.enumerate():
        if thread.name.startswith(("spans", "OtelBatch")):
            thread.join(BOUND_SECONDS)
            assert not thread.is_alive()


def test_a_span_arrives_with_its_true_times_ids_and_facts(monkeypatch: pytest.MonkeyPatch) -> None:
    with collecting() as collector:
        monkeypatch.setenv(ENDPOINTS[1], collector.url)
        with exported("deskhand-hub", "1.2"):
            assert spans.is_wanted()
            spans.tell(a_span())
            spans.tell(a_span("run", failed="timed_out"))
            spans.tell(a_span("backwards", end=START - timedelta(seconds=1), parent=""))
    assert not spans.is_wanted()
    first, second, third = collector.taken
    assert (first.service, first.name) == ("deskhand-hub", "attempt")
    assert (first.trace_id, first.span_id, first.parent) == (
        PLACE.trace_id, PLACE.span_id, "1122334455667788",
    )  # fmt: skip
    assert first.start == 1767323045678900000
    assert first.end - first.start == 2_000_000_000
    assert first.facts == {"deskhand.attempt": 1}
    assert not first.is_failed
    assert second.is_failed
    assert second.facts["error.type"] == "timed_out"
    assert third.start == third.end
    assert third.parent == ""


def test_without_an_endpoint_nobody_collects() -> None:
    with exported("deskhand-hub", "1"):
        assert not spans.is_wanted()


def test_it_can_be_switched_off_as_every_sdk_can(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ENDPOINTS[1], "http://127.0.0.1:9")
    monkeypatch.setenv("OTEL_SDK_DISABLED", "true")
    with exported("deskhand-hub", "1"):
        assert not spans.is_wanted()


def test_without_the_libraries_the_command_that_adds_them_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(ENDPOINTS[1], "http://127.0.0.1:9")
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.trace.export", None)
    with pytest.raises(Unavailable) as caught, exported("deskhand-hub", "1"):
        pass
    assert caught.value.code == "otel_missing"
    assert "deskhand[otel]" in caught.value.hint


@pytest.mark.parametrize("status", [400, 500, 503])
def test_a_collector_that_refuses_disturbs_nothing(
    monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    with collecting(status) as collector:
        monkeypatch.setenv(ENDPOINTS[1], collector.url)
        with exported("deskhand-hub", "1"):
            for _ in range(5000):  # more than the queue takes
                spans.tell(a_span())
        assert collector.asked.is_set()


def test_a_collector_that_is_away_disturbs_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ENDPOINTS[1], f"http://127.0.0.1:{free_port()}")
    with exported("deskhand-hub", "1"):
        spans.tell(a_span())


def test_what_is_timed_belongs_to_what_it_is_done_in() -> None:
    told: list[Span] = []

    def work() -> None:
        with spans.timed("outer", {"a": 1}):
            with spans.timed("inner", {}, sort="client"):
                pass
            raise ValueError("x")

    with spans.told_to(told.append), trace.carried(PLACE), pytest.raises(ValueError, match="x"):
        work()
    inner, outer = told
    assert (inner.parent, outer.parent) == (outer.place.span_id, PLACE.span_id)
    assert (inner.failed, outer.failed) == ("", "ValueError")
    with spans.told_to(told.append), spans.timed("of no trace", {}):
        pass
    assert len(told) == 2
