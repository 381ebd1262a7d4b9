"""Pictures of a document: files of allowed folders alone; nothing is fetched from anywhere."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePath

from shared.errors import AppError
from shared.plain_text import plain_line

BYTES_MAX = 20 * 1000 * 1000
PIXELS_MAX = 50_000_000
FORMATS = ("PNG", "JPEG")
PICTURES_MAX = 60
SOURCE_CHARS_MAX = 60


@dataclass(frozen=True, slots=True)
class Seen:
    """A picture that may go into a document."""

    path: Path
    width: int
    """In pixels."""
    height: int


class Pictures:
    """Finds the pictures of one document, and remembers those that it could not."""

    def __init__(self, find: Callable[[str], Path]) -> None:
        """`find` raises AppError for what is not allowed or not there."""
        self._find = find
        self._count = 0
        self.left_out: list[str] = []

    def see(self, source: str) -> Seen | None:
        """Look at a picture; None when it is left out."""
        seen = self._seen(source)
        if seen is None:
            name = source if "://" in source else PurePath(source).name
            self.left_out.append(plain_line(name)[:SOURCE_CHARS_MAX])
        return seen

    def _seen(self, source: str) -> Seen | None:
        from PIL import Image

        self._count += 1
        try:
            if self._count > PICTURES_MAX or "://" in source or source.startswith("data:"):
                return None
            path = self._find(source)
            if path.stat().st_size > BYTES_MAX:
                return None
            # Only the head is read here: a bomb says how large it would be.
            with Image.open(path, formats=FORMATS) as image:
                width, height = image.size
        except (AppError, OSError, ValueError, Image.DecompressionBombError):
            return None
        if not 0 < width * height <= PIXELS_MAX:
            return None
        return Seen(path, width, height)
