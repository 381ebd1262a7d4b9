"""The two boxes that belong to no window: whether to quit with jobs at work, and a fault of ours.

Neither stops the loop: they open, and their buttons act.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable
from types import TracebackType

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMessageBox

from desktop.gui import icons
from desktop.gui.language import tr, trn
from shared.plain_text import plain
from shared.redaction import redact_text

TRACE_CHARS_MAX = 4000


def ask_to_quit(
    running: int, quits: Callable[[], object], stays: Callable[[], object]
) -> QMessageBox:
    """Ask before jobs are cut off."""
    told = trn(
        "{count} job is running. It is stopped when you quit.",
        "{count} jobs are running. They are stopped when you quit.",
        running,
    )
    more = tr("What can be repeated starts again with the program.")
    box = _box(QMessageBox.Icon.Question, tr("Quit Deskhand?"), told, more)
    leave = box.addButton(tr("Quit"), QMessageBox.ButtonRole.DestructiveRole)
    stay = box.addButton(tr("Stay"), QMessageBox.ButtonRole.RejectRole)
    box.setDefaultButton(stay)
    box.setEscapeButton(stay)
    leave.clicked.connect(quits)
    stay.clicked.connect(stays)
    box.open()
    return box


def tell_fault(
    kind: type[BaseException],
    error: BaseException,
    trace: TracebackType | None,
    reports: Callable[[], object] | None = None,
) -> QMessageBox:
    """Tell of a fault of this program's own, with what helps to mend it.

    Args:
        kind: as `sys.excepthook` gets it.
        error: as there.
        trace: as there.
        reports: opens what writes a report; None when the program has ended.
    """
    if reports:
        told = tr("It goes on working; what you did last may not have been done.")
        more = tr("A report holds what helps to mend it: no keys, and nothing of your files.")
    else:
        told = tr("It has to end. Jobs that can be repeated start again with it.")
        more = tr("What happened is in the log; “deskhand doctor” helps to report it.")
    box = _box(QMessageBox.Icon.Warning, tr("Deskhand met a fault of its own"), told, more)
    box.setDetailedText(trace_text(kind, error, trace))
    if reports:
        report = box.addButton(tr("Make a report…"), QMessageBox.ButtonRole.AcceptRole)
        report.clicked.connect(reports)
    close = box.addButton(tr("Close"), QMessageBox.ButtonRole.RejectRole)
    box.setDefaultButton(close)
    box.setEscapeButton(close)
    return box


def trace_text(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> str:
    """Return where a fault came from, without secrets; the end, where it is long."""
    text = "".join(traceback.format_exception(kind, error, trace))
    return redact_text(plain(text))[-TRACE_CHARS_MAX:]


def _box(icon: QMessageBox.Icon, title: str, *sentences: str) -> QMessageBox:
    box = QMessageBox(icon, title, title)
    box.setTextFormat(Qt.TextFormat.PlainText)
    box.setInformativeText("\n".join(sentences))
    box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    box.setWindowIcon(icons.app_icon())
    return box
