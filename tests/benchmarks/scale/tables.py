"""Writes what `tests.benchmarks.scale` found as the tables of docs/scale.md."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any


def fill(page: Path, name: str, text: str) -> None:
    """Put text between the marks of a name on a page, in place of what stands there.

    Raises:
        ValueError: the page has no such marks.
    """
    begin, end = f"<!-- {name} -->\n", f"<!-- /{name} -->"
    before, mark, rest = page.read_text().partition(begin)
    _, closed, after = rest.partition(end)
    if not mark or not closed:
        raise ValueError(f"{page} has no marks named {name}")
    page.write_text(f"{before}{begin}{text.rstrip()}\n{end}{after}")


def written(found: Mapping[str, Any]) -> str:
    head = (
        f"{found['cores']} cores, load {found['load']:.1f} at the start,"
        f" a durable 4 KiB overwrite takes {found['fsync_p50_ms']:.1f} ms."
    )
    parts = [head, _steps(found["steps"]), _fan_out(found["fan_out"]), _stores(found["stores"])]
    return "\n\n".join(part for part in parts if part) + "\n"


def _steps(steps: list[dict[str, Any]]) -> str:
    if not steps:
        return ""
    rows: list[tuple[str, Iterable[str]]] = [
        ("memory of the hub (RSS), MiB", (f"{s['rss_mib']:.0f}" for s in steps)),
        ("of it for each worker, KiB", (f"{s['kib_per_worker']:.0f}" for s in steps)),
        ("CPU at rest with beats, % of a core", (f"{s['rest_cpu_share']:.1%}" for s in steps)),
        ("CPU for a worker that connects, ms", (f"{s['connect_cpu_ms']:.2f}" for s in steps)),
        ("CPU for a job, µs", (f"{s['cpu_us_per_job']:,.0f}" for s in steps)),
        ("of it on the loop's thread, µs", (f"{s['loop_us_per_job']:,.0f}" for s in steps)),
        ("durable jobs/s (wall)", (f"{s['jobs_per_second']:,.0f}" for s in steps)),
        ("events/s (wall)", (f"{s['events_per_second']:,.0f}" for s in steps)),
        ("request to its commit, p50, ms (wall)", (f"{s['ack_p50_ms']:.0f}" for s in steps)),
        ("hub killed: listens after, s (wall)", (f"{s['back_start_seconds']:.1f}" for s in steps)),
        ("hub killed: all back after, s (wall)", (f"{s['back_seconds']:.1f}" for s in steps)),
        ("hub killed: CPU of the new one, s", (f"{s['back_cpu_seconds']:.1f}" for s in steps)),
        ("store, bytes for a job", (f"{s['bytes_per_job']:,.0f}" for s in steps)),
        ("store, bytes for an event", (f"{s['bytes_per_event']:,.0f}" for s in steps)),
        ("events for a job", (f"{s['events_per_job']:.1f}" for s in steps)),
        ("load average meanwhile", (f"{s['load']:.1f}" for s in steps)),
    ]  # fmt: skip
    return _table(["workers connected", *(f"{s['workers']:,}" for s in steps)], rows)


def _fan_out(steps: list[dict[str, Any]]) -> str:
    if not steps:
        return ""
    rows: list[tuple[str, Iterable[str]]] = [
        ("CPU for a job, µs", (f"{s['cpu_us_per_job']:,.0f}" for s in steps)),
        ("durable jobs/s (wall)", (f"{s['jobs_per_second']:,.0f}" for s in steps)),
        ("load average meanwhile", (f"{s['load']:.1f}" for s in steps)),
    ]
    return _table(["workers of one person", *(f"{s['each']}" for s in steps)], rows)


def _stores(stores: list[dict[str, Any]]) -> str:
    if not stores:
        return ""
    rows: list[tuple[str, Iterable[str]]] = [
        ("of them waiting", (f"{s['waiting']:,}" for s in stores)),
        ("store, MiB", (f"{s['store_mib']:,.0f}" for s in stores)),
        ("start to first answer, s (wall)", (f"{s['start_seconds']:.2f}" for s in stores)),
        ("start, CPU s", (f"{s['start_cpu_seconds']:.2f}" for s in stores)),
        ("memory of the hub (RSS), MiB", (f"{s['rss_mib']:.0f}" for s in stores)),
        ("queue page p50, ms (wall)", (f"{s['page_p50_ms']:.0f}" for s in stores)),
        ("queue page p95, ms (wall)", (f"{s['page_p95_ms']:.0f}" for s in stores)),
        ("queue page, CPU ms", (f"{s['page_cpu_ms']:.1f}" for s in stores)),
        ("snapshot of the largest person, MiB", (f"{s['snapshot_mib']:,.1f}" for s in stores)),
        ("snapshot, events in it", (f"{s['snapshot_events']:,}" for s in stores)),
        ("snapshot, CPU s", (f"{s['snapshot_cpu_seconds']:.1f}" for s in stores)),
        ("load average meanwhile", (f"{s['load']:.1f}" for s in stores)),
    ]  # fmt: skip
    return _table(["jobs in the store", *(f"{s['jobs']:,}" for s in stores)], rows)


def _table(head: list[str], rows: list[tuple[str, Iterable[str]]]) -> str:
    lines = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    lines += [f"| {name} | {' | '.join(values)} |" for name, values in rows]
    return "\n".join(lines)
