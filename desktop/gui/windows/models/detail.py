"""One model in full: how good it is, what it is made of, its plots and columns."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QScrollArea,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from desktop.desk.models import Column, Detail, Manifest
from desktop.gui.chart_view import ChartView
from desktop.gui.language import tr
from desktop.gui.parts import button, label
from desktop.gui.style import CONTENT_WIDTH_MAX, GRID, ROW, Style
from desktop.gui.times import duration
from desktop.gui.windows.models import saying
from shared.plain_text import plain_line

COLUMNS_SHOWN_MAX = 200
ROWS_SEEN_MAX = 8
FIRST = ("importance", "confusion", "predicted_true")
"""Plots that say most."""


class DetailPane(QScrollArea):
    """Shows one model; says what the person wants to do with it."""

    wants = Signal(str)
    """"predict", "rename", "compare", "folder", "remove"."""

    def __init__(self, style: Style) -> None:
        super().__init__()
        self._style = style
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName(tr("The model"))
        self.detail: Detail | None = None

    def show_detail(self, detail: Detail) -> None:
        """Show a model from its top."""
        self.detail = detail
        manifest = detail.manifest
        page = QWidget()
        column = QVBoxLayout(page)
        column.setContentsMargins(0, 0, 2 * GRID, 2 * GRID)
        column.setSpacing(2 * GRID)
        title = label(plain_line(manifest.name), "title")
        column.addWidget(title)
        column.addWidget(label(f"{saying.headline(manifest)} · {saying.sort(manifest)}"))
        column.addLayout(self._actions())
        for sentence in (detail.trouble, *manifest.warnings):
            if sentence:
                column.addWidget(label(f"⚠ {plain_line(sentence)}", "muted"))
        column.addWidget(heading(tr("How good it is")))
        column.addLayout(metrics_grid(manifest))
        column.addWidget(heading(tr("Plots")))
        for name in sorted(detail.plots, key=lambda name: name not in FIRST):
            plot = detail.plots[name]
            column.addWidget(ChartView(self._style, plot, plain_line(manifest.name)))
        if not detail.plots:
            column.addWidget(label(tr("It was saved without plots."), "muted"))
        column.addWidget(heading(tr("Columns")))
        column.addWidget(columns_table(detail.columns))
        column.addWidget(heading(tr("Made of")))
        column.addWidget(label(plain_line(saying.origin(manifest)), "muted"))
        took = duration(manifest.seconds)
        told = tr("Trained in {time}. Its id: {id}").format(time=took, id=manifest.model_id)
        column.addWidget(label(told, "muted"))
        column.addStretch()
        page.setMaximumWidth(CONTENT_WIDTH_MAX + 8 * GRID)
        self.setWidget(page)
        self.verticalScrollBar().setValue(0)

    def _actions(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(GRID)
        for text, wish, look in (
            (tr("Predict a file…"), "predict", "primary"),
            (tr("Compare…"), "compare", ""),
            (tr("Rename…"), "rename", ""),
            (tr("Open folder"), "folder", ""),
            (tr("Delete"), "remove", "danger"),
        ):
            row.addWidget(button(text, self._wish(wish), look))
        row.addStretch()
        return row

    def _wish(self, wish: str) -> Callable[[], None]:
        return lambda: self.wants.emit(wish)


def heading(text: str) -> QWidget:
    made = label(text)
    font = made.font()
    font.setWeight(font.Weight.DemiBold)
    made.setFont(font)
    return made


def metrics_grid(*manifests: Manifest) -> QGridLayout:
    """Put the metrics of one model, or of several beside each other, into a grid."""
    grid = QGridLayout()
    grid.setHorizontalSpacing(4 * GRID)
    grid.setVerticalSpacing(GRID)
    grid.setContentsMargins(0, 0, 0, 0)
    names = list(dict.fromkeys(m.name for manifest in manifests for m in manifest.metrics))
    for row, name in enumerate(names):
        grid.addWidget(label(plain_line(name), wraps=False), row, 0)
        for place, manifest in enumerate(manifests, start=1):
            found = next((m for m in manifest.metrics if m.name == name), None)
            text = "–"
            if found is not None:
                text = f"{saying.number(found.mean)} ± {saying.number(found.spread)}"
                if found.baseline is not None:
                    guess = saying.number(found.baseline)
                    text += " · " + tr("guessing {score}").format(score=guess)
            grid.addWidget(label(text, "muted", wraps=False), row, place)
    grid.setColumnStretch(len(manifests) + 1, 1)
    return grid


def columns_table(columns: tuple[Column, ...]) -> QWidget:
    """List the columns a model looks at, the most important first."""
    if not columns:
        return label(tr("It was saved without its list of columns."), "muted")
    table = QTableWidget(min(len(columns), COLUMNS_SHOWN_MAX), 3)
    table.setHorizontalHeaderLabels([tr("Column"), tr("Kind"), tr("Score lost without it")])
    table.setAccessibleName(tr("Columns of the model"))
    table.verticalHeader().hide()
    table.setShowGrid(False)
    table.setEditTriggers(QTableWidget.EditTrigger.NoEditTriggers)
    table.setSelectionBehavior(QTableWidget.SelectionBehavior.SelectRows)
    table.verticalHeader().setDefaultSectionSize(ROW)
    for row, column in enumerate(columns[:COLUMNS_SHOWN_MAX]):
        drop = "–" if column.drop is None else f"{column.drop:.3f}"
        for place, text in enumerate((column.name, column.kind, drop)):
            table.setItem(row, place, QTableWidgetItem(plain_line(text)))
    table.horizontalHeader().setStretchLastSection(True)
    table.resizeColumnsToContents()
    table.setColumnWidth(0, min(320, table.columnWidth(0) + 3 * GRID))
    table.setFixedHeight(ROW * (min(len(columns), ROWS_SEEN_MAX) + 1) + GRID)
    return table
