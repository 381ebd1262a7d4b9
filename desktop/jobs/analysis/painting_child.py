"""The process that paints the charts of an analysis: ORDER and FOLDER are its arguments."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path

from pydantic import TypeAdapter

from desktop.charts import picture
from desktop.charts.shapes import Plot
from shared.errors import AppError

MISSING_STATUS = 3
_PLOT: TypeAdapter[Plot] = TypeAdapter(Plot)


def main(arguments: Sequence[str]) -> int:
    """Paint each chart under a name of its own."""
    order, folder = map(Path, arguments)
    told = json.loads(order.read_text(encoding="utf-8"))
    for number, plot in enumerate(told["plots"], start=1):
        part = folder / f"chart-{number}.part.png"
        try:
            picture.save(_PLOT.validate_python(plot), part, subtitle=told["subtitle"])
        except AppError:
            return MISSING_STATUS
        part.replace(folder / f"chart-{number}.png")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
