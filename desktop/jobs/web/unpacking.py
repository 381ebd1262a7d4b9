"""Takes the packing off a body as it comes, never more than is wanted: a bomb ends at the cap."""

from __future__ import annotations

import zlib

from shared.errors import BadInput

ACCEPTED = "gzip, deflate"
"""What servers are told that they may use; both have a reader that stops where it is told to."""
_GZIP, _RAW = 16 + zlib.MAX_WBITS, -zlib.MAX_WBITS


class Unpacker:
    """One body. `feed` what comes; at `is_full` nothing more is needed."""

    def __init__(self, encoding: str, *, bytes_max: int) -> None:
        """Begin.

        Args:
            encoding: of the header Content-Encoding.
            bytes_max: of what is unpacked, and of what comes.

        Raises:
            BadInput: `page_packed`.
        """
        self.is_full = False
        self._bytes_max = bytes_max
        self._came = 0
        self._made = bytearray()
        self._encoding = encoding.strip().lower()
        self._packer = self._begun()

    @property
    def body(self) -> bytes:
        return bytes(self._made)

    def feed(self, data: bytes) -> None:
        """Take what came.

        Raises:
            BadInput: `page_packed`: it is not packed as it was told.
        """
        self._came += len(data)
        if self._packer is None:
            self._keep(data)
        else:
            self._unpack(data)
        if self._came > self._bytes_max:
            self.is_full = True

    def _unpack(self, data: bytes) -> None:
        while data and not self.is_full:
            assert self._packer is not None
            room = self._bytes_max - len(self._made) + 1
            try:
                self._keep(self._packer.decompress(data, room))
            except zlib.error:
                if self._encoding != "deflate" or self._made:
                    raise _packed("it cannot be unpacked") from None
                self._encoding, self._packer = "raw", zlib.decompressobj(_RAW)
                continue
            if self._packer.eof:  # gzip may go on with another member
                data = self._packer.unused_data
                self._packer = self._begun()
            else:
                data = self._packer.unconsumed_tail

    def _keep(self, data: bytes) -> None:
        room = self._bytes_max - len(self._made)
        self._made += data[:room]
        if len(data) > room:
            self.is_full = True

    def _begun(self) -> zlib._Decompress | None:
        match self._encoding:
            case "" | "identity":
                return None
            case "gzip" | "x-gzip":
                return zlib.decompressobj(_GZIP)
            case "deflate":
                return zlib.decompressobj()
            case "raw":
                return zlib.decompressobj(_RAW)
            case _:
                raise _packed(f"it is packed in a way ({self._encoding[:40]}) nobody asked for")


def _packed(why: str) -> BadInput:
    return BadInput("page_packed", f"The page cannot be read: {why}.", "Nothing can be done here.")
