"""Refuses what other sites send in a person's name (OWASP ASVS 5.0, 3.5).

A browser says where a request comes from; besides, each form carries a word that only pages of
this sign-in know.
"""

from __future__ import annotations

import hmac
from urllib.parse import urlsplit

from starlette.requests import Request

from hub.core.sign_in import csrf_of
from shared.errors import NotAllowed

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_OWN = frozenset({"same-origin", "none"})
"""What `Sec-Fetch-Site` says of our own pages, and of a person who loads one again."""
FIELD, HEADER = "csrf", "deskhand-csrf"
FIELDS_MAX = 200


def comes_from_elsewhere(request: Request, hub_url: str) -> bool:
    """Whether a browser says that another site made this request.

    What says nothing of the sort is no browser of this decade, and shows its word or gets nowhere.
    """
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        # No page can write this header, and it holds behind any proxy.
        return site not in _OWN
    origin = request.headers.get("origin")
    return origin is not None and origin not in (_origin(str(request.url)), _origin(hub_url))


async def check_form(request: Request, secret: str) -> None:
    """Check the word of a form, or of a request that a page's script made.

    Raises:
        NotAllowed: `form_foreign`.
    """
    word = request.headers.get(HEADER, "")
    if not word:
        form = await request.form(max_files=0, max_fields=FIELDS_MAX)
        value = form.get(FIELD, "")
        word = value if isinstance(value, str) else ""
    if not hmac.compare_digest(word.encode(), csrf_of(secret).encode()):
        raise form_foreign()


def form_foreign() -> NotAllowed:
    return NotAllowed(
        "form_foreign",
        "This form is not from a page that you have open here now.",
        "Load the page again and send it once more.",
    )


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
