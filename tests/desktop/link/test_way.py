"""The way to a hub: real proxies, a private certificate authority, and what a person is told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from http import HTTPStatus
from pathlib import Path

import pytest

from desktop.core.link import LinkState
from desktop.core.network_rules import NetworkRules
from desktop.core.policy import Policy, parse_policy, write_policy
from desktop.link.hub_post import ask_for
from desktop.system.way import Way
from shared.errors import AppError
from tests.desktop.link.hub_double import HubDouble
from tests.desktop.link.workers import working
from tests.fakes.authority import Authority
from tests.fakes.proxies import ConnectProxy, Proxy, SocksProxy

HUB = "hub.test"
"""A name that no name server knows: only a proxy leads there."""
BASE = f"https://{HUB}"
PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "WSS_PROXY", "WS_PROXY")


@pytest.fixture(autouse=True)
def _no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in PROXIES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


@pytest.fixture
async def hub(authority: Authority) -> AsyncIterator[HubDouble]:
    async with HubDouble().serving(authority.server(HUB)) as double:
        yield double


async def is_reached(home: Path, rules: NetworkRules) -> None:
    async with working(home, BASE, network=rules) as worker:
        await worker.until_state(LinkState.ONLINE)


async def why_not(home: Path, rules: NetworkRules, base: str = BASE) -> tuple[str, str]:
    """Return the code and the whole sentence of why there is no line."""
    async with working(home, base, network=rules) as worker:
        offline = await worker.until_state(LinkState.OFFLINE)
    assert offline.error is not None
    assert offline.next_try_seconds is not None, "it is tried again"
    return offline.error.code, f"{offline.error.message} {offline.error.hint}"


async def test_a_line_goes_through_an_http_proxy_of_the_policy(
    hub: HubDouble, authority: Authority, tmp_path: Path
) -> None:
    async with ConnectProxy(hub.port, ("anna", "pass word")).serving() as proxy:
        address = f"http://anna:pass%20word@127.0.0.1:{proxy.port}"
        await is_reached(tmp_path, NetworkRules(proxy=address, ca_file=str(authority.file)))
        assert proxy.asked == [f"{HUB}:443"]


async def test_a_line_goes_through_a_socks_proxy_which_looks_the_name_up(
    hub: HubDouble, authority: Authority, tmp_path: Path
) -> None:
    async with SocksProxy(hub.port, ("anna", "secret")).serving() as proxy:
        address = f"socks5h://anna:secret@127.0.0.1:{proxy.port}"
        await is_reached(tmp_path, NetworkRules(proxy=address, ca_file=str(authority.file)))
        assert proxy.asked == [f"{HUB}:443"]


@pytest.mark.parametrize("name", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY"])
async def test_the_environment_names_the_proxy_where_the_policy_does_not(
    hub: HubDouble, authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    rules = NetworkRules(ca_file=str(authority.file))
    async with ConnectProxy(hub.port).serving() as proxy:
        monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        await is_reached(tmp_path, rules)
        assert proxy.asked == [f"{HUB}:443"]
        monkeypatch.setenv("NO_PROXY", HUB)
        assert Way(rules).proxy_for(BASE) is None
    assert Way(NetworkRules(proxy="none")).proxy_for(BASE) is None
    assert Way().proxy_for("http://127.0.0.1:8765") is None, "no proxy sees this machine's own"


async def test_requests_go_the_same_way_as_the_line(hub: HubDouble, authority: Authority) -> None:
    hub.refuses_with = HTTPStatus.FORBIDDEN
    async with ConnectProxy(hub.port, ("anna", "secret")).serving() as proxy:
        address = f"http://anna:secret@127.0.0.1:{proxy.port}"
        way = Way(NetworkRules(proxy=address, ca_file=str(authority.file)))
        assert await _refusal(way) == "hub_odd_answer", "it came through, and was answered"
        assert proxy.asked == [f"{HUB}:443"]
        strange = Way(NetworkRules(proxy=address))
        assert await _refusal(strange) == "hub_untrusted"
        proxy.login = ("anna", "other")
        assert await _refusal(way) == "proxy_login"
    assert await _refusal(way) == "proxy_unreachable"


async def _refusal(way: Way) -> str:
    with pytest.raises(AppError) as caught:
        await asyncio.to_thread(ask_for, BASE, "/status", token="x", way=way)
    assert "secret" not in str(caught.value)
    return caught.value.code


async def test_a_proxy_that_wants_another_password_is_named(hub: HubDouble, tmp_path: Path) -> None:
    for kind in (ConnectProxy, SocksProxy):
        async with kind(hub.port, ("anna", "secret")).serving() as proxy:
            scheme = "http" if kind is ConnectProxy else "socks5h"
            address = f"{scheme}://anna:wrong@127.0.0.1:{proxy.port}"
            code, said = await why_not(tmp_path, NetworkRules(proxy=address))
            assert code in ("proxy_login", "proxy_refused")
            assert f"127.0.0.1:{proxy.port}" in said
            assert "wrong" not in said, "a password is told to nobody"


async def test_a_proxy_that_does_not_let_one_through_is_named(
    hub: HubDouble, tmp_path: Path
) -> None:
    async with ConnectProxy(hub.port).serving() as proxy:
        proxy.refuses_with = b"HTTP/1.1 403 Forbidden\r\n\r\n"
        code, said = await why_not(tmp_path, NetworkRules(proxy=f"http://127.0.0.1:{proxy.port}"))
    assert code == "proxy_refused"
    assert "403" in said


@pytest.mark.parametrize("scheme", ["http", "socks5h"])
async def test_a_proxy_that_is_gone_is_named(hub: HubDouble, tmp_path: Path, scheme: str) -> None:
    async with ConnectProxy(hub.port).serving() as proxy:
        port = proxy.port
    code, said = await why_not(tmp_path, NetworkRules(proxy=f"{scheme}://127.0.0.1:{port}"))
    assert code == "proxy_unreachable"
    assert f"127.0.0.1:{port}" in said


async def test_a_proxy_that_cuts_lines_costs_a_moment_each_time(
    hub: HubDouble, authority: Authority, tmp_path: Path
) -> None:
    async with ConnectProxy(hub.port).serving() as proxy:
        rules = _through(proxy, authority)
        async with working(tmp_path, BASE, network=rules) as worker, asyncio.timeout(5):
            await worker.until_state(LinkState.ONLINE)
            proxy.cut()
            await worker.until_state(LinkState.OFFLINE, "hub_unreachable")
            await worker.until(lambda: worker.statuses[-1].state is LinkState.ONLINE)


def _through(proxy: Proxy, authority: Authority) -> NetworkRules:
    return NetworkRules(proxy=f"http://127.0.0.1:{proxy.port}", ca_file=str(authority.file))


async def test_an_unknown_authority_is_told_with_the_place_to_name_it(
    hub: HubDouble, tmp_path: Path
) -> None:
    async with ConnectProxy(hub.port).serving() as proxy:
        code, said = await why_not(tmp_path, NetworkRules(proxy=f"http://127.0.0.1:{proxy.port}"))
    assert code == "hub_untrusted"
    assert "ca_file" in said


async def test_a_certificate_for_another_name_is_told_as_such(
    authority: Authority, tmp_path: Path
) -> None:
    async with (
        HubDouble().serving(authority.server("login.hotel.test")) as stranger,
        ConnectProxy(stranger.port).serving() as proxy,
    ):
        code, _ = await why_not(tmp_path, _through(proxy, authority))
    assert code == "hub_wrong_name"


async def test_a_certificate_that_has_ended_is_told_as_such(
    authority: Authority, tmp_path: Path
) -> None:
    async with (
        HubDouble().serving(authority.server(HUB, days=-2)) as late,
        ConnectProxy(late.port).serving() as proxy,
    ):
        code, _ = await why_not(tmp_path, _through(proxy, authority))
    assert code == "hub_certificate_ended"


async def test_a_file_of_certificates_counts_as_soon_as_it_is_mended(
    hub: HubDouble, authority: Authority, tmp_path: Path
) -> None:
    file = tmp_path / "ours.pem"
    file.write_text("nonsense")
    async with ConnectProxy(hub.port).serving() as proxy:
        rules = NetworkRules(proxy=f"http://127.0.0.1:{proxy.port}", ca_file=str(file))
        async with working(tmp_path, BASE, network=rules) as worker:
            await worker.until_state(LinkState.OFFLINE, "ca_file_unusable")
            file.write_bytes(authority.file.read_bytes())
            worker.agent.hurry()
            await worker.until_state(LinkState.ONLINE)


async def test_a_proxy_that_comes_into_the_policy_counts_without_a_restart(
    hub: HubDouble, authority: Authority, tmp_path: Path
) -> None:
    async with ConnectProxy(hub.port).serving() as proxy, working(tmp_path, BASE) as worker:
        await worker.until_state(LinkState.OFFLINE, "hub_unreachable")
        worker.agent.adopt(Policy(network=_through(proxy, authority)))
        worker.agent.hurry()
        await worker.until_state(LinkState.ONLINE)


def test_a_missing_package_is_named() -> None:
    error = ImportError("connecting through a SOCKS proxy requires python-socks")
    told = Way(NetworkRules(proxy="socks5h://127.0.0.1:1080")).why(error, BASE)
    assert told is not None
    assert told.code == "proxy_unsupported"
    assert "pip install python-socks" in told.hint


@pytest.mark.parametrize("proxy", ["proxy:3128", "ftp://proxy", "http://", "http://host:99999"])
def test_a_proxy_that_is_none_is_refused_in_the_policy(proxy: str) -> None:
    with pytest.raises(AppError, match=r"network\.proxy"):
        parse_policy(f'[network]\nproxy = "{proxy}"')


def test_the_network_rules_are_written_and_read_back() -> None:
    policy = Policy(network=NetworkRules(proxy="http://p:1", ca_file="~/our-ca.pem"))
    assert parse_policy(write_policy(policy)) == policy
    assert "[network]" not in write_policy(Policy())
