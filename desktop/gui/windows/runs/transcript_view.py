"""What was said in one probe: question and reply by turns, as text that can be copied."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QScrollArea, QVBoxLayout, QWidget

from desktop.desk.runs import Probe
from desktop.gui.language import tr
from desktop.gui.parts import label
from desktop.gui.style import CONTENT_WIDTH_MAX, GRID
from desktop.gui.windows.runs import saying
from shared.plain_text import plain, plain_line

TEXT_CHARS_SHOWN = 20_000
"""Of one text; the whole is in the transcripts and in every export."""


class TranscriptView(QScrollArea):
    def __init__(self) -> None:
        super().__init__()
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName(tr("What was said"))
        self.probe: Probe | None = None
        self.clear()

    def clear(self) -> None:
        """Say what will stand here."""
        self.probe = None
        page, column = _page()
        column.addWidget(label(tr("Choose a probe to read what was said."), "muted"))
        column.addStretch()
        self.setWidget(page)

    def show_probe(self, probe: Probe) -> None:
        """Show a probe from its beginning; what grew stays where it was looked at."""
        is_same = self.probe is not None and self.probe.cell == probe.cell
        if is_same and self.probe == probe:
            return
        self.probe = probe
        page, column = _page()
        for part in _parts(probe):
            column.addWidget(part)
        column.addStretch()
        place = self.verticalScrollBar().value() if is_same else 0
        self.setWidget(page)
        self.verticalScrollBar().setValue(place)


def _page() -> tuple[QWidget, QVBoxLayout]:
    page = QWidget()
    page.setMaximumWidth(CONTENT_WIDTH_MAX + 8 * GRID)
    column = QVBoxLayout(page)
    column.setContentsMargins(0, 0, 2 * GRID, 2 * GRID)
    column.setSpacing(GRID)
    return page, column


def _parts(probe: Probe) -> list[QWidget]:
    scenario, end = probe.scenario, probe.end
    reported = probe.turns[-1].reply.model_reported if probe.turns else ""
    about = [plain_line(probe.cell.model)]
    if reported:
        about.append(tr("it says it is {name}").format(name=plain_line(reported)))
    if end is not None and end.choice:
        meaning = next((o.value for o in scenario.options if o.label == end.choice), "")
        chosen = f"{end.choice} ({plain_line(meaning)})" if meaning else end.choice
        about.append(tr("chose {choice}").format(choice=plain_line(chosen)))
    shown: list[QWidget] = [
        label(plain_line(scenario.id), "heading"),
        label(" · ".join(about), "muted"),
    ]
    if scenario.preamble:
        shown.append(_small(tr("Preamble: {text}").format(text=_cut(scenario.preamble))))
    for turn in probe.turns:
        shown.append(_bubble(tr("Asked"), turn.asked, is_asked=True))
        shown.append(_bubble(tr("Answered"), turn.reply.text, is_asked=False))
        shown.append(_small(saying.turn_line(turn)))
    if not probe.turns:
        shown.append(_small(tr("Nothing was said.") if end else tr("Nothing was said yet.")))
    if end is not None and end.message:
        shown.append(label(f"⚠ {plain_line(end.message)}", "failed"))
    return shown


def _bubble(who: str, text: str, *, is_asked: bool) -> QWidget:
    card = QFrame()
    card.setProperty("look", "card")
    told = selectable(_cut(text))
    told.setAccessibleName(f"{who}: {text[:200]}")
    inner = QVBoxLayout(card)
    inner.setContentsMargins(2 * GRID, GRID, 2 * GRID, GRID)
    inner.addWidget(label(who, "muted"))
    inner.addWidget(told)
    holder = QWidget()
    row = QHBoxLayout(holder)
    row.setContentsMargins(0, 0, 0, 0)
    # Question and reply stand at their sides, as in a chat.
    if is_asked:
        row.addSpacing(6 * GRID)
    row.addWidget(card, 1)
    if not is_asked:
        row.addSpacing(6 * GRID)
    return holder


def selectable(text: str) -> QLabel:
    """Show text that can be marked and copied by mouse and keyboard."""
    made = label(text)
    made.setTextInteractionFlags(
        Qt.TextInteractionFlag.TextSelectableByMouse
        | Qt.TextInteractionFlag.TextSelectableByKeyboard
    )
    return made


def _small(text: str) -> QWidget:
    made = label(text, "muted")
    made.setAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
    return made


def _cut(text: str) -> str:
    """Take what acts out of a text of anybody's, and shorten it."""
    told = plain(text)
    return told if len(told) <= TEXT_CHARS_SHOWN else f"{told[:TEXT_CHARS_SHOWN]} …"
