"""`out`: how the code of an analysis hands its results over."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from desktop.core.analysis.results import (
    BARS_MAX,
    CELL_CHARS_MAX,
    CHARTS_MAX,
    COLUMNS_MAX,
    NAME_CHARS_MAX,
    NUMBERS_MAX,
    POINTS_MAX,
    RESULT_BYTES_MAX,
    ROWS_MAX,
    SERIES_MAX,
    TABLES_MAX,
)

YEARS = range(1500, 2200)


class Out:
    """Collects, and writes one JSON document."""

    def __init__(self) -> None:
        self._tables: list[dict[str, Any]] = []
        self._numbers: list[dict[str, Any]] = []
        self._charts: list[dict[str, Any]] = []

    def number(self, name: str, value: float, unit: str = "") -> None:
        """Hand over one number."""
        number = _plain(value)
        if not isinstance(number, int | float) or isinstance(number, bool):
            raise TypeError(f"out.number: {name!r} is no finite number: {value!r}")
        _room(self._numbers, NUMBERS_MAX, "numbers")
        self._numbers.append({"name": _name(name), "value": number, "unit": str(unit)[:20]})

    def table(self, name: str, frame: pd.DataFrame | pd.Series) -> None:
        """Hand over a small table, at most 200 rows of it."""
        if isinstance(frame, pd.Series):
            frame = frame.reset_index()
        if not isinstance(frame, pd.DataFrame):
            raise TypeError(f"out.table: {name!r} is no DataFrame")
        if not isinstance(frame.index, pd.RangeIndex):
            frame = frame.reset_index()
        _room(self._tables, TABLES_MAX, "tables")
        shown = frame.iloc[:ROWS_MAX, :COLUMNS_MAX]
        rows = [[_cell(cell) for cell in row] for row in shown.itertuples(index=False, name=None)]
        columns = [_name(_flat(column)) for column in shown.columns]
        self._tables.append(
            {"name": _name(name), "columns": columns, "rows": rows, "rows_total": len(frame)}
        )

    def bar(
        self, title: str, labels: Iterable[Any], values: Iterable[Any], y_label: str = ""
    ) -> None:
        """Hand over a chart of bars, the first ten."""
        pairs = [
            (_name(_cell(word)), _number(value))
            for word, value in zip(labels, values, strict=False)
        ]
        told = [(word, value) for word, value in pairs if value is not None][:BARS_MAX]
        self._chart(
            "bar", title, "", y_label, words=[w for w, _ in told], values=[v for _, v in told]
        )

    def line(
        self,
        title: str,
        x: Iterable[Any],
        ys: Mapping[str, Iterable[Any]] | Iterable[Any],
        x_label: str = "",
        y_label: str = "",
    ) -> None:
        """Hand over a chart of lines; x may be numbers, days or words."""
        series = ys if isinstance(ys, Mapping) else {y_label or "y": ys}
        across = list(x)[:POINTS_MAX]
        places, words = _across(across)
        lines = [
            _line(name, places, list(values)) for name, values in list(series.items())[:SERIES_MAX]
        ]
        self._chart("line", title, x_label, y_label, words=words, lines=lines)

    def scatter(
        self, title: str, x: Iterable[Any], y: Iterable[Any], x_label: str = "", y_label: str = ""
    ) -> None:
        """Hand over a chart of dots; of more than 2,000 an even part."""
        across, up = list(x), list(y)
        step = max(1, math.ceil(min(len(across), len(up)) / POINTS_MAX))
        line = _line("", [_number(one) for one in across[::step]], up[::step])
        self._chart("scatter", title, x_label, y_label, lines=[line])

    def hist(self, title: str, values: Iterable[Any], x_label: str = "", bins: int = 20) -> None:
        """Hand over a histogram."""
        numbers = pd.to_numeric(pd.Series(list(values)), errors="coerce")
        finite = numbers[np.isfinite(numbers)].to_numpy(dtype=float)
        counts, edges = np.histogram(finite, bins=max(1, min(int(bins), 100)))
        self._chart(
            "hist", title, x_label, "", values=[int(n) for n in counts],
            edges=[float(edge) for edge in edges],
        )  # fmt: skip

    def write(self, path: Path) -> None:
        """Write what was handed over."""
        told = {"tables": self._tables, "numbers": self._numbers, "charts": self._charts}
        text = json.dumps(told, allow_nan=False)
        if len(text) > RESULT_BYTES_MAX:
            raise ValueError(f"out: more than {RESULT_BYTES_MAX:,} bytes were handed over")
        path.write_text(text, encoding="utf-8")

    def _chart(self, form: str, title: str, x_label: str, y_label: str, **facts: Any) -> None:
        _room(self._charts, CHARTS_MAX, "charts")
        labels = {"x_label": _name(x_label), "y_label": _name(y_label)}
        self._charts.append({"form": form, "title": _name(title), **labels, **facts})


def _line(name: Any, places: list[Any], values: list[Any]) -> dict[str, Any]:
    """Pair what has two numbers."""
    pairs = [
        (place, number)
        for place, number in zip(places, map(_number, values), strict=False)
        if place is not None and number is not None
    ][:POINTS_MAX]
    return {"name": _name(name), "x": [x for x, _ in pairs], "y": [y for _, y in pairs]}


def _across(values: list[Any]) -> tuple[list[Any], list[str]]:
    """Return where values lie, and their words where they are no plain numbers; years are none."""
    numbers = [_number(value) for value in values]
    are_years = all(number in YEARS for number in numbers)
    if None not in numbers and not are_years:
        return numbers, []
    words = [_name(_cell(value)) for value in values]
    if all(len(word) == 10 and word.endswith("-01") and word[4] == "-" for word in words):
        words = [word[:7] for word in words]  # months
    return list(range(len(values))), words


def _number(value: Any) -> float | int | None:
    plain = _plain(value)
    return plain if isinstance(plain, int | float) and not isinstance(plain, bool) else None


def _plain(value: Any) -> Any:
    """Make numpy's and pandas' values Python's own; what is missing or endless is None."""
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or value is pd.NaT or value is pd.NA:
        return None
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, int):
        return value if abs(value) < 2**63 else float(value)
    return value


def _cell(value: Any) -> Any:
    plain = _plain(value)
    if plain is None or isinstance(plain, bool | int | float):
        return plain
    if isinstance(plain, pd.Timestamp) and plain == plain.normalize():
        plain = plain.date()
    text = str(plain).encode("utf-8", "replace").decode()
    return text[:CELL_CHARS_MAX]


def _name(value: Any) -> str:
    return " ".join(str(value).encode("utf-8", "replace").decode().split())[:NAME_CHARS_MAX]


def _flat(column: Any) -> str:
    return " ".join(map(str, column)) if isinstance(column, tuple) else str(column)


def _room(taken: list[dict[str, Any]], most: int, what: str) -> None:
    if len(taken) >= most:
        raise ValueError(f"out: at most {most} {what} are handed over")
