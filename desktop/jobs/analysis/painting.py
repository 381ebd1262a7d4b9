"""Charts of an analysis as pictures, painted in a process of its own: Qt has no place in ours."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from desktop.charts.shapes import Bars, Curves, Histogram, Plot, Series
from desktop.core.analysis.results import Chart
from desktop.system.program import boxed_command

WORD = "paint"
"""Of `desktop.jobs.inside`."""
SECONDS_MAX = 60.0


def plot_of(chart: Chart) -> Plot:
    """Make the project's own plot of a chart."""
    title = chart.title or "Chart"
    match chart.form:
        case "bar":
            return Bars(
                title=title,
                value_label=chart.y_label,
                labels=chart.words,
                values=tuple(map(float, chart.values)),
            )
        case "hist":
            return Histogram(
                title=title,
                x_label=chart.x_label,
                edges=tuple(map(float, chart.edges)),
                series={"rows": tuple(int(count) for count in chart.values)},
            )
        case "line" | "scatter":
            style = "line" if chart.form == "line" else "dots"
            series = tuple(
                Series.model_validate(
                    {"name": line.name, "style": style, "x": line.x, "y": line.y, "tone": tone}
                )
                for tone, line in enumerate(chart.lines)
                if line.x
            )
            return Curves(
                title=title,
                x_label=chart.x_label,
                y_label=chart.y_label,
                series=series,
                x_words=chart.words,
            )


async def painted(charts: Sequence[Chart], folder: Path, subtitle: str) -> list[Path]:
    """Paint charts into a folder; what cannot be painted is left out.

    Returns:
        The pictures: chart-1.png and so on.
    """
    order = folder / "charts.json"
    plots = [plot_of(chart).model_dump(mode="json") for chart in charts]
    order.write_text(json.dumps({"subtitle": subtitle, "plots": plots}), encoding="utf-8")
    process = await asyncio.create_subprocess_exec(
        *_command(),
        str(order),
        str(folder),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(SECONDS_MAX):
                await process.wait()
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
    names = [folder / f"chart-{number}.png" for number in range(1, len(charts) + 1)]
    return [path for path in names if path.is_file()]


def _command() -> Sequence[str]:
    boxed = boxed_command(WORD)
    return boxed or [sys.executable, "-P", "-m", "desktop.jobs.analysis.painting_child"]
