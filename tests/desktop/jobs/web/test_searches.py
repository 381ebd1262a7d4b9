"""Search engines: what each is asked and how, what it answers, and whose key goes where."""

from __future__ import annotations

import json
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from desktop.core.web.rules import Search, WebRules
from desktop.jobs.web import search
from desktop.jobs.web.lines import Lines
from desktop.jobs.web.outside import Outside
from desktop.jobs.web.searches.choosing import engine_of, rules_for_search
from desktop.jobs.web.searches.engine import Engine
from desktop.jobs.web.searches.keyed import BraveEngine, SearxngEngine, TavilyEngine
from desktop.jobs.web.searches.keyless import KeylessEngine
from shared.errors import AppError, Unavailable
from shared.kinds.web import SearchInputs
from tests.web_sites.net import PUBLIC, FakeNet
from tests.web_sites.site import Site, running
from tests.web_sites.world import HOST, web_world

KEY = "key-canary"
RESULT = {"url": "https://example.org/a", "title": "A", "content": "Words", "description": "Words"}
BODIES: Mapping[str, object] = {
    "searxng": {"results": [RESULT]},
    "brave": {"web": {"results": [RESULT]}},
    "tavily": {"results": [RESULT]},
}
PATHS = {"searxng": "/search", "brave": "/res/v1/web/search", "tavily": "/search"}


@dataclass
class Place:
    site: Site
    net: FakeNet
    engines: Mapping[str, Engine]


@asynccontextmanager
async def place(key: str = KEY) -> AsyncIterator[Place]:
    async with running() as site:
        net = FakeNet(names={HOST: [PUBLIC]}, sites={PUBLIC: site.port, "10.0.0.9": site.port})
        rules = WebRules(search=Search.SEARXNG, searxng_url=f"http://{HOST}")
        lines = Lines(
            rules, Outside(rules, net.resolve), proxy_for=lambda _url: None, network=net.backend
        )
        base = f"http://{HOST}"
        yield Place(
            site,
            net,
            {
                "searxng": SearxngEngine(lines, rules),
                "brave": BraveEngine(lines, rules, key, base),
                "tavily": TavilyEngine(lines, rules, key, base),
            },
        )
        await lines.aclose()


@pytest.mark.parametrize("name", list(BODIES))
async def test_results_are_read_and_the_query_arrives_whole(name: str) -> None:
    async with place() as opened:
        opened.site.page(PATHS[name], json.dumps(BODIES[name]), media_type="application/json")
        [found] = await opened.engines[name].search("honey & bees?", 5)
        assert (found.url, found.title, found.snippet) == ("https://example.org/a", "A", "Words")
        [request] = opened.site.requests
        told = request.path + request.body.decode()
        assert "honey+%26+bees%3F" in told or "honey & bees?" in told


async def test_a_key_stands_in_the_header_of_its_engine_and_in_no_address() -> None:
    async with place() as opened:
        for name, body in BODIES.items():
            opened.site.page(PATHS[name], json.dumps(body), media_type="application/json")
            await opened.engines[name].search("honey", 5)
        searxng, brave, tavily = opened.site.requests
        assert brave.headers["x-subscription-token"] == KEY
        assert tavily.headers["authorization"] == f"Bearer {KEY}"
        assert KEY not in str(searxng)
        assert all(KEY not in one.path and KEY.encode() not in one.body for one in (brave, tavily))


@pytest.mark.parametrize("name", list(BODIES))
@pytest.mark.parametrize(
    ("status", "body", "code"),
    [
        (200, "<html>a login page</html>", "search_failed"),
        (500, "{}", "search_failed"),
        (302, "", "search_failed"),
        (429, "{}", "search_limited"),
        (401, "{}", "search_limited"),
    ],
)
async def test_an_engine_that_fails_is_told(name: str, status: int, body: str, code: str) -> None:
    async with place() as opened:
        headers = {"Location": "http://10.0.0.9/"} if status == 302 else {}
        opened.site.page(PATHS[name], body, status=status, headers=headers)
        with pytest.raises(Unavailable) as caught:
            await opened.engines[name].search("honey", 5)
        assert caught.value.code == code
        assert {address for address, _ in opened.net.called} == {PUBLIC}
        assert KEY not in str(caught.value)


@pytest.mark.parametrize("name", ["brave", "tavily"])
async def test_without_its_key_an_engine_is_not_called(name: str) -> None:
    async with place(key="") as opened:
        with pytest.raises(AppError) as caught:
            await opened.engines[name].search("honey", 5)
        assert caught.value.code == "search_key_missing"
        assert "deskhand keys set" in caught.value.hint
        assert opened.site.requests == []


def test_the_policy_names_the_engine_and_an_inner_one_opens_nothing_else() -> None:
    rules = WebRules(search=Search.SEARXNG, searxng_url="http://10.0.0.9:8888")
    lines = Lines(rules, Outside(rules), proxy_for=lambda _url: None)
    assert isinstance(engine_of(rules, lines, {}, None), SearxngEngine)
    assert isinstance(engine_of(WebRules(search=Search.BRAVE), lines, {}, None), BraveEngine)
    assert isinstance(engine_of(WebRules(search=Search.TAVILY), lines, {}, None), TavilyEngine)
    assert isinstance(engine_of(WebRules(), lines, {}, None), KeylessEngine)
    assert engine_of(WebRules(search=Search.NONE), lines, {}, None) is None
    assert rules_for_search(rules).private_hosts == ("10.0.0.9",)
    assert rules.private_hosts == ()


async def test_the_library_without_a_key_is_asked_in_a_thread_and_may_fail_as_it_likes() -> None:
    asked: list[tuple[str, int]] = []

    def ask(query: str, count: int) -> list[object]:
        asked.append((query, count))
        if query == "none":
            raise RuntimeError("No results found.")
        if query == "odd":
            raise ValueError("its page has changed")
        return [{"href": "https://example.org/a", "title": "A", "body": "Words"}, {"href": 5}]

    engine = KeylessEngine(ask=ask)
    [found] = await engine.search("honey", 3)
    assert (found.url, found.snippet, asked) == ("https://example.org/a", "Words", [("honey", 3)])
    assert await engine.search("none", 3) == ()
    with pytest.raises(Unavailable, match="its page has changed"):
        await engine.search("odd", 3)


@pytest.mark.outside
@pytest.mark.skipif(
    "DESKHAND_SEARCH" not in os.environ, reason="asks a search engine: set DESKHAND_SEARCH"
)
async def test_the_library_finds_something_today() -> None:
    assert await KeylessEngine().search("Vienna", 3)


async def test_a_search_gives_what_may_be_read_and_fetches_nothing(tmp_path: Path) -> None:
    async with web_world(tmp_path) as world:
        world.engine.any = ("https://example.org/a", "http://127.0.0.1/", "file:///etc/passwd")
        output = await search.run(world.context, SearchInputs(query="honey"))
        assert output.urls == ("https://example.org/a",)
        assert output.search == "scripted"
        assert world.site.requests == []
        assert world.net.called == []


async def test_a_machine_that_asks_no_engine_says_so(tmp_path: Path) -> None:
    rules = WebRules(search=Search.NONE)
    async with web_world(tmp_path, rules, has_engine=False) as world:
        with pytest.raises(AppError) as caught:
            await search.run(world.context, SearchInputs(query="honey"))
    assert caught.value.code == "search_off"
