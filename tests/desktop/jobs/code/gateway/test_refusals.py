"""What is not to be had at the gateway: other paths and hosts, and tricks with the protocol."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from desktop.core.code.agent_profiles import PROFILES, Places, filled, profile_of
from desktop.core.code.turn import Turn
from desktop.core.llm.message import Message
from desktop.core.llm.types import Format
from desktop.jobs.code.builtin.gateway import Gateway as OwnGateway
from tests.desktop.jobs.code.gateway.stand import Stand, endpoint_at, reached, stand
from tests.llm_servers.scripted import running

NOWHERE = endpoint_at("http://127.0.0.1:9", local=True)
CHAT = b"POST /v1/chat/completions HTTP/1.1\r\n"


def status_of(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1])


@pytest.mark.parametrize(
    ("method", "target"),
    [
        ("POST", "/v1/embeddings"),
        ("POST", "/v1/chat/completions/"),
        ("POST", "/v1//chat/completions"),
        ("POST", "/v1/../v1/chat/completions"),
        ("POST", "/v1/files"),
        ("GET", "/v1/organization/usage"),
        ("DELETE", "/v1/responses"),
        ("GET", "/v1/chat/completions"),
        ("POST", "/v1/%63hat/completions"),
        ("POST", "/v1beta/models/a/b:generateContent"),
        ("POST", "/v1beta/models/../x:generateContent"),
        ("POST", "/v1beta/models/m:predict"),
        ("POST", "/v1beta/cachedContents"),
        ("POST", "/deskhand/turn/"),
        ("GET", "/deskhand/ask"),
        ("GET", "http://169.254.169.254/latest/meta-data/"),
        ("POST", "http://api.openai.com/v1/chat/completions"),
        ("OPTIONS", "*"),
        ("TRACE", "/v1/models"),
    ],
)
async def test_other_paths_are_not_there(method: str, target: str, tmp_path: Path) -> None:
    async with stand(tmp_path, NOWHERE) as here:
        asked = f"{method} {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        answer = await here.raw(asked.encode())
    assert status_of(answer) == 404
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["error"]["code"]


@pytest.mark.parametrize("host", ["evil.example.org", "169.254.169.254", "", "127.0.0.1.evil.org"])
async def test_who_came_by_another_name_is_sent_away(host: str, tmp_path: Path) -> None:
    async with stand(tmp_path, NOWHERE) as here:
        answer = await here.raw(
            f"GET /v1/models HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode()
        )
    assert status_of(answer) == 403


@pytest.mark.parametrize(
    "said",
    [
        b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        CHAT + b"Host: localhost\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
        CHAT + b"Host: localhost\r\nContent-Length: -1\r\n\r\n",
        CHAT + b"Host: localhost\r\nContent-Length: 1e3\r\n\r\n",
        CHAT + b"Host: localhost\r\nTransfer-Encoding: chunked, identity\r\n\r\n",
        CHAT + b"Host: localhost\r\nTransfer-Encoding: xchunked\r\n\r\n",
        CHAT + b"Host: localhost\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        CHAT + b"Host: localhost\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabcdeXX0\r\n\r\n",
        CHAT + b"Host: localhost\r\nX: a\nY: b\x00\r\n\r\n",
        CHAT + b"Host: localhost\r\nX : a\r\n\r\n",
        CHAT + b"Host: localhost\r\nX: " + b"a" * 200_000 + b"\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 40 + b"\r\n\r\n",
        b"GET /a b HTTP/1.1\r\nHost: localhost\r\n\r\n",
    ],
)
async def test_what_is_no_good_request_ends_the_connection(said: bytes, tmp_path: Path) -> None:
    with running({"say": "x"}) as model:
        async with stand(tmp_path, endpoint_at(model.address, local=True)) as here:
            answer = await here.raw(said)
            assert status_of(answer) in (400, 431, 501)
            assert (await here.chat()).status_code == 200
    assert len(model.requests) == 1


async def test_a_request_in_a_request_is_only_a_body(tmp_path: Path) -> None:
    inner = b"POST /v1/responses HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{}"
    told = b'{"messages":[{"role":"user","content":"a"}]}'
    size = f"{len(told):x}\r\n".encode()
    with running({"say": "x"}) as model:
        async with stand(tmp_path, endpoint_at(model.address, local=True)) as here:
            # Both lengths: HTTP/1.1 has the chunks count, and nothing of it is passed on as it is.
            answer = await here.raw(
                CHAT
                + b"Host: localhost\r\nConnection: close\r\nContent-Length: 4\r\n"
                + b"Transfer-Encoding: chunked\r\n\r\n"
                + (size + told + b"\r\n0\r\n\r\n" + inner)
            )
    assert answer.count(b"HTTP/1.1 ") == 1
    assert len(model.requests) == 1
    assert "transfer-encoding" not in model.requests[0].headers


async def test_headers_of_the_agents_are_not_the_providers(tmp_path: Path) -> None:
    hostile = {
        "authorization": "Bearer stolen",
        "x-api-key": "stolen",
        "x-goog-api-key": "stolen",
        "cookie": "stolen",
        "openai-organization": "stolen",
        "x-forwarded-host": "stolen",
        "accept-encoding": "gzip",
        "anthropic-beta": "prompt-caching",
        "connection": "keep-alive, authorization",
        "user-agent": "stolen",
    }
    with running({"say": "x"}) as model:
        async with stand(tmp_path, endpoint_at(model.address)) as here:
            body = {"messages": [{"role": "user", "content": "a"}]}
            path = "/v1/chat/completions?api-key=stolen&key=stolen"
            reply = await here.client.post(path, json=body, headers=hostile)
    assert reply.status_code == 200
    assert "stolen" not in model.requests[0].text
    assert model.requests[0].headers["anthropic-beta"] == "prompt-caching"
    assert model.requests[0].headers["accept-encoding"] == "identity"


async def test_a_model_in_the_path_cannot_lead_elsewhere(tmp_path: Path) -> None:
    with running({"say": "x"}) as model:
        endpoint = endpoint_at(model.address, Format.GOOGLE, local=True)
        async with stand(tmp_path, endpoint) as here:
            body = {"contents": [{"role": "user", "parts": [{"text": "Hi"}]}]}
            path = "/v1beta/models/other:generateContent?key=stolen&alt=evil"
            reply = await here.client.post(path, json=body)
    assert reply.status_code == 200
    assert model.requests[0].path == "/v1beta/models/scripted:generateContent"


async def test_many_requests_go_over_one_connection(tmp_path: Path) -> None:
    async with stand(tmp_path, NOWHERE) as here:
        one = b"GET /v1/models HTTP/1.1\r\nHost: localhost\r\n\r\n"
        last = b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        answer = await here.raw(one * 3 + last)
    assert answer.count(b"HTTP/1.1 200") == 4


async def test_who_waits_to_be_told_to_go_on_is_told(tmp_path: Path) -> None:
    async with stand(tmp_path, NOWHERE) as here:
        reader, writer = await asyncio.open_unix_connection(here.gateway.socket)
        writer.write(CHAT + b"Host: localhost\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n")
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 100 ")
        writer.write(b"[]")
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 400 ")
        writer.close()


async def _shown(here: Stand, **headers: str) -> int:
    return (await here.client.get("/v1/models", headers=headers)).status_code


async def test_where_others_reach_the_port_callers_show_the_token(tmp_path: Path) -> None:
    async with stand(tmp_path, NOWHERE, is_alone=False) as here:
        token = here.gateway.token
        assert await _shown(here) == 401
        assert await _shown(here, authorization="Bearer wrong") == 401
        assert await _shown(here, authorization=f"Bearer {token}") == 200
        assert await _shown(here, **{"x-api-key": token}) == 200
        assert await _shown(here, **{"x-goog-api-key": token}) == 200
        asked = await here.client.post("/deskhand/ask", json={"question": "Really?"})
        tunnel = await here.raw(b"CONNECT pypi.org:443 HTTP/1.1\r\nHost: pypi.org:443\r\n\r\n")
        assert here.gateway.env(4141)["HTTPS_PROXY"] == f"http://job:{token}@127.0.0.1:4141"
    assert asked.status_code == 401
    assert status_of(tunnel) == 401
    assert here.job.asked == []


async def test_the_built_in_agent_shows_the_token(tmp_path: Path) -> None:
    with running({"say": "Hello."}) as model:
        endpoint = endpoint_at(model.address, local=True)
        async with stand(tmp_path, endpoint, is_alone=False) as here, reached(here) as port:
            places = Places(
                gateway=f"http://127.0.0.1:{port}", model="m", home="/", key=here.gateway.token
            )
            env = filled(profile_of("builtin", PROFILES), places).env
            turn = Turn(messages=(Message("user", "Hi"),))
            reply = await OwnGateway(env["DESKHAND_GATEWAY"], env["DESKHAND_KEY"]).turn(turn)
    assert reply.message.text


async def test_a_long_folder_has_its_socket_elsewhere_and_nothing_is_left(tmp_path: Path) -> None:
    deep = tmp_path / ("x" * 60) / ("y" * 60)
    async with stand(deep, NOWHERE) as here:
        place = here.gateway.socket
        assert len(bytes(place)) < 100
        assert place.parent.stat().st_mode & 0o077 == 0
        assert (await here.client.get("/v1/models")).status_code == 200
    assert not place.exists()
    assert not place.parent.exists()
