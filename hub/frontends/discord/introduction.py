"""Tells Discord which commands there are, and learns who the bot is and where it was invited."""

from __future__ import annotations

import hikari
from hikari.impl import SlashCommandBuilder

from hub.frontends.discord.client import Client
from hub.frontends.discord.hearing import Hearing
from hub.frontends.discord.menu import Entry, Option, menu
from hub.frontends.discord.options import Options
from shared.errors import NotFound

PERMISSIONS = (
    hikari.Permissions.VIEW_CHANNEL
    | hikari.Permissions.SEND_MESSAGES
    | hikari.Permissions.SEND_MESSAGES_IN_THREADS
    | hikari.Permissions.CREATE_PUBLIC_THREADS
    | hikari.Permissions.EMBED_LINKS
    | hikari.Permissions.ATTACH_FILES
    | hikari.Permissions.READ_MESSAGE_HISTORY
)
SERVERS_MAX = 200
"""Servers the bot is in that are looked through."""


async def introduced(client: Client, options: Options) -> Hearing:
    """Say which commands there are; safe to repeat.

    Raises:
        AppError: as `refusals.app_error`.
    """
    me = await client.call("learn who the bot is", lambda rest: rest.fetch_my_user())
    commands = [_command(entry) for entry in menu()]
    await client.call(
        "set the commands",
        lambda rest: rest.set_application_commands(options.bot_id, commands),
    )
    return Hearing(bot_id=int(me.id), servers=options.servers)


async def check_invited(client: Client, options: Options) -> None:
    """See whether the bot is in the servers that the owner named.

    Raises:
        NotFound: `discord_not_invited`.
        AppError: as `refusals.app_error`.
    """
    if not options.servers:
        return
    told = await client.call(
        "list servers", lambda rest: _listed(rest.fetch_my_guilds().limit(SERVERS_MAX))
    )
    missing = options.servers - {int(server.id) for server in told}
    if missing:
        named = ", ".join(str(server) for server in sorted(missing))
        raise NotFound(
            "discord_not_invited",
            f"The bot is not in the Discord server {named} yet.",
            f"Whoever manages the server opens this: {invite_url(options.bot_id)}",
        )


def invite_url(bot_id: int) -> str:
    """Where somebody adds the bot to a server, with the permissions it needs."""
    return (
        f"https://discord.com/oauth2/authorize?client_id={bot_id}"
        f"&scope=bot+applications.commands&permissions={int(PERMISSIONS)}"
    )


async def _listed(servers: hikari.LazyIterator[hikari.OwnGuild]) -> list[hikari.OwnGuild]:
    return [server async for server in servers]


def _command(entry: Entry) -> SlashCommandBuilder:
    contexts = [hikari.ApplicationContextType.BOT_DM]
    if not entry.is_private:
        contexts.append(hikari.ApplicationContextType.GUILD)
    builder = SlashCommandBuilder(
        entry.name,
        entry.summary,
        context_types=contexts,
        integration_types=[hikari.ApplicationIntegrationType.GUILD_INSTALL],
    )
    for option in entry.options:
        builder.add_option(_option(option))
    return builder


def _option(option: Option) -> hikari.CommandOption:
    kind = hikari.OptionType.BOOLEAN if option.is_switch else hikari.OptionType.STRING
    choices = [hikari.CommandChoice(name=word, value=word) for word in option.choices]
    return hikari.CommandOption(
        type=kind,
        name=option.name,
        description=option.summary,
        is_required=option.is_required,
        choices=choices or None,
    )
