"""The settings HUB_TELEGRAM_*, read once."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from hub.ports import FrontendSetup
from shared.errors import BadInput

API_URL = "https://api.telegram.org"
WEBHOOK_PATH = "/telegram/webhook"
WEBHOOK_PORTS = (443, 80, 88, 8443)
"""Where Telegram calls (core.telegram.org/bots/api#setwebhook); an own server calls anywhere."""
_TOKEN = re.compile(r"[0-9]+:[A-Za-z0-9_-]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    token: str = field(repr=False)
    api_url: str
    groups: frozenset[int]
    """Ids of the groups in which the bot answers."""
    webhook_url: str
    """Empty: updates are asked for."""


def read_options(setup: FrontendSetup) -> Options:
    """Read and check.

    Raises:
        BadInput: `telegram_token_invalid`, `telegram_groups_invalid`, `telegram_webhook_url`.
    """
    settings = setup.settings
    token = settings.get("token", "").strip()
    if not _TOKEN.fullmatch(token):
        # It becomes part of an address: whatever else it is, it must not lead elsewhere.
        raise BadInput(
            "telegram_token_invalid",
            "HUB_TELEGRAM_TOKEN is no bot token: digits, a colon, then letters make one.",
            "Copy it whole from @BotFather (/token).",
        )
    own_server = settings.get("api_url", "").strip().rstrip("/")
    is_called = settings.get("webhook", "false").strip().lower() in ("true", "1", "yes")
    return Options(
        token=token,
        api_url=own_server or API_URL,
        groups=_groups(settings.get("groups", "")),
        webhook_url=_webhook_url(setup.hub_url, own_server) if is_called else "",
    )


def _groups(told: str) -> frozenset[int]:
    try:
        return frozenset(int(part) for part in told.replace(",", " ").split())
    except ValueError:
        raise BadInput(
            "telegram_groups_invalid",
            "HUB_TELEGRAM_GROUPS holds something that is no chat id.",
            "Write ids alone, separated by commas: -1001234567890.",
        ) from None


def _webhook_url(hub_url: str, own_server: str) -> str:
    parts = urlsplit(hub_url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    if own_server or (parts.scheme == "https" and port in WEBHOOK_PORTS):
        return hub_url.rstrip("/") + WEBHOOK_PATH
    raise BadInput(
        "telegram_webhook_url",
        f"Telegram calls https addresses on ports 443, 80, 88 and 8443 alone, not {hub_url}.",
        "Set HUB_PUBLIC_URL to such an address, or leave HUB_TELEGRAM_WEBHOOK off.",
    )
