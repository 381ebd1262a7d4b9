"""What a plot is made of. A model's plots.json maps names to four shapes, a run's to two more."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

BARS_SHOWN_MAX = 10
"""Of a plot of bars; the rest is left out of the picture."""
LABELS_SHOWN_MAX = 16
"""Of a plot of estimates, as many series as there are marks, and things of a matrix."""
SERIES_SHOWN_MAX = 8
MATRIX_SHOWN_MAX = 12


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
    tone: int = Field(default=0, ge=0, lt=SERIES_SHOWN_MAX)
    """Which of the colours of series (`marks.colors_of`) it has."""


class Curves(_Shape):
    form: Literal["curves"] = "curves"
    title: str
    x_label: str
    y_label: str
    series: tuple[Series, ...]
    unit_square: bool = False
    """Both axes run from 0 to 1."""
    x_log: bool = False
    x_words: tuple[str, ...] = ()
    """What stands below x = 0, 1, 2 …; empty where x are numbers."""


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


class Estimated(_Shape):
    """One figure for each label of a plot; None where there is none."""

    name: str
    values: tuple[float | None, ...]
    lows: tuple[float | None, ...]
    """Ends of the intervals, on both sides as far as they are."""
    highs: tuple[float | None, ...]


class Estimates(_Shape):
    """Figures with their intervals, side by side for several series."""

    form: Literal["estimates"] = "estimates"
    title: str
    value_label: str
    labels: tuple[str, ...]
    series: tuple[Estimated, ...]
    is_share: bool = True
    """Figures are 0..1 and told in percent."""
    reference: float | None = None
    """A line to compare with: what chance would give."""
    note: str = ""
    """A line below, for whoever asks what is shown."""


class Matrix(_Shape):
    """A number for each two of some things, -1..1."""

    form: Literal["matrix"] = "matrix"
    title: str
    labels: tuple[str, ...]
    cells: tuple[tuple[float | None, ...], ...]
    """[row][column], None where there is none."""
    note: str = ""
    """A line below, for whoever asks what is shown."""


Plot = Annotated[Curves | Grid | Bars | Histogram, Field(discriminator="form")]
PLOTS: TypeAdapter[dict[str, Plot]] = TypeAdapter(dict[str, Plot])
RunPlot = Annotated[Estimates | Matrix, Field(discriminator="form")]


class RunPicture(_Shape):
    """A plot of a run, and of what it is."""

    subtitle: str
    plot: RunPlot


RUN_PICTURES: TypeAdapter[dict[str, RunPicture]] = TypeAdapter(dict[str, RunPicture])
AnyPlot = Plot | RunPlot
