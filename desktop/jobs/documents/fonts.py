"""Fonts for PDF: our own first, and what the system has for letters that ours lacks.

DejaVu Sans lies in the program (`desktop/charts/fonts`), so that a document looks the same on every
machine: Latin, Greek, Cyrillic, Hebrew, Arabic and many signs. Nothing is fetched.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import desktop

OWN = Path(str(desktop.__file__)).resolve().parent / "charts" / "fonts"
REGULAR, BOLD = OWN / "DejaVuSans.ttf", OWN / "DejaVuSans-Bold.ttf"
ITALIC = ("DejaVuSans-Oblique.ttf", "Verdana Italic.ttf", "verdanai.ttf")
BOLD_ITALIC = ("DejaVuSans-BoldOblique.ttf", "Verdana Bold Italic.ttf", "verdanaz.ttf")
MONO = ("DejaVuSansMono.ttf", "LiberationMono-Regular.ttf", "consola.ttf", "Andale Mono.ttf")
OTHERS = (
    "NotoSansCJK-Regular.ttc", "NotoSansCJKsc-Regular.otf", "DroidSansFallbackFull.ttf",
    "wqy-microhei.ttc", "wqy-zenhei.ttc", "Arial Unicode.ttf", "msyh.ttc", "malgun.ttf",
    "NotoSansSymbols2-Regular.ttf", "Symbola.ttf", "seguisym.ttf", "NotoSansThai-Regular.ttf",
    "NotoSansDevanagari-Regular.ttf", "Nirmala.ttf", "leelawui.ttf",
)  # fmt: skip
"""Where letters may be that ours lacks; those that are there are asked in this order."""
FOLDERS = {
    "linux": ("/usr/share/fonts", "/usr/local/share/fonts", "~/.local/share/fonts"),
    "darwin": ("/System/Library/Fonts", "/Library/Fonts", "~/Library/Fonts"),
    "win32": ("C:/Windows/Fonts",),
}
LOOKED_AT_MAX = 20_000
LETTERS_TOLD_MAX = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Fonts:
    """Files of the faces of a document."""

    italic: Path | None
    """None: what is italic is written upright."""
    bold_italic: Path | None
    mono: Path | None
    others: tuple[Path, ...]


def find_fonts(folders: tuple[str, ...] | None = None) -> Fonts:
    """Look what the system has; `folders` are its own when None."""
    places = FOLDERS.get(sys.platform, ()) if folders is None else folders
    there: dict[str, Path] = {}
    for path in _files(places):
        there.setdefault(path.name, path)

    def first(names: tuple[str, ...]) -> Path | None:
        return next((there[name] for name in names if name in there), None)

    return Fonts(
        italic=first(ITALIC),
        bold_italic=first(BOLD_ITALIC),
        mono=first(MONO),
        others=tuple(there[name] for name in OTHERS if name in there),
    )


def letters_in(path: Path) -> frozenset[int]:
    """Return the code points that a font has; none when it cannot be read."""
    from fontTools.ttLib import TTFont, TTLibError

    try:
        with TTFont(path, lazy=True, fontNumber=0) as font:
            return frozenset(font.getBestCmap() or ())
    except (OSError, TTLibError, KeyError, AssertionError):
        return frozenset()


def told_lacking(letters: str) -> str:
    """Say which letters no font has; they stand as boxes in the document."""
    shown = " ".join(letters[:LETTERS_TOLD_MAX])
    more = f" and {len(letters) - LETTERS_TOLD_MAX} more" if len(letters) > LETTERS_TOLD_MAX else ""
    return (
        f"⚠ No font on this machine has {shown}{more}: they are boxes in the PDF. As DOCX they are"
        " kept."
    )


def _files(places: tuple[str, ...]) -> Iterator[Path]:
    seen = 0
    for place in places:
        for path in Path(place).expanduser().rglob("*"):
            seen += 1
            if seen > LOOKED_AT_MAX:
                return
            if path.suffix.lower() in (".ttf", ".ttc", ".otf"):
                yield path
