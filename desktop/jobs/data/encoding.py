"""The bytes of a text file: its fingerprint and its encoding.

One pass over the whole file, so a code page is never mistaken for UTF-8 because its first
accented letter comes late.
"""

from __future__ import annotations

import codecs
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from desktop.jobs.data.code_pages import code_page_of
from shared.errors import BadInput

BLOCK_BYTES = 1 << 20
SAMPLE_BYTES = 64 << 10
BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
CONTROL_SHARE_MAX = 0.02
"""Above this share of control characters a file is no text."""
NUL_SHARE_UTF16 = 0.2
MAGICS = (
    (b"PK\x03\x04", "a zip archive or a workbook"),
    (b"PAR1", "a Parquet file"),
    (b"\xd0\xcf\x11\xe0", "an old Office file"),
    (b"%PDF", "a PDF"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
    (b"SQLite format 3\x00", "a database"),
    (b"\x7fELF", "a program"),
    (b"MZ\x90\x00", "a program"),
)
Step = Callable[[float, float], None]


@dataclass(frozen=True, slots=True)
class Fingerprint:
    file_bytes: int
    sha256: str
    lines: int
    """Line feeds in the file: a good guess at its rows."""
    is_utf8: bool
    head: bytes
    odd: bytes
    """Bytes around the first place that is no UTF-8; empty when there is none."""


def fingerprint(path: Path, step: Step | None = None) -> Fingerprint:
    """Read a file once; `step` is told (bytes done, bytes in all)."""
    total = path.stat().st_size
    digest = hashlib.sha256()
    decoder = codecs.getincrementaldecoder("utf-8")()
    lines, done, head, odd, is_utf8 = 0, 0, b"", b"", True
    with path.open("rb") as file:
        while block := file.read(BLOCK_BYTES):
            digest.update(block)
            lines += block.count(b"\n")
            head = head or block[:SAMPLE_BYTES]
            if is_utf8:
                try:
                    decoder.decode(block)
                except UnicodeDecodeError as error:
                    is_utf8, odd = False, _lines_around(block, error.start)
            done += len(block)
            if step is not None:
                step(done, max(total, done))
    if is_utf8:
        try:
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            is_utf8, odd = False, head
    return Fingerprint(done, digest.hexdigest(), lines, is_utf8, head, odd)


def encoding_of(print_: Fingerprint, file: str) -> str:
    """Name the Python codec of a text file.

    Raises:
        BadInput: `file_binary`.
    """
    head = print_.head
    for bom, name in BOMS:
        if head.startswith(bom):
            return name
    what = next((what for magic, what in MAGICS if head.startswith(magic)), None)
    if what is not None:
        raise _binary(file, f"looks like {what}")
    wide = _utf16_without_bom(head)
    if wide is not None:
        return wide
    if _control_share(head) > CONTROL_SHARE_MAX:
        raise _binary(file, "holds bytes that are no text")
    return "utf-8" if print_.is_utf8 else code_page_of(print_.odd)


def _lines_around(block: bytes, place: int) -> bytes:
    """Take whole lines: letters cut out of their words are hard to tell."""
    start = block.rfind(b"\n", 0, max(0, place - SAMPLE_BYTES // 2)) + 1
    return block[start : place + SAMPLE_BYTES // 2]


def _utf16_without_bom(head: bytes) -> str | None:
    """Latin text in UTF-16 has a NUL in every second byte, always on the same side."""
    even, odd = head[0::2].count(0), head[1::2].count(0)
    half = max(1, len(head) // 2)
    if odd / half > NUL_SHARE_UTF16 and even / half < NUL_SHARE_UTF16 / 10:
        return "utf-16-le"
    if even / half > NUL_SHARE_UTF16 and odd / half < NUL_SHARE_UTF16 / 10:
        return "utf-16-be"
    return None


def _control_share(head: bytes) -> float:
    """Count control characters; a few NULs happen in logs and broken exports."""
    controls = bytes(code for code in range(32) if code not in b"\t\n\r\f\x1a\x0b")
    return len(head) and (len(head) - len(head.translate(None, controls))) / len(head)


def _binary(file: str, why: str) -> BadInput:
    return BadInput(
        "file_binary",
        f"{file} {why}, not a table of text.",
        "Save it as CSV, Excel (.xlsx) or Parquet, with the ending that belongs to it.",
    )
