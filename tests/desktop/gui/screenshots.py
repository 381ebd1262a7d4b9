"""Draws every state of every window, light, dark and at 200 %: `make screenshots`.

Each picture is made in a process of its own look and scale; the pictures for the docs are made
small enough to be kept in the repository.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import subprocess
import sys
import tempfile
from pathlib import Path

ACROSS, WIDE, HIGH, GAP = 4, 380, 290, 6
"""Of a sheet: pictures in a row, and their pixels."""
LOOKS = {"light": ("light", "1"), "dark": ("dark", "1"), "200": ("light", "2")}
"""By name: the colour scheme and the scale."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--only", default="", help="scenes whose names begin so: jobs, chat.empty")
    parser.add_argument("--look", choices=sorted(LOOKS), default="", help="this look alone, here")
    parser.add_argument("--sheets", type=Path, help="also put them small onto sheets, here")
    options = parser.parse_args()
    if options.look:
        return draw(options.folder, options.look, options.only)
    for look, (_, scale) in LOOKS.items():
        command = [sys.executable, "-m", __spec__.name, str(options.folder), "--look", look]
        environment = {
            **os.environ,
            "QT_SCALE_FACTOR": scale,
            "QT_QPA_PLATFORM": "offscreen",
            "LC_ALL": "C.UTF-8",
            "TZ": "UTC",
        }
        subprocess.run([*command, "--only", options.only], env=environment, check=True)
    if options.sheets:
        put_on_sheets(options.folder, options.sheets)
    return 0


def draw(folder: Path, look: str, only: str) -> int:
    """Draw all scenes in one look."""
    from PySide6.QtWidgets import QApplication

    from desktop.gui.style import Style
    from tests.desktop.gui.loop import on_qt_loop
    from tests.desktop.gui.scenes import all_scenes
    from tests.desktop.gui.world import open_desk

    app = QApplication([])
    style = Style(app, LOOKS[look][0])
    folder.mkdir(parents=True, exist_ok=True)

    @on_qt_loop
    async def one(name: str) -> None:
        with tempfile.TemporaryDirectory() as home:
            async with open_desk(Path(home)) as (desk, bridge):
                window = await all_scenes()[name](desk, bridge, style)
                window.show()
                await asyncio.sleep(0.2)
                window.grab().save(str(folder / f"{name}.{look}.png"), "PNG", 0)
                window.close()
                window.deleteLater()

    for name in sorted(all_scenes()):
        if name.startswith(only):
            one(name)
            print(f"{name}.{look}")
    return 0


def put_on_sheets(folder: Path, sheets: Path) -> None:
    """Put the pictures of each window and look onto one sheet, small enough for the repository."""
    from PySide6.QtCore import QPoint, Qt
    from PySide6.QtGui import QColor, QImage, QPainter

    for look in LOOKS:
        windows: dict[str, list[Path]] = {}
        for path in sorted(folder.glob(f"*.{look}.png")):
            windows.setdefault(path.name.partition(".")[0], []).append(path)
        for window, paths in windows.items():
            rows = -(-len(paths) // ACROSS)
            size = (ACROSS * (WIDE + GAP), rows * (HIGH + GAP))
            sheet = QImage(*size, QImage.Format.Format_RGB32)
            sheet.fill(QColor("#101012" if look == "dark" else "#FFFFFF"))
            painter = QPainter(sheet)
            for number, path in enumerate(paths):
                small = QImage(str(path)).scaled(
                    WIDE, HIGH, Qt.AspectRatioMode.KeepAspectRatio,
                    Qt.TransformationMode.SmoothTransformation,
                )  # fmt: skip
                small.setDevicePixelRatio(1)
                row, column = divmod(number, ACROSS)
                painter.drawImage(QPoint(column * (WIDE + GAP), row * (HIGH + GAP)), small)
            painter.end()
            sheet.save(str(sheets / f"all-{window}-{look}.jpg"), "JPG", 55)  # type: ignore[call-overload]


if __name__ == "__main__":
    sys.exit(main())
