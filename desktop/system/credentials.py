"""The worker's secrets: in the system's safe, or in a file that only its owner can read.

The file is what counts when both are there: it is written only while the safe cannot be used.
`bring_home` moves it into the safe when that works again. All of it blocks: call it in a thread.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from desktop.core.safe import SafeTrouble
from desktop.system.safe import Safe, system_safe


def save_secret(
    secret: str, *, entry: str, file: Path, allow_safe: bool = True, safe: Safe | None = None
) -> str:
    """Keep a secret; return where, in words.

    Args:
        secret: one line of text.
        entry: its name in the safe.
        file: where it is kept without a safe.
        allow_safe: False leaves the system's safe alone.
        safe: another than the system's.
    """
    why = "the system's safe was not to be used"
    if allow_safe:
        safe = safe or system_safe()
        try:
            safe.put(entry, secret)
        except SafeTrouble as trouble:
            why = trouble.message.rstrip(".")
        else:
            file.unlink(missing_ok=True)
            return f"the system's safe ({safe.name})"
    write_file(file, secret)
    return f"{file} (readable by you alone; {why[0].lower()}{why[1:]})"


def load_secret(*, entry: str, file: Path, safe: Safe | None = None) -> str | None:
    """Return the secret, or None when there is none or the safe cannot be used.

    The safe's `trouble` tells which.
    """
    if file.exists():
        return file.read_text(encoding="utf-8").strip() or None
    try:
        return (safe or system_safe()).get(entry)
    except SafeTrouble:
        return None


def bring_home(*, entry: str, file: Path, safe: Safe | None = None) -> bool:
    """Move a secret from its file into the safe; False when it stays where it is."""
    if not file.exists():
        return False
    secret = file.read_text(encoding="utf-8").strip()
    if not secret:
        return False
    with contextlib.suppress(SafeTrouble):
        (safe or system_safe()).put(entry, secret)
        file.unlink()
        return True
    return False


def remove_secret(*, entry: str, file: Path, safe: Safe | None = None) -> None:
    """Remove a secret from wherever it is.

    Raises:
        SafeTrouble: it may still be in the safe, which cannot be used now.
    """
    file.unlink(missing_ok=True)
    (safe or system_safe()).remove(entry)


def forget_secret(*, entry: str, file: Path) -> None:
    """Remove a secret wherever it is kept. Idempotent; a safe that is locked keeps what it has."""
    with contextlib.suppress(SafeTrouble):
        remove_secret(entry=entry, file=file)


def write_file(file: Path, secret: str) -> None:
    """Write a file for its owner alone.

    Made anew and moved into place: it is never half a secret, never readable by others, and a
    link that lies there is replaced, not followed.
    """
    aside = file.with_name(f"{file.name}.new")
    aside.unlink(missing_ok=True)
    descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as opened:
        opened.write(secret)
        opened.flush()
        os.fsync(descriptor)
    aside.replace(file)
