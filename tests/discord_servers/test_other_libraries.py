"""The fake is a Discord to libraries that have never heard of us: hikari's own, and discord.py."""

from __future__ import annotations

import asyncio
import contextlib
import io
import warnings
from collections.abc import AsyncIterator
from typing import Any

import hikari
import pytest
from hikari.impl import MessageActionRowBuilder
from yarl import URL

from tests.discord_servers.reading import seen
from tests.discord_servers.server import BOT_ID, TOKEN, FakeDiscord, open_discord
from tests.discord_servers.state import User

with warnings.catch_warnings():
    # It imports, for voices that nobody uses here, what later versions of Python no longer have.
    warnings.simplefilter("ignore", DeprecationWarning)
    import discord
    from discord import app_commands
    from discord.gateway import DiscordWebSocket
    from discord.http import Route

ANNA = User(770_000_000_000_000_001, "Anna")
REPORT = b"a,b\n1,2\n"


@pytest.fixture
async def fake() -> AsyncIterator[FakeDiscord]:
    async with open_discord() as opened:
        yield opened


async def play(fake: FakeDiscord) -> None:
    """Anna's side: a command, a look at its answer, a press; the same whoever the bot is."""
    await fake.until(lambda: bool(fake.state.commands) and fake.gateway.is_connected)
    await fake.choose(ANNA, "train", file="sales.csv")
    channel = fake.state.direct(ANNA)
    await fake.until(lambda: [m.labels for m in fake.of_bot(channel)] == [["Go on", "Stop"]])
    [asked] = fake.of_bot(channel)
    assert seen(asked.written).bold == ["sales.csv"]
    press = await fake.press(ANNA, asked, "Go on")
    await fake.until(lambda: press.is_answered and asked.labels == [])
    assert asked.written == "It goes on."
    await fake.until(lambda: len(fake.of_bot(channel)) == 2)
    assert fake.of_bot(channel)[1].files == {"report.csv": REPORT}
    await fake.say(ANNA, "thank you")
    await fake.until(lambda: len(fake.of_bot(channel)) == 3)
    assert fake.of_bot(channel)[2].written == "You said: thank you"
    assert fake.refusals(400) == []


async def test_hikari_finds_a_discord_here(fake: FakeDiscord) -> None:
    bot = hikari.GatewayBot(
        TOKEN, banner=None, logs=None, suppress_optimization_warning=True, rest_url=fake.url,
        intents=hikari.Intents.DM_MESSAGES,
    )  # fmt: skip

    @bot.listen(hikari.StartingEvent)
    async def starting(event: hikari.StartingEvent) -> None:
        del event
        option = hikari.CommandOption(
            type=hikari.OptionType.STRING, name="file", description="a table"
        )
        builder = bot.rest.slash_command_builder("train", "Train a model").add_option(option)
        builder.set_context_types([hikari.ApplicationContextType.BOT_DM])
        await bot.rest.set_application_commands(BOT_ID, [builder])

    @bot.listen(hikari.InteractionCreateEvent)
    async def asked(event: hikari.InteractionCreateEvent) -> None:
        told = event.interaction
        if isinstance(told, hikari.CommandInteraction):
            await told.create_initial_response(hikari.ResponseType.DEFERRED_MESSAGE_CREATE)
            row = MessageActionRowBuilder()
            row.add_interactive_button(hikari.ButtonStyle.PRIMARY, "go", label="Go on")
            row.add_interactive_button(hikari.ButtonStyle.SECONDARY, "stop", label="Stop")
            assert told.options
            await told.edit_initial_response(f"**{told.options[0].value}**?", component=row)
        elif isinstance(told, hikari.ComponentInteraction):
            await told.create_initial_response(
                hikari.ResponseType.DEFERRED_MESSAGE_UPDATE,
            )
            await bot.rest.edit_message(
                told.channel_id, told.message.id, "It goes on.", components=[]
            )
            await bot.rest.create_message(
                told.channel_id, "Here.", attachment=hikari.Bytes(REPORT, "report.csv")
            )

    @bot.listen(hikari.DMMessageCreateEvent)
    async def said(event: hikari.DMMessageCreateEvent) -> None:
        if event.is_human:
            await bot.rest.create_message(event.channel_id, f"You said: {event.content}")

    await bot.start(check_for_updates=False)
    try:
        await play(fake)
    finally:
        await bot.close()


class OtherBot(discord.Client):
    """The same bot, by the other library."""

    def __init__(self) -> None:
        intents = discord.Intents.none()
        intents.dm_messages = True
        super().__init__(intents=intents, allowed_mentions=discord.AllowedMentions.none())
        self.tree = app_commands.CommandTree(self)

        @self.tree.command(name="train", description="Train a model")
        async def train(interaction: discord.Interaction, file: str) -> None:
            await interaction.response.defer(thinking=True)
            view = discord.ui.View()
            go: discord.ui.Button[Any] = discord.ui.Button(label="Go on", custom_id="go")
            go.callback = self.went_on  # type: ignore[method-assign]
            view.add_item(go)
            view.add_item(discord.ui.Button(label="Stop", custom_id="stop"))
            await interaction.edit_original_response(content=f"**{file}**?", view=view)

    async def setup_hook(self) -> None:
        await self.tree.sync()

    async def went_on(self, interaction: discord.Interaction) -> None:
        await interaction.response.defer()
        assert interaction.message is not None
        channel = self.get_partial_messageable(
            int(interaction.channel_id or 0), type=discord.ChannelType.private
        )
        message = channel.get_partial_message(interaction.message.id)
        await message.edit(content="It goes on.", view=None)
        await channel.send("Here.", file=discord.File(io.BytesIO(REPORT), "report.csv"))

    async def on_message(self, message: discord.Message) -> None:
        if not message.author.bot:
            channel = self.get_partial_messageable(
                message.channel.id, type=discord.ChannelType.private
            )
            await channel.send(f"You said: {message.content}")


async def test_discord_py_finds_a_discord_here(
    fake: FakeDiscord, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The library has no setting for where Discord is.
    monkeypatch.setattr(Route, "BASE", fake.url)
    monkeypatch.setattr(DiscordWebSocket, "DEFAULT_GATEWAY", URL(fake.gateway.url))
    bot = OtherBot()
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(bot.start(TOKEN))
        try:
            await play(fake)
        finally:
            await bot.close()
            with contextlib.suppress(asyncio.CancelledError):
                await running
