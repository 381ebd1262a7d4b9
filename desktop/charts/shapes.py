"""What a plot is made of: four shapes. A model's plots.json maps names to them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

BARS_SHOWN_MAX = 10
"""Of a plot of bars; the rest is left out of the picture."""


class _Shape(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Series(_Shape):
    """One line, cloud of dots, or band of a plot."""

    name: str
    style: Literal["line", "reference", "dots", "band"]
    """A reference line is what guessing, or a perfect model, would give."""
    x: tuple[float, ...]
    y: tuple[float, ...]
    upper: tuple[float, ...] = ()
    """Of a band, whose lower edge is `y`; empty otherwise."""
    errors: tuple[float, ...] = ()
    """Half lengths of error bars of each point; empty for none."""


class Curves(_Shape):
    form: Literal["curves"] = "curves"
    title: str
    x_label: str
    y_label: str
    series: tuple[Series, ...]
    unit_square: bool = False
    """Both axes run from 0 to 1."""
    x_log: bool = False


class Grid(_Shape):
    """Counts by two labels: the confusion matrix."""

    form: Literal["grid"] = "grid"
    title: str
    x_label: str
    y_label: str
    labels: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]
    """[true class][predicted class]."""


class Bars(_Shape):
    form: Literal["bars"] = "bars"
    title: str
    value_label: str
    labels: tuple[str, ...]
    values: tuple[float, ...]
    errors: tuple[float, ...] = ()
    """Half lengths of error bars; empty for none."""
    reference: float | None = None
    """A line to compare with: the baseline's score, or the mean."""


class Histogram(_Shape):
    form: Literal["histogram"] = "histogram"
    title: str
    x_label: str
    edges: tuple[float, ...]
    """[bins + 1]."""
    series: dict[str, tuple[int, ...]]
    """Name -> counts [bins]."""
    mark: float | None = None
    """A vertical line, such as the threshold."""


Plot = Annotated[Curves | Grid | Bars | Histogram, Field(discriminator="form")]
PLOTS: TypeAdapter[dict[str, Plot]] = TypeAdapter(dict[str, Plot])
