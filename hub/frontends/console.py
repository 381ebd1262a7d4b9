"""The chat over a socket, as a Frontend: `deskhand-hub chat`, and whoever speaks its frames.

A person has one conversation here, whichever terminal shows it. What the outbox wants shown is
taken only once a terminal has said it was seen; with nobody there it stays in the outbox.
A bare ASGI application, so that it can stand beside the REST routes without their middleware.
"""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field

from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect

from hub.core.access import Person, key_invalid
from hub.core.view import FrontendCapabilities, Inbound, Sender, View, degraded
from hub.frontends.console_frames import (
    Answered,
    Fault,
    FromHub,
    Greeting,
    Message,
    Say,
    Seen,
    read_from_client,
)
from hub.frontends.door import Caller, admit
from hub.frontends.wording import error_view
from hub.ports import Health, HealthState, Inbox, MessageRef
from hub.services import Services
from shared.environment import Environment
from shared.errors import AppError, NotAllowed, Unavailable
from shared.ids import ConversationId, PersonId

logger = logging.getLogger(__name__)

NAME = "console"
SEEN_SECONDS = 5.0
"""How long a terminal may take to show a message."""
QUEUE_FRAMES_MAX = 256
"""Frames that may wait for one slow terminal before it is let go."""
CLOSE_GOING_AWAY = 1001
CLOSE_POLICY = 1008
CLOSE_OVERLOADED = 1013

Arrival = Callable[[ConversationId], None]
"""Told when a conversation is watched again."""


@dataclass(slots=True, eq=False)
class _Terminal:
    """One connected client."""

    frames: asyncio.Queue[FromHub | None] = field(
        default_factory=lambda: asyncio.Queue(QUEUE_FRAMES_MAX)
    )
    """None ends the connection."""
    is_lost: bool = False


def conversation_of(person_id: PersonId) -> ConversationId:
    return ConversationId(f"{NAME}:{person_id}")


class ConsoleFrontend:
    """The console. `__call__` is its ASGI application."""

    name = NAME
    capabilities = FrontendCapabilities(
        buttons_max=50, edit=True, text_chars_max=16_000, min_edit_interval_seconds=1.0
    )

    def __init__(
        self,
        *,
        services: Services,
        environment: Environment,
        hub_name: str,
        version: str,
        arrival: Arrival,
    ) -> None:
        self._services = services
        self._environment = environment
        self._hub_name, self._version = hub_name, version
        self._arrival = arrival
        self._inbox: Inbox | None = None
        self._since = environment.now()
        self._terminals: dict[ConversationId, set[_Terminal]] = defaultdict(set)
        self._unseen: dict[int, tuple[ConversationId, asyncio.Future[None]]] = {}
        self._numbers = 0

    async def start(self, inbox: Inbox) -> None:
        self._inbox = inbox
        self._since = self._environment.now()

    async def stop(self) -> None:
        self._inbox = None
        self._since = self._environment.now()
        for terminal in [t for group in self._terminals.values() for t in group]:
            _end(terminal)

    def status(self) -> Health:
        state = HealthState.OK if self._inbox else HealthState.STOPPED
        return Health(state=state, since=self._since)

    async def render(
        self, conversation: ConversationId, view: View, replace: MessageRef | None
    ) -> MessageRef:
        """Show a view on every terminal of the conversation; returns once one has shown it.

        Raises:
            Unavailable: `nobody_listening`, `not_seen`; both retryable.
        """
        if not self._terminals.get(conversation):
            raise nobody_listening()
        self._numbers += 1
        number = self._numbers
        ref = replace or MessageRef(view.key or self._environment.new_id())
        seen = asyncio.get_running_loop().create_future()
        self._unseen[number] = (conversation, seen)
        for terminal in list(self._terminals[conversation]):
            _offer(terminal, Message(number=number, ref=ref.value, view=view))
        try:
            await asyncio.wait_for(seen, SEEN_SECONDS)
        except TimeoutError:
            raise Unavailable(
                "not_seen", "No terminal showed it in time.", retryable=True
            ) from None
        finally:
            del self._unseen[number]
        return ref

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one terminal."""
        socket = WebSocket(scope, receive, send)
        await socket.accept()
        try:
            caller = await self._admitted(socket)
        except AppError as error:
            await _refuse(socket, error)
            return
        with self._services.keys.line(caller.access) as ended:
            await self._serve(socket, caller.person, ended)

    async def _admitted(self, socket: WebSocket) -> Caller:
        if self._inbox is None:
            raise hub_stopping()
        if "origin" in socket.headers:
            # A terminal is no browser: whoever sends an Origin is a web page that tries its luck.
            raise NotAllowed("origin_not_allowed", "Web pages cannot open this chat.")
        return await admit(self._services, socket.headers.get("authorization", ""))

    async def _serve(self, socket: WebSocket, person: Person, ended: asyncio.Event) -> None:
        conversation = conversation_of(person.person_id)
        terminal = _Terminal()
        terminal.frames.put_nowait(
            Greeting(hub=self._hub_name, person=person.name, version=self._version)
        )
        self._terminals[conversation].add(terminal)
        self._arrival(conversation)
        try:
            async with asyncio.TaskGroup() as tasks:
                writing = tasks.create_task(_write(socket, terminal))
                ending = tasks.create_task(_end_with(ended, terminal))
                tasks.create_task(self._read(socket, terminal, person, (writing, ending)))
        finally:
            self._terminals[conversation].discard(terminal)
            if not self._terminals[conversation]:
                del self._terminals[conversation]
                self._give_up_on(conversation)

    def _give_up_on(self, conversation: ConversationId) -> None:
        """The last terminal left: nobody will say any more that something was seen."""
        for where, seen in self._unseen.values():
            if where == conversation and not seen.done():
                seen.set_exception(nobody_listening())

    async def _read(
        self,
        socket: WebSocket,
        terminal: _Terminal,
        person: Person,
        others: tuple[asyncio.Task[None], ...],
    ) -> None:
        try:
            while True:
                incoming = await socket.receive()
                if incoming["type"] == "websocket.disconnect":
                    break
                await self._take(incoming.get("text"), terminal, person)
        except WebSocketDisconnect:
            pass
        finally:
            for other in others:
                other.cancel()

    async def _take(self, text: str | None, terminal: _Terminal, person: Person) -> None:
        try:
            match read_from_client(text):
                case Seen(number=number):
                    _, seen = self._unseen.get(number, (None, None))
                    if seen is not None and not seen.done():
                        seen.set_result(None)
                case Say() as say:
                    await self._answer(say, terminal, person)
        except AppError as error:
            _offer(terminal, Fault(error=error.body))

    async def _answer(self, say: Say, terminal: _Terminal, person: Person) -> None:
        inbox = self._inbox
        if inbox is None:
            raise hub_stopping()
        inbound = Inbound(
            conversation=conversation_of(person.person_id),
            sender=Sender(
                frontend=NAME,
                external_id=person.person_id,
                name=person.name,
                person_id=person.person_id,
            ),
            text=say.text,
            dedupe=f"{person.person_id}:{say.id}",
        )
        try:
            views = await inbox(inbound)
        except AppError as error:
            views = (error_view(error),)
        for view in views:
            ref = view.key or self._environment.new_id()
            _offer(terminal, Message(number=0, ref=ref, view=degraded(view, self.capabilities)))
        _offer(terminal, Answered(id=say.id))


async def _write(socket: WebSocket, terminal: _Terminal) -> None:
    try:
        while (frame := await terminal.frames.get()) is not None:
            await socket.send_text(frame.model_dump_json())
        await socket.close(CLOSE_OVERLOADED if terminal.is_lost else CLOSE_GOING_AWAY)
    except WebSocketDisconnect:
        # The reader sees the same and ends the connection.
        return


def _offer(terminal: _Terminal, frame: FromHub) -> None:
    """Queue a frame; a terminal that does not keep up is let go and comes back."""
    if terminal.is_lost:
        return
    try:
        terminal.frames.put_nowait(frame)
    except asyncio.QueueFull:
        logger.warning("A terminal does not keep up and is let go.")
        terminal.is_lost = True
        _end(terminal)


async def _end_with(ended: asyncio.Event, terminal: _Terminal) -> None:
    """Say goodbye once the key is over that opened the chat."""
    await ended.wait()
    _offer(terminal, Fault(error=key_invalid().body))
    _end(terminal)


def _end(terminal: _Terminal) -> None:
    while terminal.frames.full():
        terminal.frames.get_nowait()
    terminal.frames.put_nowait(None)


def nobody_listening() -> Unavailable:
    return Unavailable("nobody_listening", "Nobody is in this chat now.", retryable=True)


def hub_stopping() -> Unavailable:
    return Unavailable(
        "hub_stopping", "The hub is stopping.", "Try again in a moment.", retryable=True
    )


async def _refuse(socket: WebSocket, error: AppError) -> None:
    await socket.send_text(Fault(error=error.body).model_dump_json())
    await socket.close(CLOSE_POLICY)
