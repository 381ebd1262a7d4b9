"""Writes readings as Prometheus' text (prometheus.io/docs/instrumenting/exposition_formats)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, ProcessCollector
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.exposition import generate_latest
from prometheus_client.registry import Collector

from hub.frontends.metrics.catalogue import FIGURES, Sort
from hub.frontends.metrics.readings import Reading
from shared.histogram import Histogram

CONTENT_TYPE = CONTENT_TYPE_LATEST


class Exposition:
    """Has a registry of its own: what a library counts for itself is not the hub's to tell."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._registry.register(_Latest(self))
        ProcessCollector(registry=self._registry)
        self.readings: dict[str, Reading] = {}

    def write(self, readings: Iterable[Reading]) -> bytes:
        """Write these readings and the process's own figures."""
        self.readings = {reading[0]: reading for reading in readings}
        return generate_latest(self._registry)


class _Latest(Collector):
    def __init__(self, exposition: Exposition) -> None:
        self._exposition = exposition

    def collect(self) -> Iterator[Metric]:
        for name in FIGURES:
            if (reading := self._exposition.readings.get(name)) is not None:
                yield _family(reading)


def _family(reading: Reading) -> Metric:
    name, samples = reading
    figure = FIGURES[name]
    if isinstance(samples, Histogram):
        assert figure.sort is Sort.HISTOGRAM
        told = HistogramMetricFamily(figure.name, figure.help)
        told.add_metric([], _buckets(samples), samples.sum)
        return told
    family: GaugeMetricFamily | CounterMetricFamily
    if figure.sort is Sort.COUNTER:
        family = CounterMetricFamily(figure.name, figure.help, labels=figure.labels)
    else:
        family = GaugeMetricFamily(figure.name, figure.help, labels=figure.labels)
    for labels, value in samples:
        family.add_metric(labels, value)
    return family


def _buckets(histogram: Histogram) -> list[tuple[str, float]]:
    """Count each bucket with all below it, as Prometheus has them."""
    total, buckets = 0, []
    ends = (*map(str, histogram.bounds), "+Inf")
    for end, count in zip(ends, tuple(histogram.counts), strict=True):
        total += count
        buckets.append((end, float(total)))
    return buckets
