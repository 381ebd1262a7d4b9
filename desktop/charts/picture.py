"""A plot as a PNG for a chat, painted in the process of a job: no display is needed."""

from __future__ import annotations

import os
from pathlib import Path

from desktop.charts.shapes import Plot
from shared.errors import Unavailable
from shared.look import LIGHT, Tokens


def save(plot: Plot, path: Path, *, subtitle: str, tokens: Tokens = LIGHT) -> None:
    """Paint a plot into a PNG, 1,200 pixels wide and at most 900 high.

    Args:
        plot: what to paint.
        path: the file to write.
        subtitle: says of which model it is.
        tokens: the colours.

    Raises:
        Unavailable: `pictures_missing`, this machine lacks what painting needs.
    """
    try:
        from PySide6.QtGui import QGuiApplication, QImage, QPainter

        from desktop.charts.painter import height_of, paint
        from desktop.charts.sheet import WIDTH
    except ImportError as error:
        raise missing(error) from error
    if QGuiApplication.instance() is None:
        os.environ["QT_QPA_PLATFORM"] = "offscreen"
        _Kept.app = QGuiApplication([])
    image = QImage(round(WIDTH), round(height_of(plot)), QImage.Format.Format_RGB32)
    image.fill(tokens.surface)
    painter = QPainter(image)
    try:
        paint(painter, plot, subtitle, tokens)
    finally:
        painter.end()
    image.save(str(path), "PNG")  # type: ignore[call-overload]


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
