"""The worker's secrets: in the system's safe, or in a file that only its owner can read.

Backends are chosen by name. Left to itself, keyring may pick one that writes plain text without
saying so (keyrings.alt does).
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import Protocol

SERVICE = "deskhand"
SAFE_BACKENDS = ("SecretService", "kwallet", "macOS", "Windows")


def save_secret(secret: str, *, entry: str, file: Path, allow_safe: bool = True) -> str:
    """Keep a secret; return where, in words.

    Args:
        secret: one line of text.
        entry: its name in the safe.
        file: where it is kept without a safe.
        allow_safe: False leaves the system's safe alone.
    """
    if allow_safe and (safe := _safe()) is not None and _put(safe, entry, secret):
        file.unlink(missing_ok=True)
        return f"the system's safe ({type(safe).__module__.rsplit('.', 1)[-1]})"
    # Made anew and moved into place: it is never half a secret, never readable by others, and
    # a link that lies there is replaced, not followed.
    aside = file.with_name(f"{file.name}.new")
    aside.unlink(missing_ok=True)
    descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as opened:
        opened.write(secret)
        opened.flush()
        os.fsync(descriptor)
    aside.replace(file)
    return f"{file} (readable by you alone; this system offers no safe for secrets)"


def load_secret(*, entry: str, file: Path) -> str | None:
    """Return the secret, or None when there is none."""
    if file.exists():
        return file.read_text(encoding="utf-8").strip() or None
    safe = _safe()
    if safe is None:
        return None
    try:
        return safe.get_password(SERVICE, entry)
    except Exception:
        return None


def forget_secret(*, entry: str, file: Path) -> None:
    """Remove a secret wherever it is kept. Idempotent; a safe that is locked keeps what it has."""
    file.unlink(missing_ok=True)
    safe = _safe()
    if safe is not None:
        with contextlib.suppress(Exception):
            safe.delete_password(SERVICE, entry)


class _Safe(Protocol):
    """The part of keyring's backends that is used; keyring itself is imported only if needed."""

    def set_password(self, service: str, username: str, password: str) -> None: ...
    def get_password(self, service: str, username: str) -> str | None: ...
    def delete_password(self, service: str, username: str) -> None: ...


def _put(safe: _Safe, entry: str, secret: str) -> bool:
    try:
        safe.set_password(SERVICE, entry, secret)
    except Exception:
        return False
    return True


def _safe() -> _Safe | None:
    try:
        import keyring
    except ImportError:
        return None
    backend = keyring.get_keyring()
    members: list[_Safe] = list(getattr(backend, "backends", [backend]))
    for member in members:
        if type(member).__module__.removeprefix("keyring.backends.") in SAFE_BACKENDS:
            return member
    return None
