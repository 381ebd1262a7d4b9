"""What goes along with a message in a chat: files under harmless names, QR codes as pictures."""

from __future__ import annotations

import io
import re

from shared.plain_text import plain_line

NAME_CHARS_MAX = 120
QR_SCALE = 8
"""Pixels for one module; with its quiet zone a pairing link is about 330 pixels wide."""
_NOT_IN_NAMES = re.compile(r'[/\\:*?"<>|]')


def safe_name(name: str) -> str:
    """A name that no computer takes for a folder, or for something else than it is."""
    told = _NOT_IN_NAMES.sub("_", plain_line(name)).strip(" .")
    stem, dot, suffix = told.rpartition(".")
    if dot and len(suffix) < 20:
        return f"{stem[: NAME_CHARS_MAX - len(suffix) - 1]}.{suffix}"
    return told[:NAME_CHARS_MAX] or "file"


def qr_png(text: str) -> bytes:
    """Draw a QR code as a PNG with its quiet zone (ISO/IEC 18004: four modules)."""
    import segno

    picture = io.BytesIO()
    segno.make(text, error="m", micro=False).save(picture, kind="png", scale=QR_SCALE, border=4)
    return picture.getvalue()
