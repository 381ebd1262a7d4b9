"""The settings HUB_MATRIX_*, read once."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from hub.ports import FrontendSetup
from shared.errors import BadInput
from shared.loopback import is_loopback
from shared.plain_text import plain_line

DEVICE_NAME = "Deskhand"
DEVICE_NAME_CHARS_MAX = 60
_USER = re.compile(r"@[!-9;-~]{1,200}:[A-Za-z0-9.:\[\]-]{1,200}|[a-z0-9._=/+-]{1,200}")
"""A whole id, or its first part alone (spec.matrix.org, appendices, user identifiers)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    homeserver: str
    """Its address, without a path or "/" at the end."""
    user: str
    """Empty: whoever the token belongs to."""
    password: str = field(repr=False)
    token: str = field(repr=False)
    device_name: str


def read_options(setup: FrontendSetup) -> Options:
    """Read and check.

    Raises:
        BadInput: `matrix_homeserver_invalid`, `matrix_account_missing`.
    """
    settings = {name: value.strip() for name, value in setup.settings.items()}
    user, token = settings.get("user", ""), settings.get("token", "")
    if not token and not _USER.fullmatch(user):
        raise BadInput(
            "matrix_account_missing",
            f"HUB_MATRIX_USER is no account: '{user[:60]}'.",
            "Write it whole, as in @deskhand:example.org, and give HUB_MATRIX_PASSWORD too; or "
            "give HUB_MATRIX_TOKEN alone.",
        )
    told = plain_line(settings.get("device_name", "")).strip()
    return Options(
        homeserver=_homeserver(settings.get("homeserver", "")),
        user=user,
        password=setup.settings.get("password", ""),
        token=token,
        device_name=told[:DEVICE_NAME_CHARS_MAX] or DEVICE_NAME,
    )


def _homeserver(told: str) -> str:
    try:
        parts = urlsplit(told)
        host = parts.hostname or ""
        is_plain_path = parts.path in ("", "/") and not (parts.query or parts.fragment)
        is_right = parts.scheme in ("http", "https") and host and is_plain_path
        is_right = is_right and not parts.username and (parts.port or 1) > 0
    except ValueError:
        host, is_right = "", False
    if not is_right:
        raise BadInput(
            "matrix_homeserver_invalid",
            f"HUB_MATRIX_HOMESERVER is no address of a homeserver: '{told[:80]}'.",
            "Write it as in https://matrix.example.org.",
        )
    if urlsplit(told).scheme == "http" and not _is_near(host):
        raise BadInput(
            "matrix_homeserver_invalid",
            f"{host} would be spoken to without TLS, for everyone on the way to read.",
            "Write https:// in HUB_MATRIX_HOMESERVER.",
        )
    return told.rstrip("/")


def _is_near(host: str) -> bool:
    """On this machine, in this network, or a container's name: there TLS is often left out."""
    try:
        return ipaddress.ip_address(host).is_private
    except ValueError:
        return is_loopback(host) or "." not in host
