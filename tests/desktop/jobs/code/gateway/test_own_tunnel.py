"""A program that takes the gateway for its proxy, also on the way to the gateway itself."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.desktop.jobs.code.gateway.stand import Stand, endpoint_at, stand

TUNNEL = b"CONNECT 127.0.0.1:4141 HTTP/1.1\r\nHost: 127.0.0.1:4141\r\n\r\n"
MODELS = b"GET /v1/models HTTP/1.1\r\nHost: 127.0.0.1:4141\r\nConnection: close\r\n\r\n"


async def through(stand: Stand, inner: bytes) -> bytes:
    """Open a tunnel to the gateway through the gateway; return what comes back in it."""
    reader, writer = await asyncio.open_unix_connection(stand.gateway.socket)
    try:
        writer.write(TUNNEL)
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200 ")
        assert b"content-length" not in head.lower()
        writer.write(inner)
        return await reader.read(-1)
    finally:
        writer.close()


async def test_it_is_served_what_it_would_be_served_without(tmp_path: Path) -> None:
    async with stand(tmp_path, endpoint_at("http://127.0.0.1:1")) as here:
        answer = await through(here, MODELS)

    assert answer.startswith(b"HTTP/1.1 200 ")
    assert b'"scripted"' in answer


@pytest.mark.parametrize("token", ["", "Authorization: Bearer wrong\r\n"])
async def test_a_tunnel_is_no_way_around_the_token(tmp_path: Path, token: str) -> None:
    async with stand(tmp_path, endpoint_at("http://127.0.0.1:1"), is_alone=False) as here:
        said = TUNNEL.replace(b"\r\n\r\n", b"\r\n" + token.encode() + b"Connection: close\r\n\r\n")
        answer = await here.raw(said)

    assert answer.startswith(b"HTTP/1.1 401 ")


async def test_there_is_no_tunnel_in_a_tunnel(tmp_path: Path) -> None:
    async with stand(tmp_path, endpoint_at("http://127.0.0.1:1")) as here:
        inner = TUNNEL.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
        assert (await through(here, inner)).startswith(b"HTTP/1.1 403 ")
