"""Small secrets that the store keeps and that have to be read back: sealed under a key of its own.

Whoever has the store alone (a disk, a copied file) cannot read them; the key is made of the hub's
pepper, which lies beside the store. A backup holds both.
"""

from __future__ import annotations

import hashlib
import hmac

NONCE_BYTES = 12


class Sealer:
    """Seals under one key; ChaCha20-Poly1305 (RFC 8439)."""

    def __init__(self, pepper: bytes, purpose: str) -> None:
        self._key = hmac.digest(pepper, f"deskhand {purpose}".encode(), hashlib.sha256)

    def seal(self, secret: bytes, about: str, nonce: bytes) -> bytes:
        """Seal a secret.

        Args:
            secret: what nobody else may read.
            about: whose it is; it opens for the same alone.
            nonce: `NONCE_BYTES` random bytes.
        """
        from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

        assert len(nonce) == NONCE_BYTES
        return nonce + ChaCha20Poly1305(self._key).encrypt(nonce, secret, about.encode())

    def open(self, sealed: bytes, about: str) -> bytes | None:
        """Read a secret back; None when it was sealed under another key, or for another."""
        from cryptography.exceptions import InvalidTag
        from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

        nonce, rest = sealed[:NONCE_BYTES], sealed[NONCE_BYTES:]
        try:
            return ChaCha20Poly1305(self._key).decrypt(nonce, rest, about.encode())
        except (InvalidTag, ValueError):
            return None
