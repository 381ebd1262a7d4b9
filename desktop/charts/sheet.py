"""A sheet to draw a plot on: pixels of a picture 1,200 wide, whatever size it is shown at.

A chat shows a picture at about a third of its pixels, so nothing is written smaller than 26.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Literal

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import (
    QColor,
    QFont,
    QFontDatabase,
    QFontMetricsF,
    QPainter,
    QPen,
    QPolygonF,
)

from shared.look import Tokens
from shared.plain_text import plain_line

WIDTH, HEIGHT = 1200.0, 900.0
TITLE, FIGURE, BODY, SMALL = 42, 34, 30, 26
"""Sizes of text; titles and figures that count are bold."""
MARGIN = 56.0
TITLE_TOP = 52.0
SUBTITLE_TOP = 112.0
BODY_TOP = 176.0
"""Where the plot itself may begin."""
FONTS = Path(__file__).parent / "fonts"
TEXT_CHARS_MAX = 500
Align = Literal["left", "center", "right"]


class Sheet:
    """One picture under way."""

    def __init__(self, painter: QPainter, tokens: Tokens) -> None:
        self.tokens = tokens
        self._painter = painter
        painter.setRenderHints(
            QPainter.RenderHint.Antialiasing | QPainter.RenderHint.TextAntialiasing
        )

    def head(self, title: str, subtitle: str) -> None:
        """Write what the picture shows, and of what."""
        room = WIDTH - 2 * MARGIN
        self.write(title, MARGIN, TITLE_TOP, size=TITLE, width_max=room)
        self.write(
            subtitle, MARGIN, SUBTITLE_TOP, size=SMALL, color=self.tokens.muted, width_max=room
        )

    def foot(self, note: str, y: float) -> None:
        """Write a line below a plot."""
        room = WIDTH - 2 * MARGIN
        self.write(note, MARGIN, y, size=SMALL, color=self.tokens.muted, width_max=room)

    def write(
        self,
        text: str,
        x: float,
        y: float,
        *,
        size: int = BODY,
        color: str = "",
        align: Align = "left",
        is_upright: bool = False,
        width_max: float | None = None,
    ) -> None:
        """Write one line whose middle is at the height y.

        Args:
            text: of anybody; what acts in it is made harmless.
            x: of its left end, middle or right end, as `align` says.
            y: of its middle.
            size: in pixels.
            color: the text's own without one.
            align: where x is.
            is_upright: written from below upwards.
            width_max: what is wider loses its middle.
        """
        font = font_of(size)
        told = harmless(text)
        metrics = QFontMetricsF(font)
        if width_max is not None:
            told = metrics.elidedText(told, Qt.TextElideMode.ElideMiddle, width_max)
        width = metrics.horizontalAdvance(told)
        painter = self._painter
        painter.save()
        painter.translate(x, y)
        if is_upright:
            painter.rotate(-90)
        painter.setFont(font)
        painter.setPen(QColor(color or self.tokens.text))
        left = {"left": 0.0, "center": -width / 2, "right": -width}[align]
        painter.drawText(QPointF(left, (metrics.ascent() - metrics.descent()) / 2), told)
        painter.restore()

    def width_of(self, text: str, size: int = BODY) -> float:
        """Measure a line."""
        return QFontMetricsF(font_of(size)).horizontalAdvance(harmless(text))

    def line(
        self,
        points: Sequence[tuple[float, float]],
        color: str,
        width: float,
        *,
        is_dashed: bool = False,
        alpha: float = 1.0,
    ) -> None:
        pen = QPen(faded(color, alpha), width)
        pen.setCapStyle(Qt.PenCapStyle.FlatCap if is_dashed else Qt.PenCapStyle.RoundCap)
        pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
        if is_dashed:
            pen.setDashPattern([3, 3])
        self._painter.setPen(pen)
        self._painter.setBrush(Qt.BrushStyle.NoBrush)
        self._painter.drawPolyline(QPolygonF([QPointF(x, y) for x, y in points]))

    def area(self, points: Sequence[tuple[float, float]], color: str, alpha: float) -> None:
        """Fill what a line around it encloses."""
        self._painter.setPen(Qt.PenStyle.NoPen)
        self._painter.setBrush(faded(color, alpha))
        self._painter.drawPolygon(QPolygonF([QPointF(x, y) for x, y in points]))

    def box(
        self, edges: tuple[float, float, float, float], color: str, *, alpha: float = 1.0,
        radius: float = 0,
    ) -> None:  # fmt: skip
        """Fill a box; `edges` are left, top, right, bottom."""
        left, top, right, bottom = edges
        self._painter.setPen(Qt.PenStyle.NoPen)
        self._painter.setBrush(faded(color, alpha))
        self._painter.drawRoundedRect(
            QRectF(QPointF(left, top), QPointF(right, bottom)), radius, radius
        )

    def dots(
        self, points: Sequence[tuple[float, float]], radius: float, color: str, alpha: float = 1.0
    ) -> None:
        self._painter.setPen(Qt.PenStyle.NoPen)
        self._painter.setBrush(faded(color, alpha))
        for x, y in points:
            self._painter.drawEllipse(QPointF(x, y), radius, radius)


def faded(color: str, alpha: float) -> QColor:
    made = QColor(color)
    made.setAlphaF(alpha)
    return made


def harmless(text: str) -> str:
    """Make somebody's words one line that can be drawn; half characters are no text."""
    return plain_line(text[:TEXT_CHARS_MAX]).encode(errors="replace").decode()


@cache
def font_of(size: int) -> QFont:
    """Return our font, so that a picture looks the same on every machine.

    Letters it lacks come from the machine's fonts, as far as there are any.
    """
    font = QFont(_family())
    font.setPixelSize(size)
    font.setWeight(QFont.Weight.Bold if size in (TITLE, FIGURE) else QFont.Weight.Normal)
    return font


@cache
def _family() -> str:
    families: list[str] = []
    for path in sorted(FONTS.glob("*.ttf"), reverse=True):
        families += QFontDatabase.applicationFontFamilies(
            QFontDatabase.addApplicationFont(str(path))
        )
    return families[0] if families else ""
