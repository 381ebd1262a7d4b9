"""Bytes of the web as text, whatever they are told to be."""

from __future__ import annotations

import codecs

from charset_normalizer import from_bytes

META_BYTES = 2048
"""Where a page names its own encoding (HTML, 4.2.5.4: the first 1024 bytes)."""
GUESS_BYTES = 64 * 1024
_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))


_TEXT = (
    "utf-8", "utf_8", "utf-16", "utf-32", "ascii", "iso8859-", "cp125", "cp866", "cp932", "cp949",
    "koi8-", "gb", "big5", "euc_", "shift_jis", "iso2022_", "mac-", "tis-620",
)  # fmt: skip
"""Names of encodings that texts have, as Python calls them. It knows others that are none, and
some that take hours for what a stranger thinks up (punycode)."""


def decoded(body: bytes, charset: str) -> str:
    """Return a page's text: its mark, the server's word, the page's own, else a good guess."""
    for mark, name in _MARKS:
        if body.startswith(mark):
            return body.decode(name, errors="replace")
    for name in (charset, _declared(body), "utf-8"):
        if not _is_of_texts(name):
            continue
        try:
            return body.decode(name)
        except UnicodeDecodeError:
            continue
    found = from_bytes(body[:GUESS_BYTES]).best()
    guess = found.encoding if found is not None else "utf-8"
    return body.decode(guess, errors="replace")


def _is_of_texts(name: str) -> bool:
    try:
        return codecs.lookup(name).name.startswith(_TEXT)
    except (LookupError, ValueError):  # a name may hold anything
        return False


def _declared(body: bytes) -> str:
    head = body[:META_BYTES].lower()
    place = head.find(b"charset=")
    if place < 0:
        return ""
    name = head[place + 8 : place + 48].lstrip(b"\"' ")
    kept = bytearray()
    for byte in name:
        if not (chr(byte).isalnum() or byte in b"-_"):
            break
        kept.append(byte)
    return kept.decode("ascii", "replace")
