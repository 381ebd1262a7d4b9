"""The list of runs: two lines each, the newest first."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from PySide6.QtCore import (
    QAbstractListModel,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QRect,
    QSize,
    Qt,
)
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from desktop.desk.runs import Run
from desktop.gui.parts import tip
from desktop.gui.style import BODY, GRID, ROW, SMALL, Style
from desktop.gui.times import age
from desktop.gui.windows.runs import saying
from shared.plain_text import plain_line

RUN_ROLE = Qt.ItemDataRole.UserRole
HEIGHT = ROW + 3 * GRID
TINT = 26
Index = QModelIndex | QPersistentModelIndex


class RunList(QAbstractListModel):
    def __init__(self, now: Callable[[], datetime], parent: QObject) -> None:
        super().__init__(parent)
        self._now = now
        self.runs: tuple[Run, ...] = ()

    def show(self, runs: tuple[Run, ...]) -> None:
        """Show these; rows stay where they are as long as the runs are the same."""
        if [run.run_id for run in runs] == [run.run_id for run in self.runs]:
            self.runs = runs
            if runs:
                self.dataChanged.emit(self.index(0), self.index(len(runs) - 1))
            return
        self.beginResetModel()
        self.runs = runs
        self.endResetModel()

    def row_of(self, run_id: str) -> int:
        return next((n for n, run in enumerate(self.runs) if run.run_id == run_id), -1)

    def rowCount(self, parent: Index | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self.runs)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        run = self.runs[index.row()]
        if role == RUN_ROLE:
            return run
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            return f"{plain_line(run.name)}. {self.second_line(run)}"
        if role == Qt.ItemDataRole.ToolTipRole:
            return tip(f"{plain_line(run.name)}\n{saying.models(run)}")
        return None

    def second_line(self, run: Run) -> str:
        """Say what matters most of a run."""
        return f"{saying.how_far(run)} · {age(run.created_at, self._now())}"


class RunDelegate(QStyledItemDelegate):
    def __init__(self, style: Style, model: RunList) -> None:
        super().__init__(model)
        self._style = style
        self._model = model

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return QSize(220, HEIGHT)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        run: Run = index.data(RUN_ROLE)
        painter.save()
        painter.fillRect(option.rect, self._style.color("surface"))
        if option.state & QStyle.StateFlag.State_Selected:
            ground = self._style.color("accent")
            ground.setAlpha(TINT)
            painter.fillRect(option.rect, ground)
        painter.setPen(self._style.color("line"))
        painter.drawLine(option.rect.bottomLeft(), option.rect.bottomRight())
        room = option.rect.adjusted(2 * GRID, GRID, -2 * GRID, -GRID)
        half = room.height() // 2
        upper = QRect(room.left(), room.top(), room.width(), half)
        lower = upper.translated(0, half)
        self._line(painter, upper, run.name, BODY, "text")
        color = "failed" if run.failed else "muted"
        self._line(painter, lower, self._model.second_line(run), SMALL, color)
        painter.restore()

    def _line(self, painter: QPainter, room: QRect, text: str, size: int, color: str) -> None:
        font = painter.font()
        font.setPixelSize(size)
        painter.setFont(font)
        painter.setPen(self._style.color(color))
        told = painter.fontMetrics().elidedText(
            plain_line(text), Qt.TextElideMode.ElideRight, room.width()
        )
        painter.drawText(room, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, told)
