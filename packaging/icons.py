"""Render the program's icon for installers: PNGs and an SVG, an .ico and an .icns.

    python packaging/icons.py FOLDER

The drawing is the app's own (`desktop.gui.icons`); nothing of this is kept in the repository.
"""

from __future__ import annotations

import os
import struct
import sys
from pathlib import Path

from PySide6.QtCore import QBuffer, QIODevice
from PySide6.QtGui import QGuiApplication

from desktop.gui import icons
from shared.look import LIGHT

SIZES = (16, 24, 32, 48, 64, 128, 256, 512)
ICO_SIZES = (16, 24, 32, 48, 64, 256)
ICNS_TYPES = {b"icp4": 16, b"icp5": 32, b"ic07": 128, b"ic08": 256, b"ic09": 512}
NAME = "deskhand"
MARGIN = icons.GRID * (1 / 0.66 - 1) / 2
"""Around the mark on its square, in the drawing's units; as `icons.app_pixmap` has it."""


def render(folder: Path) -> None:
    """Write every format into a folder."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    app = QGuiApplication.instance() or QGuiApplication([NAME])
    folder.mkdir(parents=True, exist_ok=True)
    drawn = {size: png(size) for size in SIZES}
    for size, content in drawn.items():
        (folder / f"{NAME}-{size}.png").write_bytes(content)
    (folder / f"{NAME}.svg").write_text(svg(), encoding="utf-8")
    (folder / f"{NAME}.ico").write_bytes(ico({size: drawn[size] for size in ICO_SIZES}))
    (folder / f"{NAME}.icns").write_bytes(icns(drawn))
    del app


def png(size: int) -> bytes:
    """Draw the icon at a size in pixels."""
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    icons.app_pixmap(size).save(buffer, "PNG")
    return bytes(buffer.data().data())


def svg() -> str:
    """Put the hand on its rounded square."""
    side = icons.GRID + 2 * MARGIN
    hand = (
        (icons.FOLDER / "hand.svg").read_text(encoding="utf-8").replace("currentColor", "#FFFFFF")
    )
    place = f'x="{MARGIN:g}" y="{MARGIN - icons.RISE:g}" width="24" height="24"'
    hand = hand.replace("<svg ", f"<svg {place} ", 1)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {side:g} {side:g}">\n'
        f'<rect width="{side:g}" height="{side:g}" rx="{side * 0.22:g}" fill="{LIGHT.accent}"/>\n'
        f"{hand.strip()}\n</svg>\n"
    )


def ico(drawn: dict[int, bytes]) -> bytes:
    """Put PNGs into a Windows icon (ICONDIR and its entries; 0 stands for 256)."""
    head = struct.pack("<HHH", 0, 1, len(drawn))
    place = len(head) + 16 * len(drawn)
    entries = b""
    for size, content in drawn.items():
        entries += struct.pack(
            "<BBBBHHII", size % 256, size % 256, 0, 0, 1, 32, len(content), place
        )
        place += len(content)
    return head + entries + b"".join(drawn.values())


def icns(drawn: dict[int, bytes]) -> bytes:
    """Put PNGs into a macOS icon: a type and a length before each."""
    parts = b"".join(
        kind + struct.pack(">I", 8 + len(drawn[size])) + drawn[size]
        for kind, size in ICNS_TYPES.items()
    )
    return b"icns" + struct.pack(">I", 8 + len(parts)) + parts


if __name__ == "__main__":
    render(Path(sys.argv[1]))
