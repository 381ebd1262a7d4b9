"""A plot as a picture for a chat, painted in the process of a job: no display is needed."""

from __future__ import annotations

import os
from pathlib import Path

from desktop.charts.shapes import AnyPlot
from shared.errors import Unavailable
from shared.look import LIGHT, Tokens


def save(plot: AnyPlot, path: Path, *, subtitle: str, tokens: Tokens = LIGHT) -> None:
    """Paint a plot into a PNG, 1,200 pixels wide, or into an SVG of that size.

    Args:
        plot: what to paint.
        path: the file to write; its ending says which it is.
        subtitle: says of what it is.
        tokens: the colours.

    Raises:
        Unavailable: `pictures_missing`, this machine lacks what painting needs.
    """
    try:
        from PySide6.QtGui import QGuiApplication
    except ImportError as error:
        raise missing(error) from error
    if QGuiApplication.instance() is None:
        os.environ["QT_QPA_PLATFORM"] = "offscreen"
        _Kept.app = QGuiApplication([])
    write = _vectors if path.suffix == ".svg" else _pixels
    write(plot, path, subtitle, tokens)


def _pixels(plot: AnyPlot, path: Path, subtitle: str, tokens: Tokens) -> None:
    from PySide6.QtGui import QImage, QPainter

    from desktop.charts.painter import height_of, paint
    from desktop.charts.sheet import WIDTH

    image = QImage(round(WIDTH), round(height_of(plot)), QImage.Format.Format_RGB32)
    image.fill(tokens.surface)
    painter = QPainter(image)
    try:
        paint(painter, plot, subtitle, tokens)
    finally:
        painter.end()
    image.save(str(path), "PNG")  # type: ignore[call-overload]


def _vectors(plot: AnyPlot, path: Path, subtitle: str, tokens: Tokens) -> None:
    """Paint lines and letters that stay sharp at any size; Qt escapes the words."""
    from PySide6.QtCore import QRectF
    from PySide6.QtGui import QColor, QPainter
    from PySide6.QtSvg import QSvgGenerator

    from desktop.charts.painter import height_of, paint
    from desktop.charts.sheet import WIDTH, harmless

    frame = QRectF(0, 0, WIDTH, height_of(plot))
    made = QSvgGenerator()
    made.setFileName(str(path))
    made.setSize(frame.size().toSize())
    made.setViewBox(frame)
    made.setTitle(harmless(plot.title))
    made.setDescription(harmless(subtitle))
    painter = QPainter(made)
    try:
        painter.fillRect(frame, QColor(tokens.surface))
        paint(painter, plot, subtitle, tokens)
    finally:
        painter.end()


class _Kept:
    """Qt's application; it lives as long as the process."""

    app: object = None


def missing(error: ImportError) -> Unavailable:
    """Say what painting needs that is not here."""
    # A library of the system's that is missing is an ImportError that names QtGui, too.
    if isinstance(error, ModuleNotFoundError):
        what = "The windows' library is not installed on that machine."
        return Unavailable(
            "pictures_missing", f"No picture can be painted: {what}", "Run there: deskhand setup ml"
        )
    return Unavailable(
        "pictures_missing",
        f"No picture can be painted on that machine: {error}.",
        "On Debian or Ubuntu: apt install libegl1 libgl1 libfontconfig1 libglib2.0-0 libxkbcommon0",
    )
