"""Tells Telegram who listens where, and learns who the bot is."""

from __future__ import annotations

from telegram import BotCommand

from hub.frontends.commands import COMMANDS
from hub.frontends.telegram.client import Client
from hub.frontends.telegram.hearing import UPDATES, Hearing
from hub.frontends.telegram.options import Options

COMMANDS_MAX = 100
DESCRIPTION_CHARS_MAX = 256


async def introduced(client: Client, options: Options, secret: str) -> Hearing:
    """Say which commands there are and where updates go; safe to repeat.

    Args:
        client: open.
        options: with a webhook's address, updates are brought there; else they are asked for.
        secret: what Telegram shows at the webhook.

    Raises:
        AppError: as `refusals.app_error`.
    """
    me = await client.call("getMe", lambda bot: bot.get_me())
    commands = menu()
    await client.call("setMyCommands", lambda bot: bot.set_my_commands(commands))
    if options.webhook_url:
        await client.call(
            "setWebhook",
            lambda bot: bot.set_webhook(
                options.webhook_url,
                allowed_updates=UPDATES,
                secret_token=secret,
                # One after the other, in their order.
                max_connections=1,
            ),
        )
    else:
        await client.call("deleteWebhook", lambda bot: bot.delete_webhook())
    return Hearing(bot_id=me.id, username=me.username or "", groups=options.groups)


def menu() -> list[BotCommand]:
    """The commands as phones list them."""
    listed = [command for command in COMMANDS if command.in_menu][:COMMANDS_MAX]
    return [BotCommand(c.name, c.summary[:DESCRIPTION_CHARS_MAX]) for c in listed]
