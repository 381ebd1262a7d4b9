"""Turns PDF and Office files into text, in a process of its own that can be ended at any time.

The files are strangers': one may be a bomb, or hold the reader up for ever. What comes back is
text, bounded; nothing of the file is run, and nothing is fetched.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from desktop.system.program import boxed_command
from shared.errors import AppError, BadInput, LimitReached, NotAllowed, Unavailable
from shared.kinds import file_name_of

SUFFIXES = (".pdf", ".docx", ".xlsx", ".pptx")
SECONDS_MAX = 120.0
FILE_BYTES_MAX = 100 * 1000 * 1000
UNPACKED_BYTES_MAX = 500 * 1000 * 1000
MEMBERS_MAX = 20_000
TEXT_BYTES_MAX = 20 * 1000 * 1000
MEMORY_BYTES_MAX = 3 * 1024**3
WORD = "document"
"""Of `desktop.jobs.inside`."""
MISSING_STATUS, BROKEN_STATUS, LARGE_STATUS = 3, 4, 5


def converted(path: Path, *, seconds_max: float = SECONDS_MAX) -> str:
    """Return the text of a document, tables as Markdown.

    Raises:
        BadInput: `file_broken`.
        LimitReached: `file_too_large`, `reading_too_long`.
        NotAllowed: `file_unreadable`.
        Unavailable: `documents_missing`.
    """
    name = file_name_of(path.name)
    _check(path, name)
    with tempfile.TemporaryDirectory(prefix="deskhand-read-") as folder:
        made = Path(folder) / "text"
        status = _run([*_command(), str(path), str(made)], Path(folder), seconds_max)
        if status is None:
            raise LimitReached(
                "reading_too_long",
                f"{name} could not be read in {seconds_max:.0f} s; it was given up.",
                "Save it in a simpler form, or take a part of it.",
            )
        if status == 0:
            return made.read_bytes()[:TEXT_BYTES_MAX].decode("utf-8", "replace")
    raise _fault(status, name)


def _check(path: Path, name: str) -> None:
    try:
        if path.stat().st_size > FILE_BYTES_MAX:
            raise too_large(name)
        if path.suffix.lower() != ".pdf":
            with zipfile.ZipFile(path) as archive:
                members = archive.infolist()
            if len(members) > MEMBERS_MAX or sum(m.file_size for m in members) > UNPACKED_BYTES_MAX:
                raise too_large(name)
    except (zipfile.BadZipFile, ValueError, NotImplementedError):
        raise _broken(name) from None
    except OSError as error:
        raise NotAllowed(
            "file_unreadable", f"{name} cannot be read ({error.strerror}).", ""
        ) from error


def _command() -> list[str]:
    boxed = boxed_command(WORD)
    return boxed or [sys.executable, "-P", "-m", "desktop.jobs.documents.conversion_child"]


def _run(command: list[str], folder: Path, seconds_max: float) -> int | None:
    """Run to its end; None when it took too long and was ended with all that it started."""
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "TMPDIR": str(folder)},
    )
    try:
        return process.wait(seconds_max)
    except subprocess.TimeoutExpired:
        return None
    finally:
        with contextlib.suppress(OSError):
            process.send_signal(getattr(signal, "SIGKILL", signal.SIGTERM))
        process.wait()


def _fault(status: int, name: str) -> AppError:
    if status == MISSING_STATUS:
        return Unavailable(
            "documents_missing",
            f"{name} cannot be read: this machine lacks what reads such documents.",
            "Run there: deskhand setup web",
        )
    return too_large(name) if status == LARGE_STATUS else _broken(name)


def too_large(name: str) -> LimitReached:
    return LimitReached(
        "file_too_large",
        f"{name} is larger, packed or unpacked, than what is read.",
        "Take a part of it.",
    )


def _broken(name: str) -> BadInput:
    return BadInput(
        "file_broken",
        f"{name} cannot be read: it is damaged, locked by a password, or not what it is called.",
        "Open it in its own program and save it anew.",
    )
