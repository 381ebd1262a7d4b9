"""The mark, and the mark in each state of the tray; drawn from the SVG files beside this one.

The files are one drawing on a 24-unit grid: the hand on its line, and what is laid over its corner
for a state. `currentColor` is the ink.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from PySide6.QtCore import QByteArray, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QGuiApplication, QIcon, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer

from desktop.core.tray import TrayState
from shared.look import DARK, LIGHT, Tokens

FOLDER = Path(__file__).parent
SIZES = (16, 20, 22, 24, 32, 44, 48, 64)
"""Pixels that panels ask for, at any scale."""
GRID = 24.0
RISE = 1.1
"""How far the mark is lifted on its square: it stands at the bottom of its grid."""
OVER = {
    TrayState.RUNNING: ("running", "running"),
    TrayState.ASKING: ("asking", "asking"),
    TrayState.PAUSED: ("paused", "waiting"),
    TrayState.UPDATE: ("update", "accent"),
    TrayState.ERROR: ("error", "failed"),
}
"""By state: the drawing over the corner, and the token that colours it."""
ROOM = {
    TrayState.RUNNING: QRectF(9, 18.2, 16, 8),
    TrayState.ASKING: QRectF(11.9, -1, 14, 14.4),
    TrayState.PAUSED: QRectF(12.4, 11.6, 12.6, 13),
    TrayState.UPDATE: QRectF(12, 11.2, 13, 13.4),
    TrayState.ERROR: QRectF(9.6, 10.4, 16, 15),
}
"""What is cut out of the hand around each of them."""


@cache
def state_icon(state: TrayState, *, is_panel_dark: bool, is_mask: bool = False) -> QIcon:
    """Draw the tray's icon.

    Args:
        state: what is to be shown, by shape and by colour.
        is_panel_dark: whether the panel it stands on is dark.
        is_mask: in one ink, as macOS wants it (it is recoloured there).
    """
    icon = QIcon()
    tokens = DARK if is_panel_dark else LIGHT
    for size in SIZES:
        icon.addPixmap(pixmap(state, size, tokens, is_mask=is_mask))
    icon.setIsMask(is_mask)
    return icon


@cache
def app_icon() -> QIcon:
    """Draw the program's icon: the mark in white on a rounded square of our blue."""
    icon = QIcon()
    for size in (16, 24, 32, 48, 64, 128, 256):
        icon.addPixmap(app_pixmap(size))
    return icon


def pixmap(state: TrayState, size: int, tokens: Tokens, *, is_mask: bool = False) -> QPixmap:
    """Draw a state at a size in pixels."""
    ink = "#000000" if is_mask else tokens.muted if state is TrayState.OFFLINE else tokens.text
    made = QPixmap(size, size)
    made.fill(Qt.GlobalColor.transparent)
    painter = QPainter(made)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.scale(size / GRID, size / GRID)
    draw(painter, "hand-open" if state is TrayState.OFFLINE else "hand", ink)
    if state in OVER:
        drawing, token = OVER[state]
        painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_Clear)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(Qt.GlobalColor.black)
        painter.drawRoundedRect(ROOM[state], 3, 3)
        painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_SourceOver)
        draw(painter, drawing, ink if is_mask else getattr(tokens, token))
    painter.end()
    return made


def app_pixmap(size: int) -> QPixmap:
    """Draw the program's icon at a size in pixels."""
    made = QPixmap(size, size)
    made.fill(Qt.GlobalColor.transparent)
    painter = QPainter(made)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(LIGHT.accent))
    painter.drawRoundedRect(QRectF(0, 0, size, size), size * 0.22, size * 0.22)
    inner = size * 0.66
    lift = inner * RISE / GRID
    painter.translate(QPointF((size - inner) / 2, (size - inner) / 2 - lift))
    painter.scale(inner / GRID, inner / GRID)
    draw(painter, "hand", "#FFFFFF")
    painter.end()
    return made


def icon_file(folder: Path) -> Path:
    """Write the program's icon into a folder, for what takes pictures by their path."""
    path = folder / "icon.png"
    if not path.exists():
        app_pixmap(256).save(str(path))
    return path


def draw(painter: QPainter, name: str, ink: str) -> None:
    """Draw one of the files on the painter's 24-unit grid."""
    renderer = QSvgRenderer(QByteArray(_source(name).replace("currentColor", ink).encode()))
    renderer.render(painter, QRectF(0, 0, GRID, GRID))


def is_system_dark() -> bool:
    """Guess whether the panel is dark: most desktops colour it as their windows."""
    return QGuiApplication.styleHints().colorScheme() is Qt.ColorScheme.Dark


@cache
def _source(name: str) -> str:
    return (FOLDER / f"{name}.svg").read_text(encoding="utf-8")
