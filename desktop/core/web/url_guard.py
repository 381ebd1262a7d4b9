"""Which addresses of the web may be gone to, and which machines they may lead to.

    text ─▶ check_url ─▶ Target ─▶ (looked up once) ─▶ callable_of ─▶ the addresses that are called

Everything that fetches for a person asks here: the fetcher for each redirect anew, the browser's
proxy for each connection. What is decided about a name holds for the very address that is then
called; nobody looks it up again.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import SplitResult, quote, urljoin, urlsplit, urlunsplit

from desktop.core.web.host_pattern import is_matched
from desktop.core.web.rules import WebRules
from shared.errors import BadInput, NotAllowed
from shared.host_name import is_host_name
from shared.kinds.web import URL_CHARS_MAX
from shared.public_address import Address, embedded, is_public, parse_address

PORTS = {"http": 80, "https": 443}
PORT_MIN = 1024
"""Below, only 80 and 443: no page lives where mail, names or shells do."""
SHOWN_CHARS_MAX = 200
_NEVER_IN_URLS = re.compile(r"[\x00-\x20\x7f\\\ud800-\udfff]")
_PATH_SAFE = "/%:@!$&'()*+,;=~-._"
_QUERY_SAFE = _PATH_SAFE + "?"
_HINT = "It looks like this: https://example.org/page."


@dataclass(frozen=True, slots=True)
class Target:
    """An address that may be gone to, as far as that can be said without looking its host up."""

    url: str
    """As it is asked for: plain characters, the host in small letters, no fragment."""
    scheme: str
    host: str
    """A name or an address, without brackets."""
    port: int

    @property
    def origin(self) -> str:
        """What has one robots.txt and one pace: "https://example.org:443"."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}"


def check_url(text: str, rules: WebRules) -> Target:
    """Check where somebody wants to go.

    Raises:
        BadInput: `url_invalid`.
        NotAllowed: `host_denied`, `page_private`.
    """
    parts, port = _split(text)
    host = _host_of(parts)
    address = parse_address(host)
    if address is None and not is_host_name(host):
        raise _invalid(text, "its host is none.")
    port = PORTS[parts.scheme] if port is None else port
    check_host(host, port, rules)
    shown_host = f"[{host}]" if ":" in host else host
    netloc = shown_host if port == PORTS[parts.scheme] else f"{shown_host}:{port}"
    path = quote(parts.path or "/", safe=_PATH_SAFE)
    query = quote(parts.query, safe=_QUERY_SAFE)
    url = urlunsplit((parts.scheme, netloc, path, query, ""))
    if len(url) > URL_CHARS_MAX:
        raise _invalid(text, f"it is longer than {URL_CHARS_MAX} characters.")
    return Target(url, parts.scheme, host, port)


def check_host(host: str, port: int, rules: WebRules) -> None:
    """Check a host before it is looked up.

    Args:
        host: a name in small letters, or an address without brackets.
        port: where it is to be called.
        rules: the owner's.

    Raises:
        BadInput: `url_invalid`.
        NotAllowed: `host_denied`, `page_private`.
    """
    address = parse_address(host)
    if address is None and not is_host_name(host):
        raise _invalid(host, "its host is none.")
    if is_matched(host, rules.deny_hosts):
        raise _denied(host, "deny_hosts names it")
    if rules.allow_hosts and not is_matched(host, rules.allow_hosts):
        raise _denied(host, "allow_hosts does not name it")
    if _is_inside(host, address, rules):
        return
    if port not in PORTS.values() and port < PORT_MIN:
        raise _invalid(f"{host}:{port}", f"no page is read at port {port}.")
    if address is not None and not is_public(address):
        raise private(host)


def join(base: str, link: str) -> str:
    """Return where a link on a page, or a redirect, leads.

    Raises:
        BadInput: `url_invalid`.
    """
    try:
        return urljoin(base, link.strip())
    except ValueError:
        raise _invalid(link, "it cannot be read.") from None


def callable_of(host: str, addresses: Iterable[Address], rules: WebRules) -> list[Address]:
    """Return those of a host's addresses that may be called, in their order."""
    return [
        address for address in addresses if is_public(address) or _is_inside(host, address, rules)
    ]


def private(host: str) -> NotAllowed:
    """Say that a host is none of the public internet."""
    return NotAllowed(
        "page_private",
        f"{host[:SHOWN_CHARS_MAX]} leads to no address of the public internet.",
        "This machine's owner can allow it: private_hosts under [web] in the policy.",
    )


def _is_inside(host: str, address: Address | None, rules: WebRules) -> bool:
    """Say whether the owner has allowed a host of their own network."""
    if host.rstrip(".") in rules.private_names:
        return True
    # Networks of the other version never hold an address.
    return address is not None and any(embedded(address) in n for n in rules.private_networks)


def _split(text: str) -> tuple[SplitResult, int | None]:
    told = text.strip()
    if not told or len(told) > URL_CHARS_MAX or _NEVER_IN_URLS.search(told):
        raise _invalid(told, f"it has to be up to {URL_CHARS_MAX} characters without blanks.")
    try:
        parts = urlsplit(told if "://" in told or ":" in told else f"https://{told}")
        port = parts.port
    except ValueError:
        raise _invalid(told, "it cannot be read.") from None
    if parts.scheme not in PORTS or not parts.hostname:
        raise _invalid(told, "it has to begin with https:// or http:// and name a host.")
    if "@" in parts.netloc:
        raise _invalid(told, "it holds a name or a password.")
    if "%" in parts.netloc or port == 0:
        raise _invalid(told, "its host is none.")
    return parts, port


def _host_of(parts: SplitResult) -> str:
    """Return the host as it is looked up: what other scripts write becomes plain letters first."""
    host = (parts.hostname or "").lower()
    if host.isascii():
        return host
    try:
        return host.encode("idna").decode("ascii").lower()
    except UnicodeError:
        raise _invalid(parts.netloc, "its host is none.") from None


def _denied(host: str, why: str) -> NotAllowed:
    return NotAllowed(
        "host_denied",
        f"{host[:SHOWN_CHARS_MAX]} is not to be read from this machine ({why}).",
        "Its owner decides that in the policy, under [web].",
    )


def _invalid(text: str, reason: str) -> BadInput:
    shown = text[:SHOWN_CHARS_MAX].encode("unicode_escape").decode("ascii")
    return BadInput("url_invalid", f"{shown!r} is no address of a page: {reason}", _HINT)
