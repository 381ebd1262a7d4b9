"""Where a hub is reached, and whether that way is safe enough for a token."""

from __future__ import annotations

from urllib.parse import urlsplit

from shared.errors import BadInput, NotAllowed
from shared.loopback import is_loopback


def hub_base(url: str, *, allow_insecure: bool = False) -> str:
    """Check a hub's address; return it as "https://host[:port][/path]" without a trailing slash.

    Plain http is for loopback only: a token on an open line is anybody's.

    Raises:
        BadInput: `hub_url_invalid`.
        NotAllowed: `hub_url_insecure`.
    """
    given = url.strip()
    try:
        parts = urlsplit(given if "://" in given else f"https://{given}")
        is_web = parts.scheme in ("http", "https") and parts.port != 0
    except ValueError:
        parts, is_web = urlsplit(""), False
    if not is_web or not parts.hostname or "@" in parts.netloc:
        raise BadInput(
            "hub_url_invalid",
            f"'{given[:100]}' is not the address of a hub.",
            "It looks like https://hub.example.org.",
        )
    if parts.scheme == "http" and not is_loopback(parts.hostname) and not allow_insecure:
        raise NotAllowed(
            "hub_url_insecure",
            f"{parts.hostname} would be reached without encryption; the token could be read.",
            "Use its https:// address. Plain http is for this machine only.",
        )
    return f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}"


def worker_socket(base: str) -> str:
    """Return the WebSocket address for workers of a hub."""
    return "ws" + base.removeprefix("http") + "/api/v1/worker"
