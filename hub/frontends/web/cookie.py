"""The cookie that keeps a browser signed in (OWASP ASVS 5.0, 3.3).

Over TLS it is bound to this very host by its name. Without TLS, on loopback or in a network at
home, a browser would refuse that name; there the port is part of it, because cookies know no
ports and two hubs may run on one machine.
"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from hub.core.sign_in import FULL_LIFE

NAME = "deskhand"
NEXT = "deskhand_next"
"""Where somebody wanted to go before they had to sign in."""
NEXT_SECONDS = 1800
NEXT_CHARS_MAX = 1000


def name_of(request: Request) -> str:
    if request.url.scheme == "https":
        return f"__Host-{NAME}"
    return f"{NAME}_{request.url.port or 80}"


def secret_of(request: Request) -> str:
    """What the browser shows; empty when it shows nothing."""
    return request.cookies.get(name_of(request), "")


def give(request: Request, response: Response, secret: str) -> None:
    response.set_cookie(
        name_of(request),
        secret,
        max_age=int(FULL_LIFE.total_seconds()),
        path="/",
        secure=request.url.scheme == "https",
        httponly=True,
        samesite="lax",
    )


def drop(request: Request, response: Response) -> None:
    is_secure = request.url.scheme == "https"
    response.delete_cookie(
        name_of(request), path="/", secure=is_secure, httponly=True, samesite="lax"
    )


def note_next(response: Response, path: str) -> None:
    """Remember where somebody wanted to go."""
    if len(path) <= NEXT_CHARS_MAX:
        response.set_cookie(NEXT, path, max_age=NEXT_SECONDS, httponly=True, samesite="lax")


def drop_next(response: Response) -> None:
    response.delete_cookie(NEXT, httponly=True, samesite="lax")
