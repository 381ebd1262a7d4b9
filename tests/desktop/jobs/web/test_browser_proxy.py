"""The browser's proxy, spoken to by hand: who may use it, where it leads, what it passes on."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest

from desktop.core.web.rules import WebRules
from desktop.jobs.web.browser.proxy import USER, GuardingProxy
from desktop.jobs.web.outside import Outside
from tests.web_sites.net import PUBLIC, FakeNet
from tests.web_sites.site import Site, running
from tests.web_sites.world import HOST

RULES = WebRules(deny_hosts=("denied.example",))


@dataclass
class Place:
    site: Site
    net: FakeNet
    proxy: GuardingProxy

    async def says(self, first: str, *, password: str | None = None, more: str = "") -> str:
        """Send a request with the proxy's login, and return all that comes back."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.proxy.port)
        pair = f"{USER}:{self.proxy.password if password is None else password}"
        login = base64.b64encode(pair.encode()).decode()
        head = f"{first}\r\nProxy-Authorization: Basic {login}\r\n{more}\r\n"
        writer.write(head.encode())
        async with asyncio.timeout(10):
            said = await reader.read()
        writer.close()
        return said.decode()


@asynccontextmanager
async def place() -> AsyncIterator[Place]:
    async with running() as site:
        net = FakeNet(
            names={HOST: [PUBLIC], "denied.example": [PUBLIC], "inside.example": ["10.0.0.1"]},
            sites={PUBLIC: site.port, "10.0.0.1": site.port, "127.0.0.1": site.port},
        )
        outside = Outside(RULES, net.resolve, net.connect)
        proxy = GuardingProxy(RULES, outside, lambda _url: None)
        await proxy.start()
        site.page("/a", "Words.", headers={"Connection": "close"})
        try:
            yield Place(site, net, proxy)
        finally:
            await proxy.aclose()


async def test_a_page_is_passed_on_without_anything_that_is_the_proxys() -> None:
    async with place() as opened:
        said = await opened.says(
            f"GET http://{HOST}/a?b=1 HTTP/1.1",
            more="Host: other.example\r\nCookie: x=1\r\nConnection: keep-alive\r\n",
        )
        assert said.endswith("Words.")
        [request] = opened.site.requests
        assert (request.host, request.path) == (HOST, "/a?b=1")
        assert request.headers["cookie"] == "x=1"
        assert request.headers["connection"] == "close"
        assert "proxy-authorization" not in request.headers


async def test_who_does_not_know_the_password_gets_nothing() -> None:
    async with place() as opened:
        said = await opened.says(f"GET http://{HOST}/a HTTP/1.1", password="guessed")
        assert said.startswith("HTTP/1.1 407")
        assert opened.net.looked_up == []


@pytest.mark.parametrize(
    "first",
    [
        "GET http://127.0.0.1/a HTTP/1.1", "GET http://inside.example/a HTTP/1.1",
        "GET http://denied.example/a HTTP/1.1", "GET http://[::1]/a HTTP/1.1",
        "GET http://localhost/a HTTP/1.1", "GET file:///etc/passwd HTTP/1.1",
        "GET http://2130706433/a HTTP/1.1", f"GET http://{HOST}:22/a HTTP/1.1",
        "CONNECT 127.0.0.1:443 HTTP/1.1", "CONNECT inside.example:443 HTTP/1.1",
        "CONNECT [::ffff:10.0.0.1]:443 HTTP/1.1", f"CONNECT {HOST}:25 HTTP/1.1",
        "CONNECT denied.example:443 HTTP/1.1", "CONNECT user:pw@10.0.0.1:443 HTTP/1.1",
    ],
)  # fmt: skip
async def test_it_leads_nobody_inside(first: str) -> None:
    async with place() as opened:
        said = await opened.says(first)
        assert said.startswith(("HTTP/1.1 403", "HTTP/1.1 502")), said
        assert opened.net.called == []
        assert opened.site.requests == []


@pytest.mark.parametrize("first", ["", "GET", "GET / HTTP/1.1 x", "\x00\x01", "GET /a SPDY/9"])
async def test_what_is_no_request_is_none(first: str) -> None:
    async with place() as opened:
        assert (await opened.says(first)).startswith("HTTP/1.1 400")


async def test_a_tunnel_carries_bytes_both_ways() -> None:
    async with place() as opened:
        reader, writer = await asyncio.open_connection("127.0.0.1", opened.proxy.port)
        pair = base64.b64encode(f"{USER}:{opened.proxy.password}".encode()).decode()
        head = f"CONNECT {HOST}:443 HTTP/1.1\r\nProxy-Authorization: Basic {pair}\r\n\r\n"
        writer.write(head.encode())
        async with asyncio.timeout(10):
            assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200")
            writer.write(f"GET /a HTTP/1.1\r\nHost: {HOST}\r\nConnection: close\r\n\r\n".encode())
            assert (await reader.read()).endswith(b"Words.")
        writer.close()
        assert opened.net.called == [(PUBLIC, 443)]
