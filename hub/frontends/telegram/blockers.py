"""Chats that the bot may not write to: what is for them waits, and Telegram is not pestered.

Whoever lets the bot write again says so by it (`my_chat_member`); should that have been missed,
Telegram is asked again after a while.
"""

from __future__ import annotations

from collections import OrderedDict

from shared.environment import Environment
from shared.errors import Unavailable
from shared.ids import ConversationId

CODE = "chat_blocked"
ASK_AGAIN_SECONDS = 3600.0
REMEMBERED_MAX = 1000


def blocked() -> Unavailable:
    return Unavailable(
        CODE,
        "The bot may not write there: it was blocked, removed, or never spoken to.",
        "Whoever wants to hear from it again sends it /start.",
        retryable=True,
    )


class Blockers:
    def __init__(self, environment: Environment) -> None:
        self._environment = environment
        self._until: OrderedDict[ConversationId, float] = OrderedDict()

    def check(self, conversation: ConversationId) -> None:
        """Go on where the bot may write, as far as we know.

        Raises:
            Unavailable: `chat_blocked`.
        """
        if self._until.get(conversation, 0.0) > self._environment.monotonic():
            raise blocked()

    def note(self, conversation: ConversationId) -> None:
        """Telegram has refused a message there."""
        self._until[conversation] = self._environment.monotonic() + ASK_AGAIN_SECONDS
        self._until.move_to_end(conversation)
        while len(self._until) > REMEMBERED_MAX:
            self._until.popitem(last=False)

    def forget(self, conversation: ConversationId) -> None:
        """The bot may write there again."""
        self._until.pop(conversation, None)
