"""The statistics of a run: the figures as text, and its plots."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QFontDatabase
from PySide6.QtWidgets import QFrame, QScrollArea, QVBoxLayout, QWidget

from desktop.desk.runs import Detail
from desktop.gui.chart_view import ChartView
from desktop.gui.language import tr
from desktop.gui.parts import label
from desktop.gui.style import GRID, Style
from desktop.gui.windows.runs.transcript_view import selectable
from shared.plain_text import plain

PLOTS_MAX = 12


class StatisticsView(QScrollArea):
    def __init__(self, style: Style) -> None:
        super().__init__()
        self._style = style
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName(tr("Statistics"))
        self._shown: tuple[object, ...] = ()

    def show_figures(self, detail: Detail) -> None:
        """Show what there is; nothing moves when it is as it was."""
        is_over = detail.run.done >= detail.run.total
        now = (detail.run.run_id, detail.table, detail.plots, is_over)
        if now == self._shown:
            return
        self._shown = now
        page = QWidget()
        column = QVBoxLayout(page)
        column.setContentsMargins(0, GRID, 2 * GRID, 2 * GRID)
        column.setSpacing(2 * GRID)
        column.addWidget(_table(detail.table) if detail.table else _none_yet(is_over=is_over))
        for one in detail.plots[:PLOTS_MAX]:
            column.addWidget(ChartView(self._style, one.plot, one.subtitle))
        column.addStretch()
        self.setWidget(page)


def _table(text: str) -> QWidget:
    told = selectable(plain(text))
    told.setWordWrap(False)
    told.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
    return told


def _none_yet(*, is_over: bool) -> QWidget:
    if is_over:
        return label(tr("There are none yet."), "muted")
    return label(tr("They come by themselves when the run is over."), "muted")
