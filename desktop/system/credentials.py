"""The worker's token: in the system's safe, or in a file that only its owner can read.

Backends are chosen by name. Left to itself, keyring may pick one that writes plain text without
saying so (keyrings.alt does).
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Protocol

SERVICE = "deskhand"
SAFE_BACKENDS = ("SecretService", "kwallet", "macOS", "Windows")


def save_token(token: str, *, worker_id: str, file: Path, allow_safe: bool = True) -> str:
    """Keep the token; return where, in words."""
    if allow_safe and (safe := _safe()) is not None and _put(safe, worker_id, token):
        file.unlink(missing_ok=True)
        return f"the system's safe ({type(safe).__module__.rsplit('.', 1)[-1]})"
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as opened:
        opened.write(token)
    file.chmod(0o600)
    return f"{file} (readable by you alone; this system offers no safe for secrets)"


def load_token(*, worker_id: str, file: Path) -> str | None:
    """Return the token, or None when there is none."""
    if file.exists():
        return file.read_text(encoding="utf-8").strip() or None
    safe = _safe()
    if safe is None:
        return None
    try:
        return safe.get_password(SERVICE, worker_id)
    except Exception:
        return None


class _Safe(Protocol):
    """The part of keyring's backends that is used; keyring itself is imported only if needed."""

    def set_password(self, service: str, username: str, password: str) -> None: ...
    def get_password(self, service: str, username: str) -> str | None: ...


def _put(safe: _Safe, worker_id: str, token: str) -> bool:
    try:
        safe.set_password(SERVICE, worker_id, token)
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
