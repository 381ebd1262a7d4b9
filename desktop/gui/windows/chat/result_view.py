"""What a job gave back, within its bubble: notes, files, and the model it made."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import QDesktopServices, QGuiApplication
from PySide6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout, QWidget

from desktop.gui.language import tr, trn
from desktop.gui.parts import button, label
from desktop.gui.style import GRID, Style
from desktop.gui.windows.chat.flowing import Flowing
from shared.kinds import Output
from shared.plain_text import plain_line

NOTES_SHOWN = 12
FILES_SHOWN = 8
NOTE_CHARS_MAX = 2000


class ResultView(QWidget):
    """Notes at once; buttons of files once it is known where they lie."""

    def __init__(self, output: Output, machine: str, style: Style) -> None:
        super().__init__()
        self._machine = machine
        self.is_placed = False
        """Whether files were looked for."""
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(GRID // 2)
        self._files: dict[str, QHBoxLayout] = {}
        for note in output.notes[:NOTES_SHOWN]:
            ink = style.color("waiting" if note.startswith("⚠") else "text")
            self._column.addWidget(Flowing(note[:NOTE_CHARS_MAX], token_color=ink))
        for name in output.files[:FILES_SHOWN]:
            self._add_file(plain_line(name), style)
        left = len(output.notes[NOTES_SHOWN:]) + len(output.files[FILES_SHOWN:])
        if left:
            self._column.addWidget(label(trn("{count} more", "{count} more", left), "muted"))

    @property
    def file_names(self) -> tuple[str, ...]:
        return tuple(self._files)

    def place(self, found: dict[str, Path]) -> None:
        """Show where files lie that were found on this computer."""
        self.is_placed = True
        for name, path in found.items():
            row = self._files.get(name)
            if row is None:
                continue
            row.addWidget(button(
                tr("Open folder"), partial(_open_folder, path), "quiet",
                name=tr("Open the folder of {file}").format(file=name),
            ))  # fmt: skip
            row.addWidget(button(
                tr("Copy path"), partial(_copy, path), "quiet",
                name=tr("Copy the path of {file}").format(file=name),
            ))  # fmt: skip

    def add(self, picture: QWidget) -> None:
        """Show a plot."""
        self._column.addWidget(picture)

    def offer(self, text: str, pressed: Callable[[], None]) -> None:
        """Add something that can be done with the result."""
        self._column.addWidget(button(text, pressed), alignment=Qt.AlignmentFlag.AlignLeft)

    def _add_file(self, name: str, style: Style) -> None:
        card = QFrame()
        card.setProperty("look", "card")
        row = QHBoxLayout(card)
        row.setContentsMargins(2 * GRID, GRID // 2, GRID // 2, GRID // 2)
        row.setSpacing(0)
        words = QVBoxLayout()
        words.setSpacing(0)
        words.addWidget(Flowing(name, token_color=style.color("text")))
        words.addWidget(label(tr("on {machine}").format(machine=self._machine), "muted"))
        row.addLayout(words, 1)
        self._files[name] = row
        self._column.addWidget(card)


def _open_folder(path: Path) -> None:
    QDesktopServices.openUrl(QUrl.fromLocalFile(str(path.parent)))


def _copy(path: Path) -> None:
    QGuiApplication.clipboard().setText(str(path))
