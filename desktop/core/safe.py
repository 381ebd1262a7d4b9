"""What can be wrong with the system's safe for secrets, in words."""

from __future__ import annotations

from shared.errors import Unavailable

MISSING = "safe_missing"
LOCKED = "safe_locked"
SILENT = "safe_silent"
BROKEN = "safe_broken"
_FALLBACK = "Until then secrets are kept in files that only you can read."


class SafeTrouble(Unavailable):
    """The safe cannot be used now; secrets go into files for their owner alone."""


def missing() -> SafeTrouble:
    return SafeTrouble(
        MISSING,
        "This system offers no safe for secrets.",
        "Start a keyring service (GNOME Keyring, KWallet) if you want one. " + _FALLBACK,
        retryable=True,
    )


def locked() -> SafeTrouble:
    return SafeTrouble(
        LOCKED,
        "The system's safe for secrets is locked.",
        "Unlock it, in most systems by logging in with your password. " + _FALLBACK,
        retryable=True,
    )


def silent(seconds: float) -> SafeTrouble:
    return SafeTrouble(
        SILENT,
        f"The system's safe for secrets has not answered for {seconds:.0f} seconds.",
        "Look for a window that asks for its password. " + _FALLBACK,
        retryable=True,
    )


def broken(why: str) -> SafeTrouble:
    return SafeTrouble(
        BROKEN,
        f"The system's safe for secrets does not work ({why}).",
        "Look at it in the system's own settings. " + _FALLBACK,
        retryable=True,
    )
