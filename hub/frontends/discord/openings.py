"""What waits in a chat for the first words of an answer: "is thinking …", or somebody's mention.

Discord wants an answer to a slash command within three seconds; it gets a promise, and the first
message into that conversation keeps it. In memory alone: after a restart the answer comes as a
message of its own.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field

from shared.environment import Environment
from shared.ids import ConversationId

TOKEN_SECONDS = 840.0
"""Discord lets a promise be kept for 15 minutes."""
SILENT_SECONDS = 8.0
"""A command that has said nothing by then says nothing here: its promise is taken back."""
CONVERSATIONS_MAX = 1000
IN_ONE_MAX = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """Where the first message goes: into a promise, or below the message it answers."""

    token: str = field(default="", repr=False)
    reply_to: int = 0
    title: str = ""
    """What was asked for, as a thread may be called."""
    made_at: float


class Openings:
    """All that wait, by conversation; first come, first kept."""

    def __init__(self, environment: Environment) -> None:
        self._environment = environment
        self._waiting: OrderedDict[ConversationId, list[Opening]] = OrderedDict()

    def add(
        self, conversation: ConversationId, *, token: str = "", reply_to: int = 0, title: str = ""
    ) -> Opening:
        """Something waits for an answer from now on; the same is added once."""
        waiting = self._waiting.setdefault(conversation, [])
        for known in waiting:
            if (known.token, known.reply_to) == (token, reply_to):
                return known
        now = self._environment.monotonic()
        opening = Opening(token=token, reply_to=reply_to, title=title, made_at=now)
        waiting.append(opening)
        del waiting[:-IN_ONE_MAX]
        self._waiting.move_to_end(conversation)
        while len(self._waiting) > CONVERSATIONS_MAX:
            self._waiting.popitem(last=False)
        return opening

    def first(self, conversation: ConversationId) -> Opening | None:
        """What the next message should answer."""
        oldest = self._environment.monotonic() - TOKEN_SECONDS
        waiting = [o for o in self._waiting.get(conversation, ()) if o.made_at > oldest]
        return waiting[0] if waiting else None

    def done(self, conversation: ConversationId, opening: Opening) -> None:
        """It was answered, or cannot be."""
        left = [o for o in self._waiting.get(conversation, ()) if o is not opening]
        if left:
            self._waiting[conversation] = left
        else:
            self._waiting.pop(conversation, None)

    def silent(self) -> list[tuple[ConversationId, Opening]]:
        """Take out those that nothing was said to."""
        since = self._environment.monotonic() - SILENT_SECONDS
        found = [(c, o) for c, all_of in self._waiting.items() for o in all_of if o.made_at < since]
        for conversation, opening in found:
            self.done(conversation, opening)
        return found
