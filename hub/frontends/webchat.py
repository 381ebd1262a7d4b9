"""The web as a Frontend: a person has one conversation here, whichever browser shows it.

What the outbox shows is kept (`hub.services.chats`), so that it is there whenever somebody looks;
open pages are rung. Threads of tasks are built from the log of events instead (`thread`).
"""

from __future__ import annotations

from collections import OrderedDict

from hub.core.access import Person
from hub.core.view import FrontendCapabilities, Inbound, Sender, View, degraded
from hub.frontends.call import Views, said_by
from hub.frontends.console import hub_stopping
from hub.ports import Health, HealthState, Inbox, MessageRef
from hub.services import Services
from shared.environment import Environment
from shared.ids import ConversationId, PersonId, TaskId

NAME = "web"
PROGRESS_KEPT_MAX = 1000
CHAT, DESK = "chat", "desk"
"""The topics that ring when something was said in a thread, and anywhere on the web."""


def conversation_of(person_id: PersonId) -> ConversationId:
    return ConversationId(f"{NAME}:{person_id}")


class WebFrontend:
    """The conversations of the dashboard; its pages hand in what people say with `hear`."""

    name = NAME
    capabilities = FrontendCapabilities(
        buttons_max=50,
        edit=True,
        file_links=True,
        links=True,
        text_chars_max=16_000,
        min_edit_interval_seconds=1.0,
    )

    def __init__(self, *, services: Services, environment: Environment) -> None:
        self._services = services
        self.environment = environment
        self._inbox: Inbox | None = None
        self._since = environment.now()
        self._progress: OrderedDict[tuple[ConversationId, str], View] = OrderedDict()
        """How messages about running jobs look now; not worth a write each."""

    async def start(self, inbox: Inbox) -> None:
        self._inbox = inbox
        self._since = self.environment.now()

    async def stop(self) -> None:
        if self._inbox is not None:
            self._since = self.environment.now()
        self._inbox = None

    def status(self) -> Health:
        state = HealthState.OK if self._inbox else HealthState.STOPPED
        return Health(state=state, since=self._since)

    async def render(
        self, conversation: ConversationId, view: View, replace: MessageRef | None
    ) -> MessageRef:
        """Keep a view, and ring whoever looks."""
        ref = replace or MessageRef(view.key or self.environment.new_id())
        if view.progress is not None and replace is not None:
            self._note_progress(conversation, ref, view)
            self._ring(conversation, DESK)
            return ref
        self._progress.pop((conversation, ref.value), None)
        if await self._services.chats.show(conversation, view, ref.value):
            self._ring(conversation, DESK)
        return ref

    def looks(self, conversation: ConversationId, ref: str, view: View) -> View:
        """How a message looks now, with the progress that was told since it was kept."""
        return self._progress.get((conversation, ref), view)

    async def hear(
        self,
        person: Person,
        text: str,
        words_id: str,
        *,
        where: str = NAME,
        task_id: TaskId | None = None,
    ) -> Views:
        """Take what a person says; the immediate answers, which are kept, too.

        Args:
            person: who.
            text: as typed, or what a button says.
            words_id: made by the client; the same twice is the same words once.
            where: the frontend that they really use: this one, or "api".
            task_id: the thread it is said in; it must be a task of theirs.

        Raises:
            Unavailable: `hub_stopping`, and what a store that cannot be written says.
        """
        inbox = self._inbox
        if inbox is None:
            raise hub_stopping()
        conversation = conversation_of(person.person_id)
        inbound = Inbound(
            conversation=conversation,
            sender=Sender(
                frontend=where,
                external_id=person.person_id,
                name=person.name,
                person_id=person.person_id,
            ),
            text=text,
            dedupe=f"{person.person_id}:{words_id}",
            task_id=task_id,
        )
        is_kept = task_id is None or text.lstrip().startswith("/")
        if is_kept:
            await self._note_said(person, inbound, words_id)
        views = await inbox(inbound)
        if views and not is_kept:
            await self._note_said(person, inbound, words_id)
        for number, view in enumerate(views):
            fitted = degraded(view, self.capabilities)
            ref = view.key or f"answer {where} {inbound.dedupe} {number}"
            await self._services.chats.show(conversation, fitted, ref, task_id)
        self._ring(conversation, CHAT, DESK)
        return views

    async def _note_said(self, person: Person, inbound: Inbound, words_id: str) -> None:
        """Keep words that no event tells."""
        if not inbound.text.strip():
            return
        await self._services.chats.said(
            inbound.conversation,
            inbound.text.strip(),
            f"said {inbound.sender.frontend} {words_id}",
            by=said_by(person, inbound),
            task_id=inbound.task_id,
        )

    def _note_progress(self, conversation: ConversationId, ref: MessageRef, view: View) -> None:
        self._progress[conversation, ref.value] = view
        while len(self._progress) > PROGRESS_KEPT_MAX:
            self._progress.popitem(last=False)

    def _ring(self, conversation: ConversationId, *topics: str) -> None:
        person_id = PersonId(conversation.removeprefix(f"{NAME}:"))
        for topic in topics:
            self._services.feed.tell_news(person_id, topic)
