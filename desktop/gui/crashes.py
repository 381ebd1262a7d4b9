"""What is done about faults of this program: those that Python sees, and those that kill it.

The interpreter writes its last words into a file when it is killed by a fault. A start that finds
more than its own mark at the end of that file follows one that ended so.
"""

from __future__ import annotations

import faulthandler
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from types import TracebackType

import structlog
from PySide6.QtWidgets import QMessageBox

from desktop.gui.boxes import tell_fault

log = structlog.get_logger(__name__)

BYTES_MAX = 64 * 1024
MARK = "started "

Hook = Callable[[type[BaseException], BaseException, TracebackType | None], None]


@contextmanager
def last_words(path: Path, now: datetime) -> Iterator[bool]:
    """Let the interpreter write its last words inside the block; tell whether it did before."""
    before = path.read_bytes()[-BYTES_MAX:] if path.exists() else b""
    lines = before.decode("utf-8", errors="replace").splitlines()
    has_crashed = bool(lines) and not lines[-1].startswith(MARK)
    with path.open("ab" if len(before) < BYTES_MAX else "wb") as file:
        file.write(f"{MARK}{now.isoformat()}\n".encode())
        file.flush()
        faulthandler.enable(file)
        try:
            yield has_crashed
        finally:
            faulthandler.disable()


@contextmanager
def shown(reports: Callable[[], object]) -> Iterator[None]:
    """Show faults in slots and tasks of the windows inside the block; the program goes on."""
    boxes: list[QMessageBox] = []

    def crashed(
        kind: type[BaseException], error: BaseException, trace: TracebackType | None
    ) -> None:
        log.error("fault in the windows", exc_info=(kind, error, trace))
        if boxes:  # one fault can come with every repaint
            return
        box = tell_fault(kind, error, trace, reports)
        boxes.append(box)
        box.destroyed.connect(boxes.clear)
        box.open()

    before = sys.excepthook
    sys.excepthook = crashed
    try:
        yield
    finally:
        sys.excepthook = before
