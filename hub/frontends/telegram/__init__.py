"""Telegram: chats with a bot, and groups that the owner names.

python-telegram-bot is used as a typed client. What comes in and what goes out is ours, so that no
update is confirmed before the hub has dealt with it. Nothing heavy is imported without a token.

    polling | webhook → reception (hearing: what was said) → inbox
    outbox → sending (parts: which messages; html, keyboard: how they look) → client
"""

from __future__ import annotations

from hub.ports import Frontend, FrontendSetup


def make(setup: FrontendSetup) -> Frontend | None:
    """Make the frontend; None without a token.

    Raises:
        BadInput: `telegram_token_invalid`, `telegram_groups_invalid`, `telegram_webhook_url`.
    """
    if not setup.settings.get("token", "").strip():
        return None
    from hub.frontends.telegram.frontend import TelegramFrontend
    from hub.frontends.telegram.options import read_options

    return TelegramFrontend(setup, read_options(setup))
