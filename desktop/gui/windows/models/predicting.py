"""A prediction with a model: a file is chosen, the job runs, its first rows are shown."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt, QUrl, Signal
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QProgressBar,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
)

from desktop.core.news import News
from desktop.desk.models import Manifest, Preview, preview
from desktop.desk.standing import whereabouts
from desktop.gui import standing
from desktop.gui.bridge import Bridge
from desktop.gui.language import tr
from desktop.gui.parts import button, label
from desktop.gui.style import GRID, ROW
from desktop.store import copied
from shared.errors import AppError
from shared.ids import JobId
from shared.jobs import JobState
from shared.plain_text import plain_line

ENDINGS = (".csv", ".tsv", ".txt", ".xlsx", ".xls", ".parquet")
ROWS_SEEN = 5
COLUMN_WIDTH_MAX = 260
THOUSANDTHS = 1000


class Predicting(QFrame):
    """Stands above the detail while there is a prediction to tell of."""

    told = Signal(object)
    """An AppError or a sentence for the window's banner."""

    def __init__(self, bridge: Bridge) -> None:
        super().__init__()
        self.setProperty("look", "card")
        self._bridge = bridge
        self._job_id: JobId | None = None
        self._file = Path()
        self._written = Path()
        self.title = label("")
        self.stage = label("", "muted")
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setAccessibleName(tr("Progress of the prediction"))
        self.stop = button(tr("Stop"), self._stop)
        self.ask = button(tr("It asks something"), self._answer, "primary")
        self.folder = button(tr("Open folder"), self._open_folder)
        self.close_it = button(tr("Close"), self.hide, "quiet", name=tr("Close the prediction"))
        self.table = QTableWidget()
        self.table.setAccessibleName(tr("First rows of the result"))
        self.table.setEditTriggers(QTableWidget.EditTrigger.NoEditTriggers)
        self.table.verticalHeader().setDefaultSectionSize(ROW)
        self.table.verticalHeader().hide()
        self.table.setShowGrid(False)
        header = self.table.horizontalHeader()
        header.setStretchLastSection(True)
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        self._arrange()
        self.hide()
        bridge.hears(self, News.JOBS, News.PROGRESS, News.QUESTIONS, News.STATUS, then=self._look)

    def start(self, manifest: Manifest, file: Path) -> None:
        """Ask for a prediction on this machine."""
        pairing = self._bridge.desk.pairing
        if pairing is None:
            self._bridge.opened.emit("pairing", "")
            return
        self._file = file
        told = tr("{model} predicts {file}").format(
            model=plain_line(manifest.name), file=plain_line(file.name)
        )
        self.title.setText(told)
        self.setAccessibleName(told)
        self.stage.setText(tr("Waiting …"))
        self._show(stop=True, ask=False, done=False)
        self.bar.setRange(0, 0)
        self.show()
        asked = self._bridge.desk.requests.make(
            "ml.predict",
            {"model": manifest.model_id, "file": str(file)},
            text=told,
            worker_id=pairing.worker_id,
        )
        self._bridge.do(asked, then=self._follow, failed=self._failed)

    def _arrange(self) -> None:
        buttons = QHBoxLayout()
        buttons.setSpacing(GRID)
        for one in (self.ask, self.stop, self.folder, self.close_it):
            buttons.addWidget(one)
        head = QHBoxLayout()
        head.addWidget(self.title, 1)
        head.addLayout(buttons)
        column = QVBoxLayout(self)
        column.setContentsMargins(2 * GRID, GRID, 2 * GRID, 2 * GRID)
        column.setSpacing(GRID)
        column.addLayout(head)
        column.addWidget(self.stage)
        column.addWidget(self.bar)
        column.addWidget(self.table)

    def _show(self, *, stop: bool, ask: bool, done: bool) -> None:
        self.stop.setVisible(stop)
        self.ask.setVisible(ask)
        self.folder.setVisible(done)
        self.table.setVisible(done)
        self.bar.setVisible(stop)
        self.close_it.setVisible(not stop)

    def _follow(self, job_id: JobId) -> None:
        self._job_id = job_id
        self._look()

    def _look(self) -> None:
        job_id = self._job_id
        if job_id is not None and self.isVisible():
            self._bridge.do(
                self._bridge.desk.look(lambda c: copied.job(c, job_id)), then=self._took
            )

    def _took(self, job: copied.Job | None) -> None:
        if job is None or job.row.job_id != self._job_id:
            return
        match job.row.state:
            case JobState.SUCCEEDED:
                self._ended(job)
            case JobState.FAILED | JobState.DEAD | JobState.INTERRUPTED:
                told = job.row.error
                self._over(f"{told.message} {told.hint}" if told else tr("It failed."))
            case JobState.CANCELLED:
                self._over(tr("Stopped."))
            case JobState.ASKING:
                self.stage.setText(plain_line(job.row.asks))
                self._show(stop=True, ask=True, done=False)
            case _:
                self._progress(job.row)

    def _progress(self, row: copied.JobRow) -> None:
        progress = self._bridge.desk.progress.get(row.job_id)
        self._show(stop=True, ask=False, done=False)
        stands = standing.of_job(row, whereabouts(self._bridge.desk))
        if progress is None or row.cancel_by:
            self.stage.setText(plain_line(stands) or tr("Waiting …"))
            return
        self.stage.setText(plain_line(progress.stage))
        # In thousandths: a bar counts in 32 bits, and tables have millions of rows.
        self.bar.setRange(0, THOUSANDTHS if progress.total else 0)
        if progress.total:
            self.bar.setValue(round(THOUSANDTHS * min(1.0, progress.done / progress.total)))

    def _ended(self, job: copied.Job) -> None:
        result = job.result or {}
        notes = result.get("notes")
        lines = [str(result.get("headline", ""))]
        lines += [str(note) for note in notes[:3]] if isinstance(notes, list) else []
        self._over("\n".join(plain_line(line) for line in lines))
        # A name, not a path: it stands beside the file that was predicted.
        self._written = self._file.parent / Path(str(result.get("written", ""))).name
        self._show(stop=False, ask=False, done=True)
        self._bridge.do(preview(self._written), then=self._fill, failed=self._no_preview)

    def _over(self, text: str) -> None:
        self._job_id = None
        self.stage.setText(text)
        self._show(stop=False, ask=False, done=False)

    def _fill(self, told: Preview) -> None:
        self.table.setColumnCount(len(told.head))
        self.table.setHorizontalHeaderLabels(list(told.head))
        self.table.setRowCount(len(told.rows))
        for row, cells in enumerate(told.rows):
            for column, cell in enumerate(cells[: len(told.head)]):
                self.table.setItem(row, column, QTableWidgetItem(cell))
        self.table.resizeColumnsToContents()
        for column in range(len(told.head)):
            width = min(COLUMN_WIDTH_MAX, self.table.columnWidth(column) + GRID)
            self.table.setColumnWidth(column, width)
        header = self.table.horizontalHeader().sizeHint().height()
        seen = max(1, min(ROWS_SEEN, len(told.rows)))
        scrollbar = self.table.horizontalScrollBar().sizeHint().height()
        self.table.setFixedHeight(header + ROW * seen + scrollbar)
        # What was predicted stands last.
        self.table.horizontalScrollBar().setValue(self.table.horizontalScrollBar().maximum())

    def _no_preview(self, error: AppError) -> None:
        self.table.hide()
        self.told.emit(error)

    def _failed(self, error: AppError) -> None:
        self._over(f"{error.message} {error.hint}")

    def _stop(self) -> None:
        if self._job_id is not None:
            self.stage.setText(tr("Stopping …"))
            self._bridge.do(self._bridge.desk.requests.cancel(self._job_id))

    def _answer(self) -> None:
        if self._job_id is not None:
            self._bridge.opened.emit("chat", self._job_id)

    def _open_folder(self) -> None:
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(self._written.parent)))
