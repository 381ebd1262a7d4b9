"""What runs of the probe benchmark are told as: the goal at each load, and what keeps it."""

from __future__ import annotations

from tests.benchmarks.probes.__main__ import Measured, measure, server
from tests.benchmarks.probes.bench import add, judge
from tests.benchmarks.report import Part


def test_each_goal_stands_at_its_own_load() -> None:
    part = Part("probes", "Probes")
    for at_a_time in (20, 200):
        add(part, at_a_time, "plain", Measured(400, 1.0, 30e6, 300))
        add(part, at_a_time, "ours", Measured(100, 3.0, 190e6, 700))
    judge(part)
    judged = {one.name: one.is_met for one in part.figures if one.goal}
    assert judged == {
        "calls a second, 20 at a time": False,
        "CPU a call, 20 at a time": True,
        "peak memory, 200 at a time": True,
    }
    assert "the plain client reached 400 of the 400" in part.figures[0].why


def test_the_plain_client_is_measured_on_the_same_server() -> None:
    with server(latency_ms=5) as base_url:
        found = measure("plain", base_url, probes=30, concurrency=10)
    assert found.calls_a_second > 0
    assert found.cpu_ms > 0
    assert found.kept_bytes > 100
