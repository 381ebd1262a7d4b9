"""Which channel or thread a message goes to: what is asked in a server gets a thread of its own.

The thread is made with the second message; a task that is done in one needs none. Its id is that
of the message it hangs on, so that nothing has to be remembered. Where the bot may not make
threads, messages go to the channel, as replies to that message.
"""

from __future__ import annotations

import logging
from collections import OrderedDict
from typing import TypeVar

import hikari

from hub.frontends.discord.client import Client
from hub.frontends.discord.conversations import Place
from hub.frontends.discord.posts import UPLOAD_BYTES_MAX
from hub.frontends.discord.refusals import PERMISSIONS_HINT, THREAD_EXISTS
from shared.plain_text import plain_line

logger = logging.getLogger(__name__)

Kept = TypeVar("Kept")

TITLE_CHARS_MAX = 100
REMEMBERED_MAX = 2000
THREADS = frozenset(
    {
        hikari.ChannelType.GUILD_NEWS_THREAD,
        hikari.ChannelType.GUILD_PUBLIC_THREAD,
        hikari.ChannelType.GUILD_PRIVATE_THREAD,
    }
)


class Rooms:
    """Threads there are, and places without."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._threads: OrderedDict[int, bool] = OrderedDict()
        """By anchor: whether there is a thread, or none can be."""
        self._places: OrderedDict[int, Place] = OrderedDict()
        self._limits: OrderedDict[int, int] = OrderedDict()

    def note_limit(self, channel_id: int, bytes_max: int) -> None:
        """Discord has said what it takes as an upload in a channel."""
        _remember(self._limits, channel_id, bytes_max)

    def limit(self, channel_id: int) -> int:
        """Bytes of one upload that Discord takes in a channel."""
        return self._limits.get(channel_id, UPLOAD_BYTES_MAX)

    async def room(self, place: Place, title: str) -> int:
        """The channel or thread for a new message, made if need be.

        Raises:
            AppError: as `refusals.app_error`, when it may go better later.
        """
        if not place.anchor_id:
            return place.channel_id
        known = self._threads.get(place.anchor_id)
        if known is None:
            known = await self._opened(place, title)
            _remember(self._threads, place.anchor_id, known)
        return place.anchor_id if known else place.channel_id

    def lost(self, place: Place) -> None:
        """There is no such thread any more."""
        self._threads[place.anchor_id] = False

    async def place(self, channel_id: int) -> Place:
        """What a channel of a server is: itself, or a thread within another.

        Raises:
            AppError: as `refusals.app_error`.
        """
        if channel_id not in self._places:
            channel = await self._client.call(
                "look at a channel", lambda rest: rest.fetch_channel(channel_id)
            )
            parent = getattr(channel, "parent_id", None)
            is_thread = channel.type in THREADS and parent is not None
            self.note(channel_id, int(parent) if is_thread and parent else 0)
        return self._places[channel_id]

    def note(self, channel_id: int, parent_id: int) -> Place:
        """Remember a channel; `parent_id` of a thread, else 0."""
        if parent_id:
            place = Place(channel_id=parent_id, in_server=True, anchor_id=channel_id)
            _remember(self._threads, channel_id, bool(parent_id))
        else:
            place = Place(channel_id=channel_id, in_server=True)
        _remember(self._places, channel_id, place)
        return place

    async def _opened(self, place: Place, title: str) -> bool:
        name = plain_line(title).strip()[:TITLE_CHARS_MAX] or "Deskhand"
        try:
            await self._client.tried(
                lambda rest: rest.create_message_thread(place.channel_id, place.anchor_id, name)
            )
        except hikari.ClientHTTPResponseError as error:
            if error.code == THREAD_EXISTS:
                return True
            if isinstance(error, hikari.UnauthorizedError):
                raise self._client.told("open a thread", error, place.channel_id) from None
            logger.info(
                "No thread in channel %s (%s). %s", place.channel_id, error.code, PERMISSIONS_HINT
            )
            return False
        except hikari.HTTPError as error:
            raise self._client.told("open a thread", error, place.channel_id) from None
        return True


def _remember(kept: OrderedDict[int, Kept], key: int, value: Kept) -> None:
    kept[key] = value
    while len(kept) > REMEMBERED_MAX:
        kept.popitem(last=False)
