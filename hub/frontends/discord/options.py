"""The settings HUB_DISCORD_*, read once."""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass, field

from hub.ports import FrontendSetup
from shared.errors import BadInput

API_URL = "https://discord.com/api/v10"
ENDPOINT_PATH = "/discord/interactions"
_TOKEN = re.compile(r"(?P<id>[A-Za-z0-9_-]+)\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
_KEY_BYTES = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    token: str = field(repr=False)
    bot_id: int
    """The token begins with it."""
    api_url: str
    servers: frozenset[int]
    """Ids of the servers in which the bot answers."""
    public_key: bytes
    """Of the application. Empty: interactions come over the gateway."""


def read_options(setup: FrontendSetup) -> Options:
    """Read and check.

    Raises:
        BadInput: `discord_token_invalid`, `discord_servers_invalid`, `discord_key_invalid`,
            `discord_endpoint_url`.
    """
    settings = setup.settings
    token = settings.get("token", "").strip()
    public_key = _public_key(settings.get("public_key", "").strip())
    if public_key and not setup.hub_url.startswith("https://") and not settings.get("api_url"):
        raise BadInput(
            "discord_endpoint_url",
            f"Discord brings interactions to https addresses alone, not to {setup.hub_url}.",
            "Set HUB_PUBLIC_URL to such an address, or leave HUB_DISCORD_PUBLIC_KEY empty.",
        )
    return Options(
        token=token,
        bot_id=_bot_id(token),
        api_url=settings.get("api_url", "").strip().rstrip("/") or API_URL,
        servers=_servers(settings.get("servers", "")),
        public_key=public_key,
    )


def _bot_id(token: str) -> int:
    found = _TOKEN.fullmatch(token)
    told = found["id"] if found else ""
    try:
        return int(base64.urlsafe_b64decode(told + "=" * (-len(told) % 4)))
    except (ValueError, binascii.Error):
        raise BadInput(
            "discord_token_invalid",
            "HUB_DISCORD_TOKEN is no bot token: three parts with dots between them make one.",
            "Copy it whole from discord.com/developers: your application, Bot, Reset Token.",
        ) from None


def _servers(told: str) -> frozenset[int]:
    try:
        return frozenset(int(part) for part in told.replace(",", " ").split())
    except ValueError:
        raise BadInput(
            "discord_servers_invalid",
            "HUB_DISCORD_SERVERS holds something that is no server id.",
            "Write ids alone, separated by commas: 1098765432109876543.",
        ) from None


def _public_key(told: str) -> bytes:
    try:
        key = bytes.fromhex(told)
    except ValueError:
        key = b"?"
    if key and len(key) != _KEY_BYTES:
        raise BadInput(
            "discord_key_invalid",
            "HUB_DISCORD_PUBLIC_KEY is no public key: 64 hexadecimal digits make one.",
            "Copy it from discord.com/developers: your application, General Information.",
        )
    return key
