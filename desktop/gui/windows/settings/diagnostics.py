"""Settings, Diagnostics: what the doctor says, the log, and a file to send along."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtWidgets import QFileDialog, QWidget

from desktop.desk import diagnostics
from desktop.doctor.finding import Finding
from desktop.gui.bridge import Bridge
from desktop.gui.language import tr, trn
from desktop.gui.parts import button, label
from desktop.gui.style import Style
from desktop.gui.watchdog import Watchdog
from desktop.gui.windows.settings.section import Line, Option, Rows, Section, row, show_file
from shared.errors import AppError
from shared.plain_text import plain_line


class Diagnostics(Section):
    def __init__(self, bridge: Bridge, style: Style) -> None:
        super().__init__(
            bridge,
            style,
            tr("Diagnostics"),
            tr("What Deskhand stands on, looked at now, and what helps to find a fault."),
        )

    def build(self) -> None:
        inside = self.card(tr("Doctor"))
        self.summary = label("", "muted")
        self.rows = Rows()
        self.again_button = button(tr("Look again"), self.refresh)
        inside.addWidget(self.summary)
        inside.addLayout(self.rows)
        inside.addLayout(row(self.again_button, None))
        report = self.card(
            tr("For a report"),
            tr(
                "The file holds versions, the doctor's findings, your rules, counts and the end of "
                "the log. Tokens, keys and names of files in your folders are taken out."
            ),
        )
        self.save_button = button(tr("Save diagnostics…"), self._choose, "primary")
        logs = button(tr("Open the log folder"), self._open_logs)
        report.addLayout(row(self.save_button, logs, None))
        self.saved = Line(button(tr("Show"), lambda: show_file(self._saved_in), "quiet"))
        self.saved.hide()
        self._saved_in = Path.home()
        report.addWidget(self.saved)
        self._watchdog: Watchdog | None = None
        hunt = self.card(tr("When windows are slow"))
        self.measure = Option(
            tr("Count how often the windows stand still"),
            tr("Until Deskhand ends; the count goes into the file above."),
            self._measure,
        )
        self.stalls = label("", "muted")
        hunt.addWidget(self.measure)
        hunt.addWidget(self.stalls)

    def refresh(self) -> None:
        self.again_button.setEnabled(False)
        self.summary.setText(tr("Looking … a slow network takes some seconds."))
        self.do(diagnostics.examine(self.desk), then=self.show_findings, failed=self.banner.tell)
        self._show_stalls()

    def show_findings(self, found: tuple[Finding, ...]) -> None:
        self.again_button.setEnabled(True)
        troubles = sum(not finding.is_well for finding in found)
        self.summary.setText(
            trn("{count} thing to look at.", "{count} things to look at.", troubles)
            if troubles
            else tr("All is well.")
        )
        ordered = sorted(found, key=lambda finding: finding.is_well)
        self.rows.fill([self._line(finding) for finding in ordered])

    def save(self, target: Path) -> None:
        self.save_button.setEnabled(False)
        self.do(
            diagnostics.save(
                self.desk, target, stalls=self._watchdog.stalls if self._watchdog else None
            ),
            then=self._saved,
            failed=self._not_saved,
        )

    def _measure(self, is_on: bool) -> None:  # noqa: FBT001 - a box has one value
        if self._watchdog is not None:
            self._watchdog.stop()
        self._watchdog = Watchdog() if is_on else None
        self._show_stalls()

    def _show_stalls(self) -> None:
        self.stalls.setVisible(self._watchdog is not None)
        if self._watchdog is not None:
            told = trn(
                "They stood still {count} time for more than 50 ms; the longest took {{ms}} ms.",
                "They stood still {count} times for more than 50 ms; the longest took {{ms}} ms.",
                self._watchdog.stalls,
            )
            longest = round(self._watchdog.longest_seconds * 1000)
            self.stalls.setText(told.format(ms=longest))

    def _line(self, finding: Finding) -> QWidget:
        line, tokens = Line(), self.look.tokens
        line.tell(
            plain_line(finding.sentence),
            plain_line(finding.hint),
            sign="✓" if finding.is_well else "⚠",
            color=tokens.done if finding.is_well else tokens.failed,
        )
        return line

    def _choose(self) -> None:
        name = diagnostics.file_name(self.desk.environment.now())
        dialog = QFileDialog(self, tr("Where to save it?"), str(Path.home() / name))
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setDefaultSuffix("zip")
        dialog.selectFile(name)
        dialog.fileSelected.connect(lambda chosen: self.save(Path(chosen)))
        # Not `exec`: that loop would stand still within ours.
        dialog.open()

    def _saved(self, target: Path) -> None:
        self.save_button.setEnabled(True)
        self._saved_in = target.parent
        told = tr("Saved as {name}. Look into it before you send it on.").format(name=target.name)
        self.saved.tell(told, sign="✓", color=self.look.tokens.done)
        self.saved.show()

    def _not_saved(self, error: AppError) -> None:
        self.save_button.setEnabled(True)
        self.banner.tell(error)

    def _open_logs(self) -> None:
        folder = self.desk.paths.log.parent
        show_file(folder if folder.exists() else self.desk.paths.data)
