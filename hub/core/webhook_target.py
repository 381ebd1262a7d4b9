"""Where webhooks may go: out into the internet over TLS, and where the operator says so.

The hub stands where others cannot reach (a home, a company's network), and people tell it which
address to call. What is decided here about a name holds for the very address that is then called:
whoever calls resolves once, asks `may_call`, and connects to that address and no other.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import ip_network
from urllib.parse import SplitResult, urlsplit

from shared.errors import BadInput
from shared.host_name import is_host_name
from shared.public_address import Address, Network, embedded, is_public, parse_address

URL_CHARS_MAX = 2000
HTTPS_PORT = 443
HTTP_PORT = 80
PORT_MIN = 1024
"""Below, only 443: no webhook lives where mail, names or shells do."""
_HINT = "It looks like this: https://example.org/deskhand."


@dataclass(frozen=True, slots=True)
class Allowed:
    """What the operator lets webhooks reach beside the internet (HUB_WEBHOOK_ALLOW)."""

    hosts: frozenset[str] = frozenset()
    networks: tuple[Network, ...] = ()

    def has(self, host: str, address: Address | None) -> bool:
        """Say whether a host is allowed by its name or by its address."""
        if host.rstrip(".") in self.hosts:
            return True
        # Networks of the other version never hold an address.
        return address is not None and any(embedded(address) in n for n in self.networks)


NOWHERE = Allowed()
"""Nowhere beside the internet."""


@dataclass(frozen=True, slots=True)
class Target:
    """An address of the web, taken apart and checked as far as it can be without looking up."""

    host: str
    port: int
    is_tls: bool


def parse_allowed(text: str) -> Allowed:
    """Read the operator's list: hosts, addresses and networks, separated by commas.

    Raises:
        BadInput: `webhook_allow_invalid`.
    """
    hosts: set[str] = set()
    networks: list[Network] = []
    for item in filter(None, (part.strip().lower() for part in text.split(","))):
        try:
            networks.append(ip_network(item))
        except ValueError:
            if "/" in item or not is_host_name(item):
                raise BadInput(
                    "webhook_allow_invalid",
                    f"HUB_WEBHOOK_ALLOW names {item!r}, which is no host and no network.",
                    "Give hosts, addresses or networks: hooks.lan, 192.168.1.20, 10.0.0.0/8.",
                ) from None
            hosts.add(item.rstrip("."))
    return Allowed(frozenset(hosts), tuple(networks))


def parse_target(url: str, allowed: Allowed) -> Target:
    """Check where a webhook is to go.

    Raises:
        BadInput: `webhook_url_invalid`, `webhook_url_insecure`, `webhook_url_private`.
    """
    parts, port = _split(url)
    host = (parts.hostname or "").lower()
    address = parse_address(host)
    if address is None and not is_host_name(host):
        raise _invalid("its host is not one.")
    is_tls = parts.scheme == "https"
    is_allowed = allowed.has(host, address)
    if not is_tls and not is_allowed:
        raise BadInput(
            "webhook_url_insecure",
            "A webhook's address begins with https://.",
            "Hosts that the hub's operator allows (HUB_WEBHOOK_ALLOW) may do without.",
        )
    if port is None:
        port = HTTPS_PORT if is_tls else HTTP_PORT
    if not is_allowed and port != HTTPS_PORT and port < PORT_MIN:
        raise _invalid(f"port {port} is none for webhooks: 443, or {PORT_MIN} and above.")
    if not is_allowed and address is not None and not is_public(address):
        raise BadInput(
            "webhook_url_private",
            f"{host} is not an address of the public internet.",
            "The hub's operator can allow it: HUB_WEBHOOK_ALLOW.",
        )
    return Target(host, port, is_tls)


def may_call(host: str, address: Address, allowed: Allowed) -> bool:
    """Say whether a webhook of this host may be brought to this address of it."""
    return is_public(address) or allowed.has(host, address)


def callable_of(host: str, addresses: Iterable[Address], allowed: Allowed) -> list[Address]:
    """Return those of a host's addresses that may be called, in their order."""
    return [address for address in addresses if may_call(host, address, allowed)]


def host_of(url: str) -> str:
    """Return the host of an address that was checked before: all of it that may be told."""
    return urlsplit(url).hostname or ""


def _split(url: str) -> tuple[SplitResult, int | None]:
    if len(url) > URL_CHARS_MAX or not url.isascii() or not url.isprintable() or " " in url:
        raise _invalid(f"it has to be up to {URL_CHARS_MAX} plain characters without blanks.")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise _invalid("it cannot be read.") from None
    if parts.scheme not in ("https", "http") or not parts.hostname or "\\" in url:
        raise _invalid("it has to begin with https:// and name a host.")
    if "@" in parts.netloc:
        raise _invalid("it holds a name or a password; a signature tells who calls.")
    if "#" in url:
        raise _invalid("it has a part after #, which never leaves a browser.")
    if "%" in parts.netloc:
        raise _invalid("its host is not one.")
    return parts, port


def _invalid(reason: str) -> BadInput:
    return BadInput("webhook_url_invalid", f"This is no address for a webhook: {reason}", _HINT)
