"""Says that the policy file cannot be used, where, and what happens meanwhile."""

from __future__ import annotations

from PySide6.QtWidgets import QFrame, QVBoxLayout

from desktop.desk.desk import Desk
from desktop.gui.language import tr
from desktop.gui.parts import button, label
from desktop.gui.style import GRID
from desktop.gui.windows.settings.section import row, show_file


class BrokenPolicy(QFrame):
    """Hidden while the file is sound."""

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self._desk = desk
        self.setProperty("look", "card")
        self.told = label("", "failed")
        what = label(
            tr(
                "Until it is mended no new job starts here; jobs that run go on by the rules they "
                "were started with. Mend the file and save it: it is read again at once."
            ),
            "muted",
        )
        inside = QVBoxLayout(self)
        inside.setContentsMargins(2 * GRID, 2 * GRID, 2 * GRID, 2 * GRID)
        inside.addWidget(self.told)
        inside.addWidget(what)
        opens = button(tr("Open the file"), lambda: show_file(desk.paths.policy))
        inside.addLayout(row(opens, None))
        self.hide()

    def refresh(self) -> None:
        error = self._desk.policy_error
        self.told.setText(f"⚠ {error.message}" if error else "")
        self.setVisible(error is not None)
