"""Two models side by side: scores, what they were made of, what matters to each."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QGridLayout,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from desktop.charts.shapes import Bars
from desktop.desk.models import Detail
from desktop.gui.chart_view import ChartView
from desktop.gui.language import tr
from desktop.gui.parts import label
from desktop.gui.style import GRID, Style
from desktop.gui.windows.models import saying
from desktop.gui.windows.models.detail import heading, metrics_grid
from shared.plain_text import plain_line

PLOTS = ("importance", "roc", "confusion", "predicted_true", "calibration")
"""Those worth seeing side by side, as far as both have them."""


class Comparison(QDialog):
    def __init__(
        self, style: Style, first: Detail, second: Detail, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        names = [plain_line(one.manifest.name) for one in (first, second)]
        self.setWindowTitle(tr("{first} beside {second}").format(first=names[0], second=names[1]))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        page = QWidget()
        column = QVBoxLayout(page)
        column.setSpacing(2 * GRID)
        column.addWidget(label(verdict(first, second)))
        column.addLayout(self._sides(style, first, second))
        area = QScrollArea()
        area.setWidgetResizable(True)
        area.setFrameShape(QScrollArea.Shape.NoFrame)
        area.setAccessibleName(tr("Comparison"))
        area.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        area.setWidget(page)
        closing = QDialogButtonBox()
        close = closing.addButton(tr("Close"), QDialogButtonBox.ButtonRole.RejectRole)
        close.setAccessibleName(tr("Close"))
        closing.rejected.connect(self.reject)
        outer = QVBoxLayout(self)
        outer.addWidget(area, 1)
        outer.addWidget(closing)
        self.resize(1080, 760)

    def _sides(self, style: Style, first: Detail, second: Detail) -> QGridLayout:
        grid = QGridLayout()
        grid.setHorizontalSpacing(3 * GRID)
        grid.setVerticalSpacing(2 * GRID)
        for place, one in enumerate((first, second)):
            manifest = one.manifest
            grid.setColumnStretch(place, 1)
            grid.addWidget(label(plain_line(manifest.name), "title"), 0, place)
            grid.addWidget(label(plain_line(saying.origin(manifest)), "muted"), 1, place)
            holder = QWidget()
            holder.setLayout(metrics_grid(manifest))
            grid.addWidget(heading(tr("How good it is")), 2, place)
            grid.addWidget(holder, 3, place)
            for row, name in enumerate(PLOTS, start=4):
                plot = one.plots.get(name)
                if plot is not None and name in first.plots.keys() & second.plots.keys():
                    if isinstance(plot, Bars):
                        plot = aligned(plot, first, second)
                    view = ChartView(style, plot, plain_line(manifest.name))
                    grid.addWidget(view, row, place, Qt.AlignmentFlag.AlignTop)
        return grid


def aligned(plot: Bars, first: Detail, second: Detail) -> Bars:
    """Put the bars of both models into one order, so that eyes can go straight across."""
    order = [*(column.name for column in first.columns), *(c.name for c in second.columns)]
    rank = {name: place for place, name in enumerate(dict.fromkeys(order))}
    places = sorted(
        range(len(plot.labels)), key=lambda place: rank.get(plot.labels[place], len(rank))
    )
    return plot.model_copy(
        update={
            "labels": tuple(plot.labels[p] for p in places),
            "values": tuple(plot.values[p] for p in places),
            "errors": tuple(plot.errors[p] for p in places) if plot.errors else (),
        }
    )


def verdict(first: Detail, second: Detail) -> str:
    """Say which of two models is better, as far as that can be said."""
    one, two = first.manifest, second.manifest
    if one.target != two.target:
        return tr("They predict different columns: {first} and {second}.").format(
            first=plain_line(one.target), second=plain_line(two.target)
        )
    mine = one.metrics[0]
    other = next((m for m in two.metrics if m.name == mine.name), None)
    if other is None:
        return tr("They were measured in different ways.")
    gain = (mine.mean - other.mean) * (1 if mine.higher_is_better else -1)
    noise = max(mine.spread, other.spread)
    if abs(gain) <= noise:
        return tr(
            "{metric}: the difference of {gain} is within what chance does (± {noise})."
        ).format(metric=mine.name, gain=saying.number(abs(gain)), noise=saying.number(noise))
    better = one.name if gain > 0 else two.name
    return tr("{metric}: {name} is better by {gain}, more than chance does (± {noise}).").format(
        metric=mine.name, name=plain_line(better), gain=saying.number(abs(gain)),
        noise=saying.number(noise),
    )  # fmt: skip
