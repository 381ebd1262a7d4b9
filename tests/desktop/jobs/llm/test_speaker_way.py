"""Models are reached as the owner says: through a proxy, trusting a certificate, or not at all."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from desktop.core.llm.fault import FaultClass, LlmFault
from desktop.core.llm.types import Endpoint, Message, Model, Reply, Sampling
from desktop.core.network_rules import NetworkRules
from desktop.jobs.llm.speaker import Speaker
from desktop.system.way import Way
from tests.desktop.jobs.llm.raw_answers import answered, chat
from tests.desktop.jobs.llm.scripted import scripted
from tests.fakes.authority import Authority
from tests.fakes.proxies import ConnectProxy, Proxy, SocksProxy

HOST = "models.test"
NO_RULES = NetworkRules(proxy="none")


@asynccontextmanager
async def speaking(rules: NetworkRules) -> AsyncIterator[Speaker]:
    speaker = Speaker(Way(rules))
    try:
        yield speaker
    finally:
        await speaker.aclose()


async def said(speaker: Speaker, base_url: str) -> Reply:
    place = Endpoint(name="here", base_url=base_url, timeout_seconds=10)
    return await speaker.say(
        Model(place, "m"), [Message("user", "Hi")], Sampling(), key="sk-here-1", stream=False
    )


async def test_a_certificate_that_nobody_knows_is_not_trusted_and_the_owners_is(
    tmp_path: Path,
) -> None:
    authority = Authority(tmp_path)
    async with scripted(authority.server("localhost")) as server:
        server.answers(answered(chat("B")))
        base_url = f"https://localhost:{server.port}/v1"
        async with speaking(NO_RULES) as speaker:
            with pytest.raises(LlmFault) as told:
                await said(speaker, base_url)
        assert told.value.fault is FaultClass.NETWORK
        assert "certificate" in told.value.message
        assert "ca_file" in told.value.hint
        assert server.heard == []
        async with speaking(NetworkRules(proxy="none", ca_file=str(authority.file))) as speaker:
            assert (await said(speaker, base_url)).text == "B"


@pytest.mark.parametrize(
    ("kind", "scheme"), [(ConnectProxy, "http"), (SocksProxy, "socks5h")], ids=["http", "socks"]
)
async def test_a_proxy_leads_there_and_sees_no_key(
    tmp_path: Path, kind: type[Proxy], scheme: str
) -> None:
    authority = Authority(tmp_path)
    async with scripted(authority.server(HOST)) as server, kind(server.port).serving() as proxy:
        server.answers(answered(chat("B")))
        rules = NetworkRules(
            proxy=f"{scheme}://127.0.0.1:{proxy.port}", ca_file=str(authority.file)
        )
        async with speaking(rules) as speaker:
            assert (await said(speaker, f"https://{HOST}/v1")).text == "B"
        assert proxy.asked == [f"{HOST}:443"]
        assert "bearer sk-here-1" in server.heads[0].lower()


async def test_a_proxy_that_refuses_is_told_as_that() -> None:
    async with ConnectProxy(9, login=("anna", "pw")).serving() as proxy:
        async with speaking(NetworkRules(proxy=f"http://127.0.0.1:{proxy.port}")) as speaker:
            with pytest.raises(LlmFault) as told:
                await said(speaker, f"https://{HOST}/v1")
        assert told.value.fault is FaultClass.NETWORK


async def test_what_runs_on_this_machine_is_asked_without_a_proxy() -> None:
    async with scripted() as server:
        server.answers(answered(chat("B")))
        async with speaking(NetworkRules(proxy="http://127.0.0.1:9")) as speaker:
            assert (await said(speaker, server.base_url)).text == "B"
