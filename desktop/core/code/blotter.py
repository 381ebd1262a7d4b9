"""Takes a key out of bytes that pass by, wherever the pieces are cut."""

from __future__ import annotations

from shared.redaction import BLOT

SECRET_BYTES_MIN = 8
"""A shorter one would be found in what is none."""


class Blotter:
    """One stream of bytes, in which a secret must not stand."""

    def __init__(self, secret: str) -> None:
        self._secret = secret.encode() if len(secret) >= SECRET_BYTES_MIN else b""
        self._held = b""

    def feed(self, chunk: bytes) -> bytes:
        """Return what may be passed on; what could be the secret's beginning waits."""
        if not self._secret:
            return chunk
        told = (self._held + chunk).replace(self._secret, BLOT.encode())
        size = self._beginning(told)
        self._held = told[len(told) - size :]
        return told[: len(told) - size]

    def end(self) -> bytes:
        """Return what waited; of a secret that was cut off, nothing that says much is left."""
        held, self._held = self._held, b""
        return held if len(held) < SECRET_BYTES_MIN else BLOT.encode()

    def _beginning(self, told: bytes) -> int:
        """Return how many bytes at the end begin the secret."""
        for size in range(min(len(self._secret) - 1, len(told)), 0, -1):
            if self._secret.startswith(told[-size:]):
                return size
        return 0
