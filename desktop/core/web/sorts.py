"""What sort of document a server has sent: by what it says, by the first bytes, by the address."""

from __future__ import annotations

from enum import StrEnum
from urllib.parse import urlsplit

HEAD_BYTES = 512
"""As much of a body as is looked at."""


class Sort(StrEnum):
    """What is read, and how."""

    HTML = "html"
    TEXT = "text"
    """Plain, Markdown, CSV, JSON, XML: shown as it is."""
    PDF = "pdf"
    DOCX = "docx"
    XLSX = "xlsx"
    PPTX = "pptx"

    @property
    def is_document(self) -> bool:
        """Whether a part of it cannot be read: what is longer than allowed is refused, not cut."""
        return self not in (Sort.HTML, Sort.TEXT)


_OFFICE = "application/vnd.openxmlformats-officedocument"
_BY_TYPE = {
    "text/html": Sort.HTML,
    "application/xhtml+xml": Sort.HTML,
    "application/pdf": Sort.PDF,
    "application/x-pdf": Sort.PDF,
    f"{_OFFICE}.wordprocessingml.document": Sort.DOCX,
    f"{_OFFICE}.spreadsheetml.sheet": Sort.XLSX,
    f"{_OFFICE}.presentationml.presentation": Sort.PPTX,
    "application/json": Sort.TEXT,
    "application/ld+json": Sort.TEXT,
    "application/xml": Sort.TEXT,
    "application/rss+xml": Sort.TEXT,
    "application/atom+xml": Sort.TEXT,
    "application/x-ndjson": Sort.TEXT,
    "application/yaml": Sort.TEXT,
}
_BY_ENDING = {
    "pdf": Sort.PDF,
    "docx": Sort.DOCX,
    "xlsx": Sort.XLSX,
    "pptx": Sort.PPTX,
    "htm": Sort.HTML,
    "html": Sort.HTML,
    "txt": Sort.TEXT,
    "md": Sort.TEXT,
    "csv": Sort.TEXT,
    "json": Sort.TEXT,
}
_SAYS_NOTHING = ("", "application/octet-stream", "binary/octet-stream", "application/zip")
_MARKS = (b"<!doctype html", b"<html", b"<head", b"<body")


def sort_told(media_type: str, url: str) -> Sort | None:
    """Return what a server says that it sends; None for what is never read (a video, a program).

    Args:
        media_type: without parameters, in small letters; empty when it says nothing.
        url: what its path ends with counts where the type says nothing.
    """
    if media_type in _SAYS_NOTHING:
        return _BY_ENDING.get(_ending(url), None if media_type else Sort.HTML)
    if media_type in _BY_TYPE:
        return _BY_TYPE[media_type]
    return Sort.TEXT if media_type.startswith("text/") else None


def sort_of(told: Sort, head: bytes) -> Sort | None:
    """Return what a body really is; None when it is not what was told.

    Servers send PDFs as text and pages as documents; reading goes by what the bytes are, and what
    is told decides only among texts and among packed documents.
    """
    start = head[:HEAD_BYTES].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if head[:1024].find(b"%PDF-") >= 0 and (told is Sort.PDF or head.startswith(b"%PDF-")):
        return Sort.PDF
    if head.startswith(b"PK\x03\x04"):
        return told if told in (Sort.DOCX, Sort.XLSX, Sort.PPTX) else None
    if told.is_document:
        return Sort.HTML if start.startswith(_MARKS) else None
    if _is_binary(head):
        return None
    return Sort.HTML if start.startswith(_MARKS[:2]) else told


def _is_binary(head: bytes) -> bool:
    """Say whether bytes are no text: NULs, but for UTF-16 and UTF-32 that say what they are."""
    if head.startswith((b"\xff\xfe", b"\xfe\xff", b"\x00\x00\xfe\xff")):
        return False
    return b"\x00" in head


def _ending(url: str) -> str:
    return urlsplit(url).path.rpartition("/")[2].rpartition(".")[2].lower()
