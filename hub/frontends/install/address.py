"""The address that installers are told, and what is wrong with it when there is none.

A request's Host header is never it: whoever asks could choose it, and a cache in between would
hand their choice to the next computer, which would then belong to somebody else. The header only
decides whether the hub's local address makes sense to the one who asks.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from shared.loopback import is_loopback

_PLAIN = re.compile(r"https?://[A-Za-z0-9._~:/\[\]-]{1,200}")
"""Nothing that a shell, PowerShell or a page could read as more than an address."""


@dataclass(frozen=True, slots=True)
class Told:
    """What to write into a script or a page for one request."""

    url: str
    """"https://hub.example", without a slash at its end; "" when there is trouble."""
    trouble: str = ""
    """What is wrong, for whoever asked."""
    mending: str = ""
    """What the hub's operator has to do about it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    public_url: str
    """As the operator has set it; "" when not."""
    local_url: str
    """For programs on the hub's own machine."""

    def told_to(self, host: str) -> Told:
        """Choose the address for a request with this Host header."""
        url = (self.public_url or self.local_url).rstrip("/")
        if not _PLAIN.fullmatch(url):
            return Told(
                "",
                "The address this hub was given cannot be written into a script.",
                "Its operator sets HUB_PUBLIC_URL to one like https://hub.example.org.",
            )
        if not self.public_url and not _is_same(host, url):
            return Told(
                "",
                "This hub does not know the address it is reached at.",
                "Its operator sets HUB_PUBLIC_URL=https://… and starts it again.",
            )
        parts = urlsplit(url)
        if parts.scheme == "http" and not is_loopback(parts.hostname or ""):
            return Told(
                "",
                f"{url} is not encrypted, and a worker's token would be anybody's to read.",
                "Its operator puts a proxy with TLS in front and sets HUB_PUBLIC_URL=https://…",
            )
        return Told(url)


def _is_same(host: str, url: str) -> bool:
    """Whether a Host header names the local address, by this or another of its names."""
    try:
        asked, own = urlsplit(f"http://{host}"), urlsplit(url)
        asked_port, own_port = asked.port or 80, own.port or 80
    except ValueError:
        return False
    if "@" in host or asked_port != own_port or not asked.hostname or not own.hostname:
        return False
    both_here = is_loopback(asked.hostname) and is_loopback(own.hostname)
    return both_here or asked.hostname == own.hostname
