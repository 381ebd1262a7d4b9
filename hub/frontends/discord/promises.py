"""The first answer to a command or a press: Discord wants one within three seconds.

Most are promises: "is thinking …" for a command, nothing to be seen for a press. What the hub has
to say comes as messages.
"""

from __future__ import annotations

from dataclasses import dataclass

import hikari

from hub.frontends.discord.hearing import Command, ForeignServer, Heard, Press

NOT_HERE = "I do not answer in this server. Write to me in a direct message."
UNKNOWN = "I do not know this any more. Try a command: type / to see them."
BUSY = "Too much is going on at once. Try again in a minute."


@dataclass(frozen=True, slots=True)
class Promise:
    """A first answer; with words, they are for nobody else's eyes and all there is to say."""

    kind: hikari.ResponseType
    words: str = ""

    @property
    def is_kept_later(self) -> bool:
        return not self.words


def promise_of(heard: Heard) -> Promise:
    """What to answer at once."""
    match heard:
        case Command():
            return Promise(hikari.ResponseType.DEFERRED_MESSAGE_CREATE)
        case Press():
            return Promise(hikari.ResponseType.DEFERRED_MESSAGE_UPDATE)
        case ForeignServer():
            return spoken(NOT_HERE)
        case _:
            return spoken(UNKNOWN)


def spoken(words: str) -> Promise:
    return Promise(hikari.ResponseType.MESSAGE_CREATE, words)
