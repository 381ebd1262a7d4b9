"""The fetcher against a web that is badly meant: redirects inside, bombs, drips, rebinding."""

from __future__ import annotations

import asyncio
import gzip
import zlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from desktop.core.web.rules import WebRules
from desktop.core.web.sorts import Sort
from desktop.jobs.web.fetcher import Fetcher
from desktop.jobs.web.lines import Lines
from desktop.jobs.web.outside import Outside
from shared.errors import AppError
from tests.web_sites.net import PUBLIC, FakeNet
from tests.web_sites.site import Site, article, running
from tests.web_sites.world import HOST

RULES = WebRules(pause_seconds=0, page_seconds_max=5, page_bytes_max=100_000)
AT = datetime(2026, 11, 22, tzinfo=UTC)
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n"


@dataclass
class Web:
    site: Site
    net: FakeNet
    fetcher: Fetcher

    async def refused(self, url: str) -> str:
        with pytest.raises(AppError) as caught:
            await self.fetcher.fetch(url)
        return caught.value.code


@asynccontextmanager
async def web(rules: WebRules = RULES) -> AsyncIterator[Web]:
    async with running() as site:
        net = FakeNet(names={HOST: [PUBLIC]}, sites={PUBLIC: site.port})
        outside = Outside(rules, net.resolve, net.connect)
        lines = Lines(rules, outside, proxy_for=lambda _url: None, network=net.backend)
        fetcher = Fetcher(rules, lines, outside, lambda: AT)
        try:
            yield Web(site, net, fetcher)
        finally:
            await fetcher.aclose()


async def test_a_page_comes_as_it_is_and_the_site_learns_who_reads() -> None:
    async with web() as world:
        world.site.page("/a", article("A", "Words."))
        fetched = await world.fetcher.fetch(f"http://{HOST}/a?b=1#c")
    assert (fetched.url, fetched.sort, fetched.charset, fetched.at) == (
        f"http://{HOST}/a?b=1", Sort.HTML, "utf-8", AT,
    )  # fmt: skip
    assert b"Words." in fetched.body
    [robots, page] = world.site.requests
    assert robots.path == "/robots.txt"
    assert page.headers["user-agent"].startswith("Deskhand/")
    assert page.headers["host"] == HOST
    assert "cookie" not in page.headers
    assert "authorization" not in page.headers


@pytest.mark.parametrize(
    "where",
    [
        "http://127.0.0.1/", "http://169.254.169.254/latest/meta-data/", "http://[::1]/",
        "http://[::ffff:10.0.0.1]/", "http://2130706433/", "http://0x7f.1/", "//10.0.0.1/",
        "file:///etc/passwd", "gopher://127.0.0.1:70/", "http://user:pw@example.org/",
        "http://inside.example/", "\\\\10.0.0.1\\x", "http:10.0.0.1", "http:///10.0.0.1/",
    ],
)  # fmt: skip
@pytest.mark.parametrize("status", [301, 303, 307])
async def test_a_redirect_to_where_nobody_may_go_is_not_followed(status: int, where: str) -> None:
    async with web() as world:
        world.net.names["inside.example"] = ["10.0.0.1"]
        world.site.redirect("/a", where, status)
        code = await world.refused(f"http://{HOST}/a")
        assert code in ("page_private", "url_invalid", "page_status"), code
        assert {address for address, _ in world.net.called} == {PUBLIC}


async def test_redirects_are_followed_one_by_one_up_to_a_limit() -> None:
    async with web() as world:
        world.net.names["other.example"] = [PUBLIC]
        world.site.redirect("/1", "/2", 301)
        world.site.redirect("/2", "http://other.example/3", 307)
        world.site.page("/3", article("Three", "Words."))
        assert (await world.fetcher.fetch(f"http://{HOST}/1")).url == "http://other.example/3"
        world.site.redirect("/round", "/round")
        assert await world.refused(f"http://{HOST}/round") == "redirects_too_many"
        assert world.site.urls.count(f"{HOST}/round") == 6


async def test_a_name_that_leads_elsewhere_at_the_next_look_up_gains_nothing() -> None:
    async with web() as world:
        world.net.changing["rebind.example"] = [[PUBLIC], ["127.0.0.1"], ["10.0.0.1"]]
        world.site.page("/a", article("A", "Words."))
        world.site.page("/robots.txt", "", media_type="text/plain", headers={"Connection": "close"})
        code = await world.refused("http://rebind.example/a")
        assert code in ("page_private", "page_unreachable")
        assert {address for address, _ in world.net.called} == {PUBLIC}
        assert world.site.urls == []


async def test_of_several_addresses_only_public_ones_are_called() -> None:
    async with web() as world:
        world.net.names["mixed.example"] = ["127.0.0.1", "::1", "10.0.0.1", PUBLIC]
        world.site.page("/a", article("A", "Words."))
        await world.fetcher.fetch("http://mixed.example/a")
        assert {address for address, _ in world.net.called} == {PUBLIC}


@pytest.mark.parametrize("filling", [b"0", b"\0"], ids=["figures", "nothing"])
async def test_two_gigabytes_are_read_as_far_as_a_page_may_be_long(filling: bytes) -> None:
    sent = 0

    async def endless(writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        writer.write(HEAD + b"Content-Length: 2147483648\r\n\r\n<html>")
        while sent < 2**31:
            writer.write(filling * 65536)
            sent += 65536
            await writer.drain()

    async with web() as world:
        world.site.writes("/a", endless)
        if filling == b"\0":
            assert await world.refused(f"http://{HOST}/a") == "page_sort", "that is no text"
        else:
            fetched = await world.fetcher.fetch(f"http://{HOST}/a")
            assert fetched.is_cut
            assert len(fetched.body) == RULES.page_bytes_max
    assert sent < 20_000_000, "what lies in buffers, and no more"


async def test_a_document_that_is_too_long_is_refused_and_not_cut() -> None:
    async with web() as world:
        world.site.page("/a.pdf", b"%PDF-1.7\n" + b"0" * 200_000, media_type="application/pdf")
        assert await world.refused(f"http://{HOST}/a.pdf") == "page_too_large"


def packed(pack: str, size: int) -> bytes:
    data = b"<html>" + b"0" * size
    match pack:
        case "gzip":
            return gzip.compress(data)
        case "deflate":
            return zlib.compress(data)
        case _:
            raw = zlib.compressobj(wbits=-15)
            return raw.compress(data) + raw.flush()


@pytest.mark.parametrize("pack", ["gzip", "deflate", "raw"])
async def test_what_is_packed_is_unpacked_and_a_bomb_ends_at_the_limit(pack: str) -> None:
    encoding = {"content-encoding": "deflate" if pack == "raw" else pack}
    async with web() as world:
        world.site.page("/small", packed(pack, 10), headers=encoding)
        world.site.page("/bomb", packed(pack, 80_000_000), headers=encoding)
        small = await world.fetcher.fetch(f"http://{HOST}/small")
        assert small.body == b"<html>" + b"0" * 10
        bomb = await world.fetcher.fetch(f"http://{HOST}/bomb")
        assert bomb.is_cut
        assert len(bomb.body) == RULES.page_bytes_max


@pytest.mark.parametrize("encoding", ["br", "gzip, gzip", "zstd", "nonsense"])
async def test_a_packing_nobody_asked_for_is_refused(encoding: str) -> None:
    async with web() as world:
        world.site.page("/a", b"....", headers={"content-encoding": encoding})
        assert await world.refused(f"http://{HOST}/a") == "page_packed"


async def test_many_packed_parts_that_hold_nothing_come_to_an_end() -> None:
    async with web() as world:
        empty = gzip.compress(b"") * 20_000
        world.site.page("/a", empty, headers={"content-encoding": "gzip"})
        fetched = await world.fetcher.fetch(f"http://{HOST}/a")
        assert fetched.is_cut
        assert fetched.body == b""


async def test_a_page_that_drips_is_left_after_its_time() -> None:
    async def drip(writer: asyncio.StreamWriter) -> None:
        writer.write(HEAD + b"Content-Length: 1000\r\n\r\n")
        while True:
            writer.write(b".")
            await writer.drain()
            await asyncio.sleep(0.02)

    async with web(RULES.model_copy(update={"page_seconds_max": 0.3})) as world:
        world.site.writes("/a", drip)
        assert await world.refused(f"http://{HOST}/a") == "page_too_slow"


@pytest.mark.parametrize(
    ("media_type", "body", "code"),
    [
        ("video/mp4", b"....", "page_sort"),
        ("application/x-msdownload", b"MZ", "page_sort"),
        ("text/html", b"\x7fELF\x00\x01\x02", "page_sort"),
        ("application/pdf", b"MZ not a pdf", "page_sort"),
    ],
)
async def test_what_is_no_page_is_not_read(media_type: str, body: bytes, code: str) -> None:
    async with web() as world:
        world.site.page("/a", body, media_type=media_type)
        assert await world.refused(f"http://{HOST}/a") == code


@pytest.mark.parametrize(
    "answer",
    [
        b"", b"nonsense\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X: " + b"y" * 300_000 + b"\r\n\r\n",
        b"HTTP/1.1 101 Switching\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf",
    ],
)  # fmt: skip
async def test_what_is_no_http_is_told_as_a_page_that_is_not_reached(answer: bytes) -> None:
    async def write(writer: asyncio.StreamWriter) -> None:
        writer.write(answer)
        await writer.drain()

    async with web(RULES.model_copy(update={"robots": False})) as world:
        world.site.writes("/a", write)
        assert await world.refused(f"http://{HOST}/a") in ("page_unreachable", "page_status")


@pytest.mark.parametrize("status", [403, 404, 429, 500])
async def test_a_page_that_is_not_there_is_told_with_its_status(status: int) -> None:
    async with web() as world:
        world.site.page("/a", "no", status=status)
        assert await world.refused(f"http://{HOST}/a") == "page_status"


async def test_a_host_that_nobody_knows_and_one_where_nobody_listens() -> None:
    async with web() as world:
        world.net.names["dead.example"] = ["93.184.216.99"]
        for host in ("unknown.example", "dead.example"):
            code = await world.refused(f"http://{host}/")
            assert code in ("page_unreachable", "robots_refused")


async def test_robots_txt_is_honoured_asked_for_once_and_followed_where_it_leads() -> None:
    async with web() as world:
        world.site.page("/robots.txt", "User-agent: *\nDisallow: /private", media_type="text/plain")
        world.site.page("/a", article("A", "Words."))
        assert await world.refused(f"http://{HOST}/private/x") == "robots_refused"
        await world.fetcher.fetch(f"http://{HOST}/a")
        assert [one.path for one in world.site.requests] == ["/robots.txt", "/a"]
        world.net.names["moved.example"] = [PUBLIC]
        world.site.redirect("moved.example/robots.txt", f"http://{HOST}/robots.txt")
        assert await world.refused("http://moved.example/private/x") == "robots_refused"


@pytest.mark.parametrize(("status", "is_read"), [(404, True), (503, False)])
async def test_without_a_robots_txt_all_is_allowed_and_with_a_broken_one_nothing(
    status: int, is_read: bool
) -> None:
    async with web() as world:
        world.site.page("/robots.txt", "", status=status)
        world.site.page("/a", article("A", "Words."))
        if is_read:
            await world.fetcher.fetch(f"http://{HOST}/a")
        else:
            assert await world.refused(f"http://{HOST}/a") == "robots_refused"


async def test_a_robots_txt_that_leads_inside_leads_nowhere() -> None:
    async with web() as world:
        world.site.redirect("/robots.txt", "http://127.0.0.1/robots.txt")
        assert await world.refused(f"http://{HOST}/a") == "page_private"
        assert {address for address, _ in world.net.called} == {PUBLIC}


async def test_requests_to_one_site_keep_their_distance_and_others_do_not_wait() -> None:
    async with web(RULES.model_copy(update={"pause_seconds": 0.2, "robots": False})) as world:
        world.net.names["other.example"] = [PUBLIC]
        world.site.page("/a", article("A", "Words."))
        loop = asyncio.get_running_loop()
        ended: dict[str, float] = {}

        async def fetch(url: str) -> None:
            await world.fetcher.fetch(url)
            ended[url] = loop.time()

        before = loop.time()
        async with asyncio.TaskGroup() as tasks:
            for n in range(3):
                tasks.create_task(fetch(f"http://{HOST}/a?{n}"))
            tasks.create_task(fetch("http://other.example/a"))
    assert ended[f"http://{HOST}/a?2"] - before >= 0.4
    assert ended["http://other.example/a"] < ended[f"http://{HOST}/a?2"]


async def test_a_host_that_the_owner_denies_is_not_even_looked_up() -> None:
    async with web(RULES.model_copy(update={"deny_hosts": (HOST,)})) as world:
        assert await world.refused(f"http://{HOST}/a") == "host_denied"
        assert world.net.looked_up == []
