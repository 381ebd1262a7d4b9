"""A word about what was just done, carried to the next page in a cookie and shown there once."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

COOKIE = "deskhand_toast"
LIFE_SECONDS = 60
SAYS_CHARS_MAX = 300
COOKIE_CHARS_MAX = 2000
BELL = "deskhand-bell"
"""The header of a page that is fetched because of news: nobody looks at its toasts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Undo:
    """A button behind a word: posts to `action`."""

    action: str
    label: str = "Undo"


@dataclass(frozen=True, slots=True, kw_only=True)
class Toast:
    says: str
    undo: Undo | None = None


def give(response: Response, toast: Toast) -> None:
    told = {"says": toast.says[:SAYS_CHARS_MAX]}
    if toast.undo is not None:
        told |= {"action": toast.undo.action, "label": toast.undo.label}
    value = base64.urlsafe_b64encode(json.dumps(told).encode()).decode()
    response.set_cookie(COOKIE, value, max_age=LIFE_SECONDS, httponly=True, samesite="lax")


def take(request: Request) -> Toast | None:
    """Read the word that the page before left; a browser may send anything at all."""
    value = request.cookies.get(COOKIE, "")
    if not value or BELL in request.headers or len(value) > COOKIE_CHARS_MAX:
        return None
    try:
        told = json.loads(base64.urlsafe_b64decode(value))
        says, action, label = told["says"], told.get("action", ""), told.get("label", "Undo")
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
    if not all(isinstance(word, str) for word in (says, action, label)):
        return None
    undo = Undo(action=action, label=label) if is_own_path(action) else None
    return Toast(says=says[:SAYS_CHARS_MAX], undo=undo)


def drop(response: Response) -> None:
    response.delete_cookie(COOKIE, httponly=True, samesite="lax")


def is_own_path(path: str) -> bool:
    r"""Whether an address leads to a page of this hub: "/tasks", not "//elsewhere" or "/\x"."""
    is_rooted = path.startswith("/") and not path.startswith(("//", "/\\"))
    return is_rooted and all(" " < c < "\x7f" and c != "\\" for c in path)
