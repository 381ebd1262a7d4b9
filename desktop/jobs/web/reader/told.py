"""What the reader tells of a document; the worker takes no more than this from it."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

TEXT_CHARS_MAX = 400_000
"""Of one document; a book's beginning."""
TITLE_CHARS_MAX = 300
DATE_CHARS_MAX = 40


class Told(BaseModel):
    """A document as text."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    title: str = Field(default="", max_length=TITLE_CHARS_MAX)
    text: str = Field(default="", max_length=TEXT_CHARS_MAX)
    published: str = Field(default="", max_length=DATE_CHARS_MAX)
    is_cut: bool = False
    """There is more text than was taken."""
    needs_scripts: bool = False
    """It shows little without its scripts."""
    fault: str = Field(default="", max_length=300)
    """Why it could not be read, in words; empty when it could."""


def told(title: str, text: str, published: str = "", *, needs_scripts: bool = False) -> Told:
    """Make it fit, whatever came out of a document."""
    return Told(
        title=" ".join(title.split())[:TITLE_CHARS_MAX],
        text=text[:TEXT_CHARS_MAX],
        published=published[:DATE_CHARS_MAX],
        is_cut=len(text) > TEXT_CHARS_MAX,
        needs_scripts=needs_scripts,
    )
