"""The folder in which files lie until they were sent: one folder a person, named by content.

People never share a file here, not even one of the same content: knowing a hash must not be
enough to be given what somebody else's worker brought. Only the hub's user can read it.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
from pathlib import Path
from typing import BinaryIO

from shared.ids import PersonId

PART_SUFFIX = ".part"


class Part:
    """A file that is coming in: appended to, then put in its place, or dropped."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.size_bytes = 0
        self._digest = hashlib.sha256()
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        self._stream: BinaryIO = os.fdopen(handle, "wb")

    @property
    def sha256(self) -> str:
        return self._digest.hexdigest()

    def add(self, data: bytes) -> None:
        self._stream.write(data)
        self._digest.update(data)
        self.size_bytes += len(data)

    def finish(self) -> None:
        """Force it to the disk."""
        self._stream.flush()
        os.fsync(self._stream.fileno())
        self._stream.close()

    def drop(self) -> None:
        """Remove it, unless it was put in its place. Idempotent."""
        with contextlib.suppress(OSError):
            self._stream.close()
        self.path.unlink(missing_ok=True)


class Shelf:
    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def place_of(self, person_id: PersonId, sha256: str) -> Path:
        return self._folder / person_id / sha256

    def begin(self, person_id: PersonId) -> Part:
        """Begin to take a file in."""
        place = self._folder / person_id
        place.mkdir(parents=True, exist_ok=True, mode=0o700)
        return Part(place / f"{secrets.token_hex(8)}{PART_SUFFIX}")

    def put(self, part: Part, person_id: PersonId) -> None:
        """Put a finished part in its place."""
        place = self.place_of(person_id, part.sha256)
        part.path.replace(place)
        if os.name != "nt":
            folder = os.open(place.parent, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)

    def remove(self, person_id: PersonId, sha256: str) -> None:
        with contextlib.suppress(OSError):
            self.place_of(person_id, sha256).unlink(missing_ok=True)

    def tidy(self, known: frozenset[tuple[PersonId, str]]) -> None:
        """Remove what a killed hub left half written, and contents nobody knows of."""
        for path in self._folder.glob("*/*"):
            if (PersonId(path.parent.name), path.name) not in known:
                with contextlib.suppress(OSError):
                    path.unlink()
