"""Where a test puts the files that a frontend is to send."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from shared.errors import NotFound, Unavailable


@dataclass(slots=True)
class Shelf:
    """Files of the test."""

    folder: Path
    is_late: bool = False

    async def path(self, sha256: str) -> Path:
        if self.is_late:
            raise Unavailable("file_not_here", "It is on its way.", retryable=True)
        path = self.folder / sha256
        if not path.exists():
            raise NotFound("file_gone", "The hub does not have that file any more.")
        return path

    def put(self, sha256: str, content: bytes) -> None:
        (self.folder / sha256).write_bytes(content)
