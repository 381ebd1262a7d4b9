"""The colours of everything people look at: windows, web pages and pictures in a chat."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens:
    """One set of colours, "#RRGGBB". Every text colour has a contrast of 4.5:1 or more."""

    background: str
    surface: str
    text: str
    muted: str
    line: str
    accent: str
    """Actions."""
    asking: str
    running: str
    done: str
    failed: str
    waiting: str


LIGHT = Tokens(
    background="#FBFAF8",
    surface="#FFFFFF",
    text="#1D1E20",
    muted="#63666B",
    line="#E3E0DA",
    accent="#2F5FD0",
    asking="#8A4FBF",
    running="#0E7C86",
    done="#2C7A3F",
    failed="#B3261E",
    waiting="#8A6D1A",
)
DARK = Tokens(
    background="#17181A",
    surface="#202225",
    text="#ECEBE8",
    muted="#9EA1A6",
    line="#34373B",
    accent="#8FB0FF",
    asking="#C9A2F2",
    running="#5CC7CF",
    done="#7CCB8D",
    failed="#F2A39B",
    waiting="#DDBF66",
)
