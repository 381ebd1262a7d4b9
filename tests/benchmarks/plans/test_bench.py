"""Planning is measured on real plans, and judged by its median."""

from __future__ import annotations

from tests.benchmarks.plans.bench import SIZES, proposed
from tests.benchmarks.report import Part


async def test_each_size_of_plan_is_planned_in_each_round() -> None:
    part = Part("plans", "Plans")
    await proposed(part, runs=2)
    by_name = {one.name: one for one in part.figures}
    for count in SIZES:
        planned, whole = by_name[f"planning, {count} steps"], by_name[f"whole plan, {count} steps"]
        assert len(planned.samples["Deskhand"].values) == 2
        assert 0 < planned.median() < whole.median()
        assert planned.is_met is (planned.median() <= 20)
