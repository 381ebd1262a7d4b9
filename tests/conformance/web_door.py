"""The dashboard's talk with the hub, with a browser at it as far as HTTP goes: pages and forms."""

from __future__ import annotations

import asyncio
import contextlib
import json
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from html.parser import HTMLParser

import httpx

from hub.frontends.webchat import conversation_of
from hub.ports import Frontend
from shared.ids import ConversationId, JobId, PersonId, short
from tests.conformance.bubbles import Bubble
from tests.hub.frontends.world import World

PAGE = "/chat/desk"


@dataclass
class Message:
    """A message as the page shows it."""

    ref: str
    is_mine: bool
    is_final: bool
    text: str = ""
    offers: dict[str, dict[str, str]] = field(default_factory=dict)
    """By label: the fields that its form sends."""


class Reader(HTMLParser):
    """Reads the page of the talk, as a person would: messages, their text, their buttons."""

    def __init__(self) -> None:
        super().__init__()
        self.messages: list[Message] = []
        self.csrf = ""
        self._open = ""
        self._fields: dict[str, str] = {}
        self._label = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = {name: value or "" for name, value in attrs}
        classes = told.get("class", "").split()
        if tag == "li" and "bubble" in classes:
            self.messages.append(Message(told["data-ref"], "mine" in classes, "data-final" in told))
        elif tag == "p" and "told" in classes:
            self._open = "told"
        elif tag == "form":
            self._fields = {}
        elif tag == "input":
            self._fields[told.get("name", "")] = told.get("value", "")
            self.csrf = self._fields.get("csrf", self.csrf)
        elif tag == "button":
            self._open, self._label = "button", ""
            self._fields[told.get("name", "")] = told.get("value", "")
        elif tag == "a" and "button" in classes:
            self._open, self._label = "button", ""

    def handle_data(self, data: str) -> None:
        if self._open == "told":
            self.messages[-1].text += data
        elif self._open == "button":
            self._label += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "p" and self._open == "told":
            self._open = ""
        if tag in ("button", "a") and self._open == "button":
            self._open = ""
            is_offer = tag == "button" and self._fields.get("text")
            if self.messages and is_offer:
                self.messages[-1].offers[self._label.strip()] = dict(self._fields)


class WebDoor:
    """A person who has the page open: it is fetched anew when the stream rings."""

    def __init__(self, world: World, person_id: PersonId) -> None:
        self.frontend: Frontend = world.hub.chat
        self.conversation: ConversationId = conversation_of(person_id)
        self.splits_at = 0
        self.knows_keys = True
        self._world = world
        self._person_id = person_id
        self._shown: dict[str, Bubble] = {}
        self._offers: dict[str, dict[str, str]] = {}
        self._csrf = ""
        self._mine: set[str] = set()
        self._http: httpx.AsyncClient | None = None
        self._stack = contextlib.AsyncExitStack()
        self._looking = asyncio.Lock()

    @property
    def bubbles(self) -> list[Bubble]:
        """What the hub said."""
        return [bubble for ref, bubble in self._shown.items() if ref not in self._mine]

    async def say(self, text: str, update: str = "") -> None:
        await self._send({"text": text, "words_id": update or uuid.uuid4().hex})

    async def tap(self, label: str) -> None:
        await self._send(self._offers[label])

    async def reply(self, to: Bubble, job_id: JobId, text: str) -> None:
        del to
        await self.say(f"#{short(job_id)} {text}")

    async def leave(self) -> None:
        await self._stack.aclose()
        self._http = None

    async def come_back(self) -> None:
        self._stack = contextlib.AsyncExitStack()
        self._http = await self._stack.enter_async_context(
            httpx.AsyncClient(base_url=self._world.url, trust_env=False, verify=False, timeout=30)
        )
        await self.look()
        tasks = await self._stack.enter_async_context(asyncio.TaskGroup())
        listening = tasks.create_task(self._listen(self._http))
        self._stack.callback(listening.cancel)

    async def look(self) -> None:
        """Fetch the page, and note what changed on it."""
        assert self._http is not None
        async with self._looking:
            seen = await self._http.get(PAGE)
            if seen.status_code == httpx.codes.UNAUTHORIZED:
                # A browser that was left alone for long is signed in once more.
                link = await self._world.hub.services.sign_ins.link(self._person_id)
                await self._http.post(f"/in/{link.secret}")
                seen = await self._http.get(PAGE)
            assert seen.status_code == httpx.codes.OK, seen.text
            reader = Reader()
            reader.feed(seen.text)
        self._csrf = reader.csrf
        for message in reader.messages:
            self._note(message)

    def _note(self, message: Message) -> None:
        labels = list(message.offers)
        self._offers.update(message.offers)
        if message.is_mine:
            self._mine.add(message.ref)
        known = self._shown.get(message.ref)
        if known is None:
            self._shown[message.ref] = Bubble(message.ref, message.text, labels, message.is_final)
            return
        known.edits += (known.text, known.labels) != (message.text, labels)
        known.text, known.labels, known.is_final = message.text, labels, message.is_final

    async def _send(self, fields: dict[str, str]) -> None:
        assert self._http is not None
        await self.look()
        sent = await self._http.post(PAGE, data={**fields, "csrf": self._csrf})
        assert sent.status_code == httpx.codes.SEE_OTHER, sent.text
        await self.look()

    async def _listen(self, http: httpx.AsyncClient) -> None:
        while True:
            with contextlib.suppress(httpx.TransportError):
                await self._follow(http)
            await self.look()

    async def _follow(self, http: httpx.AsyncClient) -> None:
        async with http.stream("GET", "/live", timeout=None) as stream:
            async for line in stream.aiter_lines():
                is_data = line.startswith("data: ")
                if is_data and "desk" in json.loads(line.removeprefix("data: ")).get("topics", ()):
                    await self.look()


@contextlib.asynccontextmanager
async def open_web_door(world: World, person_id: PersonId) -> AsyncIterator[WebDoor]:
    door = WebDoor(world, person_id)
    await door.come_back()
    yield door
    await door.leave()
