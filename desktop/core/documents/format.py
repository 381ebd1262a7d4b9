"""Which formats documents are written in, by their names and endings."""

from __future__ import annotations

from enum import StrEnum
from pathlib import PurePath

from shared.errors import BadInput


class Format(StrEnum):
    """Values are those of `shared.kinds.files.FormatName`, and the endings without their dot."""

    MD = "md"
    TXT = "txt"
    DOCX = "docx"
    PDF = "pdf"
    CSV = "csv"
    JSON = "json"

    @property
    def ending(self) -> str:
        return f".{self.value}"

    @property
    def is_text(self) -> bool:
        """The file is the text itself."""
        return self not in (Format.DOCX, Format.PDF)


def format_of(name: str, given: str | None) -> Format:
    """Find the format: the one that was said, else the name's ending, else Markdown.

    Raises:
        BadInput: `format_unlike`, when name and word say different ones.
    """
    ending = PurePath(name).suffix.casefold().removeprefix(".")
    by_name = Format(ending) if ending in tuple(Format) else None
    if given is None:
        return by_name or Format.MD
    if by_name is not None and by_name != given:
        raise BadInput(
            "format_unlike",
            f"The name ends with .{by_name}, and {given} was asked for.",
            "Say one of them.",
        )
    return Format(given)
