"""A web job in a test: its context, a web of our own, models and engines that do as they are told.

async with web_world(tmp_path) as world:
    world.site.page("/a", article("Bees", "Bees make honey."))
    output = await research.run(world.context, ResearchInputs(...))
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from desktop.core.llm.fault import LlmFault
from desktop.core.llm.message import ToolCall
from desktop.core.llm.types import Endpoint, Message, Model, Reply, Sampling
from desktop.core.network_rules import NetworkRules
from desktop.core.web.choosing import Found
from desktop.core.web.rules import WebRules
from desktop.core.web.sorts import Sort
from desktop.jobs.llm.health import Health
from desktop.jobs.llm.house import House
from desktop.jobs.llm.reach import Look
from desktop.jobs.web.fetcher import Fetched
from desktop.jobs.web.reader.documents import read_document
from desktop.jobs.web.reader.html_page import read_page
from desktop.jobs.web.reader.told import Told, told
from desktop.jobs.web.room import Seams, WebRoom
from desktop.system.way import Way
from shared.errors import AppError
from shared.kinds.llm import UsageFacts
from tests.desktop.jobs.fake_shared import FakeShared, shared_of
from tests.web_sites.net import PUBLIC, FakeNet
from tests.web_sites.site import Site, running

LOCAL = Endpoint(name="local", base_url="http://127.0.0.1:9/v1", is_local=True, models=("tiny",))
CLOUD = Endpoint(name="openai", base_url="https://api.openai.com/v1", key_name="OPENAI_API_KEY")
HOST = "site.example.org"
RULES = WebRules(pause_seconds=0, browser=False, page_seconds_max=5)


@dataclass
class ScriptedSpeaker:
    """A model whose answers are scripted: for queries, and for what it has read."""

    answer: str | LlmFault | list[str | LlmFault] = "Bees make honey [1]."
    queries: str = '{"queries": ["honey bees"]}'
    calls: tuple[ToolCall, ...] = ()
    """Tools that it calls, though it was given none."""
    asked: list[tuple[Message, ...]] = field(default_factory=list)
    models: list[str] = field(default_factory=list)
    sampling: list[Sampling] = field(default_factory=list)

    @property
    def readings(self) -> list[tuple[Message, ...]]:
        """Requests with pages in them."""
        return [one for one in self.asked if "prepare a search" not in one[0].text]

    async def say(
        self, model: Model, messages: Sequence[Message], sampling: Sampling, *, key: str = ""
    ) -> Reply:
        self.asked.append(tuple(messages))
        self.models.append(model.full_name)
        self.sampling.append(sampling)
        is_query = "prepare a search" in messages[0].text
        told = self.queries if is_query else self.said(messages)
        if isinstance(told, LlmFault):
            raise told
        return Reply(
            text=told,
            model_reported=f"{model.name}-v1",
            usage=UsageFacts(input_tokens=10, output_tokens=5),
            total_ms=1.0,
            prompt_sha256="0" * 64,
            calls=self.calls,
        )

    def said(self, messages: Sequence[Message]) -> str | LlmFault:
        if isinstance(self.answer, list):
            return self.answer.pop(0) if len(self.answer) > 1 else self.answer[0]
        return self.answer

    async def aclose(self) -> None:
        return


@dataclass
class ScriptedEngine:
    """A search engine that finds what a test wants, by the query, else for any."""

    results: Mapping[str, Sequence[str]] = field(default_factory=dict)
    any: Sequence[str] = ()
    failure: AppError | None = None
    asked: list[str] = field(default_factory=list)
    name: str = "scripted"

    async def search(self, query: str, count: int) -> tuple[Found, ...]:
        self.asked.append(query)
        if self.failure is not None:
            raise self.failure
        return tuple(Found(url, "A title") for url in self.results.get(query, self.any))


class QuickReader:
    """Reads pages in the test's own process, where nobody is hostile to it."""

    async def read(self, fetched: Fetched) -> Told:
        if fetched.sort is Sort.HTML:
            return read_page(fetched.body, fetched.charset)
        if fetched.sort is Sort.TEXT:
            return told("", fetched.body.decode())
        return read_document(fetched.body, fetched.sort)


@dataclass
class WebWorld:
    context: FakeShared
    site: Site
    net: FakeNet
    speaker: ScriptedSpeaker
    engine: ScriptedEngine

    @property
    def room(self) -> WebRoom:
        return self.context.shared(WebRoom, WebRoom)


@asynccontextmanager
async def web_world(
    tmp_path: Path,
    rules: WebRules = RULES,
    *,
    replies: Mapping[str, str] | None = None,
    endpoints: tuple[Endpoint, ...] = (LOCAL,),
    speaker: ScriptedSpeaker | None = None,
    has_engine: bool = True,
    is_quick: bool = True,
) -> AsyncIterator[WebWorld]:
    """Open a web with one site on it, HOST."""
    keys = {"OPENAI_API_KEY": "sk-canary"}
    context = shared_of(tmp_path, replies, endpoints=endpoints, keys=keys)
    context.web = rules
    context.network = NetworkRules(proxy="none")
    speaker, engine = speaker or ScriptedSpeaker(), ScriptedEngine()
    async with running() as site:
        net = FakeNet(names={HOST: [PUBLIC]}, sites={PUBLIC: site.port})
        seams = Seams(
            resolve=net.resolve,
            connect=net.connect,
            network=net.backend,
            reader=QuickReader() if is_quick else None,
            engine=engine if has_engine else None,
        )
        context.kept[WebRoom] = WebRoom(seams)
        context.kept[House] = House(lambda: keys, speaker)
        context.kept[Health] = Health(look=_look)
        try:
            yield WebWorld(context, site, net, speaker, engine)
        finally:
            await context.aclose()


async def _look(endpoint: Endpoint, key: str, way: Way) -> Look:
    """Every endpoint answers, and lists nothing but what the policy names."""
    return Look(is_answering=True, models=("gpt-5",) if not endpoint.is_local else ())
