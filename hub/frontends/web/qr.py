"""A text as a QR code that a page may show."""

from __future__ import annotations

QUIET_MODULES = 2


def picture(text: str) -> str:
    """Draw a text, as the address of an SVG image; dark on white, for that is what cameras read."""
    import segno

    code = segno.make(text, error="m", micro=False)
    return code.svg_data_uri(border=QUIET_MODULES, dark="#000", light="#fff", omitsize=True)
