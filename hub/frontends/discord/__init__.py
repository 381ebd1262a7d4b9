"""Discord: direct messages with a bot, and the servers that the owner names.

hikari is used as a typed client: over its gateway (outbound alone), or for interactions that
Discord brings to a signed endpoint. Nothing heavy is imported without a token.

    gateway | endpoint → reception (hearing: what was said; openings: what waits for words) → inbox
    outbox → sending (posts: which messages; rooms: where; markdown, keyboard: looks) → client
"""

from __future__ import annotations

from hub.ports import Frontend, FrontendSetup


def make(setup: FrontendSetup) -> Frontend | None:
    """Make the frontend; None without a token.

    Raises:
        BadInput: `discord_token_invalid`, `discord_servers_invalid`, `discord_key_invalid`,
            `discord_endpoint_url`.
    """
    if not setup.settings.get("token", "").strip():
        return None
    from hub.frontends.discord.frontend import DiscordFrontend
    from hub.frontends.discord.options import read_options

    return DiscordFrontend(setup, read_options(setup))
