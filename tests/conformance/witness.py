"""A frontend with a note of which messages were last words: platforms have no sign for that."""

from __future__ import annotations

from hub.core.view import FrontendCapabilities, View
from hub.ports import Frontend, Health, Inbox, MessageRef
from shared.ids import ConversationId


class Witness:
    """The frontend itself, watched."""

    def __init__(self, frontend: Frontend) -> None:
        self._frontend = frontend
        self.name = frontend.name
        self.capabilities: FrontendCapabilities = frontend.capabilities
        self.last_words: set[str] = set()
        """The names of those messages."""

    async def start(self, inbox: Inbox) -> None:
        await self._frontend.start(inbox)

    async def stop(self) -> None:
        await self._frontend.stop()

    async def render(
        self, conversation: ConversationId, view: View, replace: MessageRef | None
    ) -> MessageRef:
        ref = await self._frontend.render(conversation, view, replace)
        if view.final:
            self.last_words.add(ref.value)
        return ref

    def status(self) -> Health:
        return self._frontend.status()
