"""A plot in a window: the chat's picture, painted as large as there is room."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from desktop.charts.painter import height_of, paint
from desktop.charts.shapes import AnyPlot, Bars, Curves, Estimates, Grid, Histogram, Matrix
from desktop.charts.sheet import WIDTH
from desktop.gui.language import tr, trn
from desktop.gui.style import Style

WIDTH_MAX = 760
NAMES_SPOKEN_MAX = 8


class ChartView(QWidget):
    """One plot; as high as its width asks for."""

    def __init__(self, style: Style, plot: AnyPlot, subtitle: str) -> None:
        super().__init__()
        self._style = style
        self._plot = plot
        self._subtitle = subtitle
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        self.setMaximumWidth(WIDTH_MAX)
        self.setAccessibleName(spoken(plot))
        style.changed.connect(self.update)

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, width: int) -> int:
        return round(min(width, WIDTH_MAX) * height_of(self._plot) / WIDTH)

    def sizeHint(self) -> QSize:
        return QSize(520, self.heightForWidth(520))

    def minimumSizeHint(self) -> QSize:
        return QSize(280, self.heightForWidth(280))

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self._style.color("surface"))
        painter.drawRoundedRect(self.rect(), 8, 8)
        scale = min(self.width() / WIDTH, self.height() / height_of(self._plot))
        painter.scale(scale, scale)
        paint(painter, self._plot, self._subtitle, self._style.tokens)
        painter.end()


def spoken(plot: AnyPlot) -> str:
    """Say what a plot shows, for whoever does not see it."""
    match plot:
        case Bars():
            best = ", ".join(
                f"{label} {value:.3g}"
                for label, value in zip(plot.labels[:3], plot.values[:3], strict=False)
            )
            return tr("Bars: {title}. {best}").format(title=plot.title, best=best)
        case Grid():
            right = sum(row[n] for n, row in enumerate(plot.counts) if n < len(row))
            rows = sum(map(sum, plot.counts))
            return tr("Table: {title}. {right} of {rows} are right.").format(
                title=plot.title, right=right, rows=rows
            )
        case Curves():
            names = ", ".join(series.name for series in plot.series)
            return tr("Curves: {title}. {names}").format(title=plot.title, names=names)
        case Histogram():
            counted = trn("{count} group", "{count} groups", len(plot.series))
            return f"{plot.title}. {counted}"
        case Estimates():
            names = ", ".join(plot.labels[:NAMES_SPOKEN_MAX])
            return tr("Figures with intervals: {title}. {names}").format(
                title=plot.title, names=names
            )
        case Matrix():
            names = ", ".join(plot.labels[:NAMES_SPOKEN_MAX])
            return tr("Table: {title}. {names}").format(title=plot.title, names=names)
