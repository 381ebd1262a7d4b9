"""The key by which a hub knows this machine again: Ed25519, made before the first pairing.

Only its public half ever leaves the machine. The private half is kept like the token.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from desktop.system.credentials import load_secret, save_secret
from desktop.system.safe import Safe
from shared.errors import AppError
from shared.pairing import b64, from_b64
from shared.signatures import Sign

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

PRIVATE_KEY_BYTES = 32
NAMED_BY_CHARS = 16


class DeviceKey:
    """Signs; shows its public half to whoever prints it."""

    def __init__(self, private: Ed25519PrivateKey) -> None:
        self._private = private
        self.public = private.public_key().public_bytes_raw()
        """32 bytes."""

    def __repr__(self) -> str:
        return f"<DeviceKey {b64(self.public)}>"

    def sign(self, message: bytes) -> bytes:
        """Return 64 bytes."""
        return self._private.sign(message)


def make_key() -> DeviceKey:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    return DeviceKey(Ed25519PrivateKey.generate())


def save_key(key: DeviceKey, *, file: Path, allow_safe: bool = True) -> str:
    """Keep a key; return where, in words."""
    text = b64(key._private.private_bytes_raw())  # noqa: SLF001 (its keeper, in one module)
    return save_secret(text, entry=_entry(b64(key.public)), file=file, allow_safe=allow_safe)


def load_key(public: str, *, file: Path) -> DeviceKey | None:
    """Return the key with this public half (base64url), or None when it is gone or another's."""
    text = load_secret(entry=_entry(public), file=file)
    return None if text is None else _read(text, public)


def load_signer(public: str, *, file: Path, safe: Safe | None = None) -> Sign | None:
    """Return what signs with the key of this public half; None when it is gone.

    The key is made of its bytes when it first signs: a computer that writes nothing needs no
    cryptography. One that turns out to be another's signs nothing.
    """
    text = load_secret(entry=_entry(public), file=file, safe=safe) if public else None
    return None if text is None else _LateKey(text, public)


class _LateKey:
    def __init__(self, text: str, public: str) -> None:
        self._text, self._public = text, public
        self._key: DeviceKey | None = None

    def __call__(self, message: bytes) -> bytes:
        if self._key is None and self._text:
            self._key = _read(self._text, self._public)
            self._text = ""
        return self._key.sign(message) if self._key else b""


def _read(text: str, public: str) -> DeviceKey | None:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    try:
        key = DeviceKey(Ed25519PrivateKey.from_private_bytes(from_b64(text, PRIVATE_KEY_BYTES)))
    except AppError:
        return None
    return key if b64(key.public) == public else None


def _entry(public: str) -> str:
    return f"device key {public[:NAMED_BY_CHARS]}"
