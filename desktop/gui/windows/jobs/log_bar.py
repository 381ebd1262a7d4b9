"""A log with what can be done to it: copy lines, save it all."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QFileDialog, QVBoxLayout, QWidget

from desktop.gui.bridge import Bridge
from desktop.gui.language import tr, trn
from desktop.gui.parts import Banner, button
from desktop.gui.style import Style
from desktop.gui.windows.jobs import log_saving
from desktop.gui.windows.jobs.log_pane import LogPane
from shared.ids import short


class LogWithActions(QWidget):
    def __init__(
        self, bridge: Bridge, style: Style, banner: Banner, *, is_mixed: bool = False
    ) -> None:
        """Make the log of a job, or of all.

        Args:
            bridge: to the store.
            style: the colours.
            banner: tells what was saved or went wrong.
            is_mixed: for the logs of all jobs.
        """
        super().__init__()
        self._bridge = bridge
        self._banner = banner
        self.pane = LogPane(bridge, style, is_mixed=is_mixed)
        self.copy = button(tr("Copy"), self.copy_lines, "quiet", name=tr("Copy the chosen lines"))
        self.save = button(tr("Save…"), self._choose_file, "quiet", name=tr("Save the whole log"))
        self.pane.bar.addWidget(self.copy)
        self.pane.bar.addWidget(self.save)
        for action in (self.copy, self.save):
            action.setVisible(False)
            self.pane.counted.connect(lambda count, action=action: action.setVisible(count > 0))
        self.pane.table.copied.connect(self.copy_lines)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.pane)

    def copy_lines(self) -> None:
        """Put the chosen lines into the clipboard; with none chosen, the last ones."""
        count = self.pane.model.count
        last = range(max(0, count - log_saving.COPIED_LINES_MAX), count)
        marked = self.pane.table.selectionModel().selection()
        parts = [marked.at(number) for number in range(marked.count())]
        chosen = [range(part.top(), part.bottom() + 1) for part in parts] or [last]
        numbers = sorted({number for part in chosen for number in self.pane.numbers(part)})
        self._bridge.do(
            log_saving.read_text(self._bridge, self.pane.job_id, numbers), then=self._copied
        )

    def save_as(self, path: Path) -> None:
        """Write the whole log into a file."""

        def saved(count: int) -> None:
            told = trn("{count} line saved as", "{count} lines saved as", count)
            self._banner.tell(f"{told} {path.name}")

        self._bridge.do(
            log_saving.save(self._bridge, self.pane.job_id, path),
            then=saved,
            failed=self._banner.tell,
        )

    def _copied(self, text: str) -> None:
        QGuiApplication.clipboard().setText(text)
        count = text.count("\n")
        self._banner.tell(trn("{count} line copied.", "{count} lines copied.", count))

    def _choose_file(self) -> None:
        job_id = self.pane.job_id
        name = f"deskhand-{short(job_id).lower()}.log" if job_id else "deskhand.log"
        dialog = QFileDialog(self, tr("Save the log"), str(Path.home() / name))
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setDefaultSuffix("log")
        dialog.fileSelected.connect(lambda chosen: self.save_as(Path(chosen)))
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()
