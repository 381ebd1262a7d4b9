"""The statistics of a run: the figures as text, and its plots."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QFontDatabase, QImageReader, QPixmap
from PySide6.QtWidgets import QFrame, QLabel, QScrollArea, QVBoxLayout, QWidget

from desktop.desk.runs import Detail
from desktop.gui.language import tr
from desktop.gui.parts import label
from desktop.gui.style import GRID
from desktop.gui.windows.runs.transcript_view import selectable
from shared.plain_text import plain, plain_line

WIDTH_MAX = 760
PICTURE_PIXELS_MAX = 4000
"""Of a side; a larger picture was made by something else."""
PICTURES_MAX = 12


class StatisticsView(QScrollArea):
    def __init__(self) -> None:
        super().__init__()
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName(tr("Statistics"))
        self._shown: tuple[object, ...] = ()

    def show_figures(self, detail: Detail) -> None:
        """Show what there is; nothing moves when it is as it was."""
        is_over = detail.run.done >= detail.run.total
        now = (detail.run.run_id, detail.table, detail.pictures, is_over)
        if now == self._shown:
            return
        self._shown = now
        page = QWidget()
        column = QVBoxLayout(page)
        column.setContentsMargins(0, GRID, 2 * GRID, 2 * GRID)
        column.setSpacing(2 * GRID)
        column.addWidget(_table(detail.table) if detail.table else _none_yet(is_over=is_over))
        for path in detail.pictures[:PICTURES_MAX]:
            if (picture := _picture(path)) is not None:
                column.addWidget(picture)
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


def _picture(path: Path) -> QLabel | None:
    """Show a plot no wider than is read well; None for what is no picture."""
    reader = QImageReader(str(path))
    size = reader.size()
    if not size.isValid() or max(size.width(), size.height()) > PICTURE_PIXELS_MAX:
        return None
    if size.width() > WIDTH_MAX:
        reader.setScaledSize(QSize(WIDTH_MAX, size.height() * WIDTH_MAX // size.width()))
    image = reader.read()
    if image.isNull():
        return None
    shown = QLabel()
    shown.setPixmap(QPixmap.fromImage(image))
    shown.setAccessibleName(plain_line(path.stem.replace("-", " ")))
    return shown
