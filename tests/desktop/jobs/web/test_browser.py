"""The system's Chromium on pages that need it, and on pages that would like to use it.

Every line that it opens goes through the guarding proxy, to addresses that the test's web knows.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from desktop.core.web.rules import WebRules
from desktop.jobs.web import read, research, session
from desktop.jobs.web.room import gear_of
from shared.errors import AppError
from shared.kinds.web import ReadInputs, ResearchInputs, SessionInputs
from tests.web_sites.injections import EVIL, injections
from tests.web_sites.net import OTHER, PUBLIC
from tests.web_sites.site import Site, article
from tests.web_sites.world import HOST, WebWorld, web_world

CHROMIUM = shutil.which("chromium")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="needs Debian's package chromium"),
]
RULES = WebRules(
    pause_seconds=0,
    page_seconds_max=15,
    browser_sandbox=os.geteuid() != 0,
)
SHELL = "<!doctype html><html><head><title>{title}</title></head><body><div id=root></div>"
APP = SHELL.format(title="App") + (
    "<script>fetch('/data').then(r => r.json()).then(d => {"
    "document.getElementById('root').innerHTML = '<article><h1>Bees</h1><p>' + d.text + '</p>"
    "</article>'})</script></body></html>"
)
TEXT = "Bees make honey, said the script. " * 20


def files(folder: Path, pattern: str) -> set[Path]:
    return set(folder.rglob(pattern) if pattern.startswith("*") else folder.glob(pattern))


def put_app(site: Site) -> None:
    site.page("/app", APP)
    site.page("/data", '{"text": "' + TEXT + '"}', media_type="application/json")


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[WebWorld]:
    async with web_world(tmp_path, RULES) as opened:
        yield opened


async def test_a_page_that_shows_nothing_without_scripts_is_read_in_the_browser(
    world: WebWorld,
) -> None:
    put_app(world.site)
    inputs = ResearchInputs(question="Honey?", urls=(f"http://{HOST}/app",), model="local:tiny")
    output = await research.run(world.context, inputs)
    assert "said the script" in output.sources[0].taken
    assert [one.path for one in world.site.requests] == ["/robots.txt", "/app", "/app", "/data"]
    assert {address for address, _ in world.net.called} == {PUBLIC}


async def test_scripts_reach_no_address_inside_by_any_way(world: WebWorld) -> None:
    inside = await asyncio.start_server(world.site.serve, "127.0.0.1", 0)
    port = inside.sockets[0].getsockname()[1]
    world.net.names |= {"inside.example": ["127.0.0.1"], "localhost": ["127.0.0.1"]}
    world.net.changing["rebind.example"] = [[PUBLIC], ["127.0.0.1"]]
    tries = [
        f"http://127.0.0.1:{port}/secret", f"http://localhost:{port}/secret",
        f"http://[::1]:{port}/secret", f"http://0.0.0.0:{port}/secret",
        f"http://2130706433:{port}/secret", f"http://inside.example:{port}/secret",
        f"http://[::ffff:127.0.0.1]:{port}/secret", "http://169.254.169.254/secret",
        "file:///etc/passwd", f"http://{HOST}/to-inside", "http://rebind.example/secret",
        "http://rebind.example:8080/secret",
    ]  # fmt: skip
    world.site.redirect("/to-inside", f"http://127.0.0.1:{port}/secret")
    world.site.page("/secret", "SECRET", headers={"Access-Control-Allow-Origin": "*"})
    script = "".join(
        f"fetch('{url}', {{mode: 'no-cors'}}).catch(() => 0);"
        f"new Image().src = '{url}'; document.write('<iframe src=\"{url}\"></iframe>');"
        for url in tries
    )
    script += (
        f"new WebSocket('ws://127.0.0.1:{port}/secret').onerror = () => 0;"
        f"navigator.sendBeacon('http://127.0.0.1:{port}/secret', 'x');"
        f"new EventSource('http://127.0.0.1:{port}/secret');"
        f"try {{ new Worker('http://127.0.0.1:{port}/secret') }} catch (e) {{}}"
        f"window.open('http://127.0.0.1:{port}/secret');"
        "new RTCPeerConnection({iceServers: [{urls: 'stun:127.0.0.1:3478'}]})"
        ".createDataChannel('x');"
    )
    world.site.page("/a", article("A", TEXT, more=f"<script>{script}</script>"))
    output = await read.run(world.context, ReadInputs(urls=(f"http://{HOST}/a",), render="always"))
    inside.close()
    assert "said the script" in output.text
    assert {address for address, _ in world.net.called} == {PUBLIC}
    wanted = [one for one in world.site.requests if one.path == "/secret"]
    assert {one.host for one in wanted} <= {"rebind.example"}, "at its public address alone"


async def test_a_script_that_goes_inside_takes_nobody_along(world: WebWorld) -> None:
    world.site.page("/a", article("A", TEXT, more="<script>location='http://127.0.0.1/'</script>"))
    with pytest.raises(AppError):
        await read.run(world.context, ReadInputs(urls=(f"http://{HOST}/a",), render="always"))
    assert {address for address, _ in world.net.called} == {PUBLIC}


async def test_nothing_is_downloaded_and_no_dialog_stops_a_page(tmp_path: Path) -> None:
    rules = RULES.model_copy(update={"page_seconds_max": 5.0})
    async with web_world(tmp_path, rules) as world:
        await downloads(world)
    assert files(tmp_path, "*.exe") == set()


async def downloads(world: WebWorld) -> None:
    script = "alert(1); confirm(2); prompt(3); location.href = '/file'; print();"
    world.site.page("/a", article("A", TEXT, more=f"<script>{script}</script>"))
    world.site.page(
        "/file",
        b"MZ" * 5000,
        media_type="application/octet-stream",
        headers={"Content-Disposition": "attachment; filename=x.exe"},
    )
    output = await read.run(world.context, ReadInputs(urls=(f"http://{HOST}/a",), render="always"))
    assert "said the script" in output.text


async def test_a_page_without_end_is_left_after_its_time(tmp_path: Path) -> None:
    rules = RULES.model_copy(update={"page_seconds_max": 2.0})
    async with web_world(tmp_path, rules) as world:
        world.site.page("/a", article("A", TEXT, more="<script>while (true) {}</script>"))
        with pytest.raises(AppError) as caught:
            await read.run(world.context, ReadInputs(urls=(f"http://{HOST}/a",), render="always"))
    assert caught.value.code in ("page_too_slow", "page_unreachable")


async def test_a_page_that_grows_is_taken_as_far_as_it_may_be_long(tmp_path: Path) -> None:
    rules = RULES.model_copy(update={"page_bytes_max": 20_000})
    grow = "<script>document.body.append('z'.repeat(5000000)); String.prototype.slice = 0</script>"
    async with web_world(tmp_path, rules) as world:
        world.site.page("/a", article("A", TEXT, more=grow))
        output = await read.run(
            world.context, ReadInputs(urls=(f"http://{HOST}/a",), render="always")
        )
    assert output.pages[0].is_cut


async def test_injected_pages_reach_nothing_from_the_browser_either(world: WebWorld) -> None:
    world.net.names[EVIL] = [OTHER]
    names = ("script", "refresh", "frames", "picture_exfiltration")
    for page in injections():
        if page.name in names:
            world.site.page(page.path, page.body)
            inputs = ReadInputs(urls=(f"http://{HOST}{page.path}",), render="always")
            with contextlib.suppress(AppError):  # one that leads inside is no page any more
                await read.run(world.context, inputs)
    assert {address for address, _ in world.net.called} <= {PUBLIC, OTHER}
    assert "127.0.0.1" not in world.net.looked_up


async def test_robots_txt_and_the_owners_lists_hold_for_the_browser(tmp_path: Path) -> None:
    rules = RULES.model_copy(update={"deny_hosts": ("denied.example",)})
    async with web_world(tmp_path, rules) as world:
        world.net.names["denied.example"] = [PUBLIC]
        put_app(world.site)
        world.site.page("/robots.txt", "User-agent: *\nDisallow: /app", media_type="text/plain")
        with pytest.raises(AppError) as caught:
            await read.run(world.context, ReadInputs(urls=(f"http://{HOST}/app",), render="always"))
        assert caught.value.code == "robots_refused"
        world.site.page(
            "/a", article("A", TEXT, more="<script src='http://denied.example/x.js'></script>")
        )
        await read.run(world.context, ReadInputs(urls=(f"http://{HOST}/a",), render="always"))
        assert "denied.example" not in [one.host for one in world.site.requests]


async def test_without_a_browser_what_shows_is_taken_and_it_is_told(tmp_path: Path) -> None:
    async with web_world(tmp_path, RULES.model_copy(update={"browser": False})) as world:
        world.site.page("/app", APP.replace("<div id=root>", "<div id=root>Please wait."))
        output = await read.run(world.context, ReadInputs(urls=(f"http://{HOST}/app",)))
        assert "Please wait." in output.text
        with pytest.raises(AppError) as caught:
            await read.run(world.context, ReadInputs(urls=(f"http://{HOST}/app",), render="always"))
    assert caught.value.code == "browser_off"


async def test_a_task_has_a_browser_that_keeps_its_cookies_until_it_is_closed(
    world: WebWorld,
) -> None:
    context, site = world.context, world.site
    site.page(
        "/in",
        article("In", TEXT, more='<p><a href="/next">Next page</a></p>'),
        headers={"Set-Cookie": "visitor=anna"},
    )
    site.page("/next", article("Next", TEXT))
    status = await session.run(context, SessionInputs())
    assert (status.state, status.headline) == ("closed", "No browser is open for this task.")
    opened = await session.run(context, SessionInputs(action="open", url=f"http://{HOST}/in"))
    assert (opened.state, opened.title, opened.pages) == ("open", "In", 1)
    assert [(one.number, one.label) for one in opened.links] == [(1, "Next page")]
    followed = await session.run(context, SessionInputs(action="follow", link=1))
    assert (followed.title, followed.url, followed.pages) == ("Next", f"http://{HOST}/next", 2)
    [page] = [one for one in site.requests if one.path == "/next"]
    assert page.headers["cookie"] == "visitor=anna"
    status = await session.run(context, SessionInputs())
    assert status.closes_at > status.opened_at
    closed = await session.run(context, SessionInputs(action="close"))
    assert closed.state == "closed"
    await session.run(context, SessionInputs(action="open", url=f"http://{HOST}/next"))
    assert "cookie" not in site.requests[-1].headers
    with pytest.raises(AppError) as caught:
        await session.run(context, SessionInputs(action="follow", link=9))
    assert caught.value.code == "link_unknown"


async def test_a_tasks_browser_ends_with_its_folder_with_its_age_and_when_nobody_uses_it(
    world: WebWorld,
) -> None:
    context = world.context
    world.site.page("/in", article("In", TEXT))
    sessions = gear_of(context).all_sessions()
    inputs = SessionInputs(action="open", url=f"http://{HOST}/in")
    loop = asyncio.get_running_loop()

    await session.run(context, inputs)
    await sessions.look_once()
    assert (await session.run(context, SessionInputs())).state == "open"
    one = sessions.get(context.workspace)
    assert one is not None
    one.used = loop.time() - 3600
    await sessions.look_once()
    assert (await session.run(context, SessionInputs())).state == "closed"

    await session.run(context, inputs)
    one = sessions.get(context.workspace)
    assert one is not None
    one.ends = loop.time()
    await sessions.look_once()
    assert (await session.run(context, SessionInputs())).state == "closed"

    await session.run(context, inputs)
    shutil.rmtree(context.workspace)
    await sessions.look_once()
    assert (await session.run(context, SessionInputs())).state == "closed"


async def test_nothing_of_the_browser_is_left(tmp_path: Path) -> None:
    before = files(Path(tempfile.gettempdir()), "deskhand-browser-*")
    async with web_world(tmp_path, RULES) as world:
        put_app(world.site)
        await session.run(world.context, SessionInputs(action="open", url=f"http://{HOST}/app"))
        proxy = gear_of(world.context).web_browser().proxy
        port = proxy.port
    assert files(Path(tempfile.gettempdir()), "deskhand-browser-*") <= before
    with pytest.raises(OSError, match="Connect call failed"):
        await asyncio.open_connection("127.0.0.1", port)
