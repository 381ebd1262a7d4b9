"""The parts of a job's detail: what it asks, what went wrong, what came of it, what happened."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

from pydantic import ValidationError
from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import QDesktopServices, QGuiApplication
from PySide6.QtWidgets import (
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from desktop.gui.language import tr, trn
from desktop.gui.parts import button, label
from desktop.gui.plan_words import answer_lines
from desktop.gui.style import GRID, SMALL, Style, tabular
from desktop.gui.times import clock
from desktop.gui.windows.jobs.steps import step_sentence
from desktop.gui.windows.jobs.wording import progress_line
from desktop.store.copied import Job, QuestionRow, Step
from shared.errors import ErrorBody
from shared.jobs import JobState
from shared.kinds import Output
from shared.messages import Progress
from shared.plain_text import plain, plain_line

TEXT_CHARS_MAX = 4000
"""A longer text is cut in the window; "Copy" has all of it."""
NOTES_SHOWN = 12
FILES_SHOWN = 20
STEPS_SHOWN = 6
"""The newest steps; a button shows the others."""


def result_of(job: Job) -> Output | None:
    """Read the sentences and files of a result, whatever else its kind tells."""
    if job.result is None:
        return None
    try:
        output = Output.model_validate(job.result)
        notes = (*output.notes, *answer_lines(job.result))
        return output.model_copy(update={"notes": notes})
    except ValidationError:
        return Output(headline=str(job.result.get("headline", "")) or tr("Done."))


def error_card(error: ErrorBody, state: JobState, style: Style) -> QFrame:
    """Show what went wrong and what to do next."""
    card, column = _card(style.color_of(state).name())
    column.addWidget(_told(error.message, "failed"))
    if error.hint:
        column.addWidget(_told(error.hint))
    return card


def question_card(question: QuestionRow, style: Style, answer: Callable[[], object]) -> QFrame:
    """Show what a job waits for, with the way to answer it."""
    card, column = _card(style.color("asking").name())
    column.addWidget(_told(question.asking.text))
    options = " · ".join(plain_line(choice.label) for choice in question.asking.choices[:6])
    if options:
        column.addWidget(_told(options, "muted"))
    row = QHBoxLayout()
    row.addWidget(button(tr("Answer in chat"), answer, "primary"))
    row.addStretch()
    column.addLayout(row)
    return card


def result_card(result: Output, written: str, machine: str, style: Style) -> QFrame:
    """Show what came of a job.

    Args:
        result: the sentences.
        written: the path of a file on this machine; empty when none is known.
        machine: where its files are, when they are not here.
        style: the colours.
    """
    card, column = _card(style.color("done").name())
    column.addWidget(_told(result.headline))
    for note in result.notes[:NOTES_SHOWN]:
        column.addWidget(_told(note, "muted"))
    more = len(result.notes) - NOTES_SHOWN
    if more > 0:
        column.addWidget(_told(trn("{count} more note", "{count} more notes", more), "muted"))
    for name in result.files[:FILES_SHOWN]:
        column.addLayout(_file(name, written if Path(written).name == name else "", machine))
    return card


def timeline(steps: Sequence[Step], now: datetime, *, is_kept: bool = False) -> QWidget:
    """Show every step in words; of a long story the newest, until the others are wanted."""
    made = QWidget()
    grid = QGridLayout(made)
    grid.setContentsMargins(0, 0, 0, 0)
    grid.setHorizontalSpacing(2 * GRID)
    grid.setVerticalSpacing(GRID // 2)
    grid.setColumnStretch(2, 1)
    hidden = steps[:-STEPS_SHOWN]

    def show(shown: Sequence[Step], first: int) -> None:
        for row, step in enumerate(shown, first):
            _add_step(grid, row, step, now, is_kept=is_kept)

    show(steps[-STEPS_SHOWN:], len(hidden) + 1)
    if hidden:
        told = trn("Show {count} earlier step", "Show {count} earlier steps", len(hidden))

        def show_all() -> None:
            more.hide()
            show(hidden, 1)

        more = button(told, show_all, "quiet")
        grid.addWidget(more, 0, 0, 1, 3, Qt.AlignmentFlag.AlignLeading)
    return made


class ProgressBar(QWidget):
    """How far a job is that runs on this machine; hidden while nothing is known."""

    def __init__(self) -> None:
        super().__init__()
        self._told = label("", "muted")
        self._bar = QProgressBar()
        self._bar.setTextVisible(False)
        self._bar.setFixedHeight(GRID)
        self._bar.setAccessibleName(tr("Progress"))
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(GRID // 2)
        column.addWidget(self._bar)
        column.addWidget(self._told)
        self.hide()

    def tell(self, progress: Progress | None) -> None:
        self.setVisible(progress is not None)
        if progress is None:
            return
        is_known = progress.total > 0
        self._bar.setRange(0, 1000 if is_known else 0)
        if is_known:
            self._bar.setValue(round(1000 * min(1.0, progress.done / progress.total)))
        self._told.setText(progress_line(progress))


def heading(text: str) -> QLabel:
    made = label(text, "muted")
    font = made.font()
    font.setBold(True)
    made.setFont(font)
    return made


def _add_step(grid: QGridLayout, row: int, step: Step, now: datetime, *, is_kept: bool) -> None:
    when = label(clock(step.at, now), "muted", wraps=False)
    when.setFont(tabular(when.font()))
    texts = (
        when,
        label(plain_line(step.machine), "muted", wraps=False),
        _told(step_sentence(step, is_kept=is_kept)),
    )
    for column, text in enumerate(texts):
        text.setStyleSheet(f"font-size: {SMALL}px")
        grid.addWidget(text, row, column, Qt.AlignmentFlag.AlignTop)


def _card(color: str) -> tuple[QFrame, QVBoxLayout]:
    """Make a card with a bar of its state's colour at its leading edge."""
    card = QFrame()
    card.setProperty("look", "card")
    bar = QFrame()
    bar.setFixedWidth(4)
    bar.setStyleSheet(f"background: {color}; border-radius: 2px")
    inside = QVBoxLayout()
    inside.setSpacing(GRID // 2)
    row = QHBoxLayout(card)
    row.setContentsMargins(GRID, GRID, 2 * GRID, GRID)
    row.setSpacing(GRID + GRID // 2)
    row.addWidget(bar)
    row.addLayout(inside, 1)
    return card, inside


def _told(text: str, look: str = "") -> QLabel:
    """Show words of others: harmless, cut, and to be copied with the mouse."""
    shown = plain(text.strip())
    cut = shown if len(shown) <= TEXT_CHARS_MAX else f"{shown[:TEXT_CHARS_MAX]}…"
    made = label(cut, look)
    made.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    made.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
    return made


def _file(name: str, path: str, machine: str) -> QVBoxLayout:
    """Name a file over what can be done with it: a long name needs the whole width."""
    row = QHBoxLayout()
    row.setSpacing(GRID // 2)
    shown = plain_line(name)
    if path:
        folder = QUrl.fromLocalFile(str(Path(path).parent))
        row.addWidget(
            button(
                tr("Open folder"),
                lambda: QDesktopServices.openUrl(folder),
                "quiet",
                name=tr("Open the folder of {file}").format(file=shown),
            )
        )
    elif machine:
        row.addWidget(label(tr("on {machine}").format(machine=plain_line(machine)), "muted"))
    row.addWidget(
        button(
            tr("Copy path") if path else tr("Copy name"),
            lambda: QGuiApplication.clipboard().setText(path or shown),
            "quiet",
            name=tr("Copy the path of {file}").format(file=shown),
        )
    )
    row.addStretch()
    both = QVBoxLayout()
    both.setSpacing(0)
    both.addWidget(_told(shown))
    both.addLayout(row)
    return both


def said(text: str) -> QWidget:
    """Show what the person asked for."""
    made = QWidget()
    column = QVBoxLayout(made)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(GRID // 2)
    column.addWidget(heading(tr("You asked")))
    column.addWidget(_told(text))
    return made
