"""The list of runs: two lines each, the newest first."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from PySide6.QtCore import QAbstractListModel, QObject, Qt

from desktop.desk.runs import Run
from desktop.gui.parts import tip
from desktop.gui.times import age
from desktop.gui.two_lines import Index, Line
from desktop.gui.windows.runs import saying
from shared.plain_text import plain_line

RUN_ROLE = Qt.ItemDataRole.UserRole


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

    def lines(self, index: Index) -> tuple[Line, Line]:
        """What stands in a row."""
        run: Run = index.data(RUN_ROLE)
        color = "failed" if run.failed else "muted"
        return Line(run.name, "text"), Line(self.second_line(run), color)
