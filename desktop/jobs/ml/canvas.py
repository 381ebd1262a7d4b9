"""A sheet to draw a plot on: size, fonts and colours that read well on a phone.

A chat shows a picture at about a third of its pixels, so nothing here is below 26 px. Matplotlib
is imported here and in `painter` alone, and only in the child; it draws into memory, without a
window and without a network.
"""

from __future__ import annotations

import os
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shared.look import LIGHT, Tokens
from shared.plain_text import plain_line

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.text import Text

WIDTH, HEIGHT = 1200, 900
"""Pixels."""
DPI = 100
TITLE, BODY, SMALL = 42, 30, 26
"""Sizes of text in pixels."""
MARGIN = 56
TITLE_TOP = 52
SUBTITLE_TOP = 112
BODY_TOP = 176
"""Where the plot itself may begin, in pixels from the top."""
OTHER_SCRIPTS = (
    "Noto Sans CJK SC", "Noto Sans CJK JP", "Microsoft YaHei", "Yu Gothic", "Malgun Gothic",
    "PingFang SC", "Hiragino Sans", "Apple SD Gothic Neo", "WenQuanYi Micro Hei",
    "Noto Sans Arabic", "Noto Sans Hebrew", "Noto Sans Devanagari", "Noto Sans Thai",
)  # fmt: skip
"""Fonts for letters that the built-in one lacks, as far as this machine has them."""


def prepare(cache: Path) -> None:
    """Have matplotlib keep its list of fonts in a folder of ours; call before it is imported.

    Looking through all fonts of a machine takes up to ten seconds, once.
    """
    cache.mkdir(parents=True, exist_ok=True)
    os.environ["MPLCONFIGDIR"] = str(cache)
    os.environ["MPLBACKEND"] = "agg"


class Canvas:
    """One picture."""

    def __init__(
        self, title: str, subtitle: str, tokens: Tokens = LIGHT, *, height: float = HEIGHT
    ) -> None:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure

        self.tokens = tokens
        self.height = height
        self._fonts = _fonts()
        self.figure: Figure = Figure(
            figsize=(WIDTH / DPI, height / DPI), dpi=DPI, facecolor=tokens.surface
        )
        self._renderer = FigureCanvasAgg(self.figure).get_renderer()  # type: ignore[no-untyped-call]
        self.write(
            title, MARGIN, TITLE_TOP, size=TITLE, weight="bold", width_max=WIDTH - 2 * MARGIN
        )
        self.write(
            subtitle,
            MARGIN,
            SUBTITLE_TOP,
            size=SMALL,
            color=tokens.muted,
            width_max=WIDTH - 2 * MARGIN,
        )

    def write(
        self,
        text: str,
        x: float,
        y: float,
        *,
        size: int = BODY,
        color: str = "",
        width_max: float | None = None,
        **more: Any,
    ) -> Text:
        """Write one line, its left middle at (x, y) in pixels from the top left.

        What is wider than `width_max` pixels loses its middle.
        """
        written = self.figure.text(
            x / WIDTH,
            1 - y / self.height,
            plain_line(text),
            fontsize=points(size),
            color=color or self.tokens.text,
            fontfamily=self._fonts,
            parse_math=False,
            va="center",
            **more,
        )
        if width_max is not None:
            self._shorten(written, width_max)
        return written

    def axes(self, left: float, top: float, right: float, bottom: float) -> Axes:
        """Make room for a plot; edges in pixels from the top left of the picture."""
        axes = self.figure.add_axes(
            (
                left / WIDTH,
                1 - bottom / self.height,
                (right - left) / WIDTH,
                (bottom - top) / self.height,
            )
        )
        axes.set_facecolor(self.tokens.surface)
        for side in axes.spines.values():
            side.set_visible(False)
        axes.tick_params(
            length=0, pad=10, labelsize=points(SMALL), labelcolor=self.tokens.muted,
            labelfontfamily=self._fonts[0],
        )  # fmt: skip
        return axes

    def width_of(self, text: str, size: int = BODY) -> float:
        """Measure a line, in pixels."""
        probe = self.write(text, 0, 0, size=size)
        width = self._width(probe)
        probe.remove()
        return width

    def save(self, path: Path) -> None:
        with warnings.catch_warnings():
            # A letter that no font here has becomes a box; that is all to be done about it.
            warnings.filterwarnings("ignore", message=".*[Gg]lyph.*")
            self.figure.savefig(path, format="png", facecolor=self.tokens.surface)

    def _shorten(self, text: Text, width_max: float) -> None:
        whole = text.get_text()
        kept = len(whole)
        while kept > 4 and self._width(text) > width_max:
            # In large steps while far off, one by one at the end.
            kept = min(kept - 1, int(kept * max(0.5, width_max / self._width(text))) + 1)
            head = (kept + 1) // 2
            text.set_text(f"{whole[:head].rstrip()}…{whole[len(whole) - (kept - head) :].lstrip()}")

    def _width(self, text: Text) -> float:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=".*[Gg]lyph.*")
            return float(text.get_window_extent(self._renderer).width)


def points(pixels: float) -> float:
    """Turn pixels of this canvas into points."""
    return pixels * 72 / DPI


def _fonts() -> list[str]:
    from matplotlib import font_manager

    known = set(font_manager.get_font_names())
    return ["DejaVu Sans", *(name for name in OTHER_SCRIPTS if name in known)]
