"""Light or dark: the browser's wish unless a person chose, remembered in a cookie.

The server reads the cookie and writes the choice into the page, so that none shows the wrong
colours for a moment.
"""

from __future__ import annotations

from typing import Literal

from starlette.requests import Request
from starlette.responses import Response

Theme = Literal["", "light", "dark"]
COOKIE = "deskhand_theme"
LIFE_SECONDS = 365 * 86_400


def chosen(request: Request) -> Theme:
    """What was chosen in this browser; empty: the browser's own wish."""
    match request.cookies.get(COOKIE):
        case "light":
            return "light"
        case "dark":
            return "dark"
        case _:
            return ""


def choose(response: Response, theme: str) -> None:
    if theme in ("light", "dark"):
        response.set_cookie(COOKIE, theme, max_age=LIFE_SECONDS, httponly=True, samesite="lax")
    else:
        response.delete_cookie(COOKIE, httponly=True, samesite="lax")
