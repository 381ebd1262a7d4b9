"""Chats that a bot may not write to: what is for them waits, and the platform is not pestered.

Whoever lets the bot write again is heard of by it; should that have been missed, the platform is
asked again after a while.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

from shared.environment import Environment
from shared.errors import Unavailable
from shared.ids import ConversationId

CODE = "chat_blocked"
ASK_AGAIN_SECONDS = 3600.0
REMEMBERED_MAX = 1000


class Blockers:
    """Where a bot was refused, and until when that is believed."""

    def __init__(self, environment: Environment, blocked: Callable[[], Unavailable]) -> None:
        self._environment = environment
        self._blocked = blocked
        self._until: OrderedDict[ConversationId, float] = OrderedDict()

    def check(self, conversation: ConversationId) -> None:
        """Go on where the bot may write, as far as we know.

        Raises:
            Unavailable: `chat_blocked`.
        """
        if self._until.get(conversation, 0.0) > self._environment.monotonic():
            raise self._blocked()

    def note(self, conversation: ConversationId) -> None:
        """A message was refused there."""
        self._until[conversation] = self._environment.monotonic() + ASK_AGAIN_SECONDS
        self._until.move_to_end(conversation)
        while len(self._until) > REMEMBERED_MAX:
            self._until.popitem(last=False)

    def forget(self, conversation: ConversationId) -> bool:
        """The bot may write there again; whether that is news."""
        return self._until.pop(conversation, None) is not None
