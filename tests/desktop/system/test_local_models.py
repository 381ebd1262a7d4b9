"""Model servers of this machine are found by their lists, and nothing else is taken for one."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from desktop.core.llm.locality import Found
from desktop.core.llm.types import Endpoint
from desktop.system.local_models import ANSWER_BYTES_MAX, find_local
from tests.llm_servers.llamacpp import LlamaServer

LIST = json.dumps({"data": [{"id": "tiny"}, {"id": "tiny2"}]}).encode()
OK = b"HTTP/1.1 200 OK\r\n"


@asynccontextmanager
async def saying(answer: bytes, asked: list[bytes] | None = None) -> AsyncIterator[Endpoint]:
    """Listen on this machine and say the same to everybody."""

    async def answer_one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        if asked is not None:
            asked.append(head)
        writer.write(answer)
        writer.close()

    server = await asyncio.start_server(answer_one, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        yield Endpoint(name="local", base_url=f"http://127.0.0.1:{port}/v1", is_local=True)


GOOD = {
    "a length": OK + b"Content-Length: %d\r\n\r\n" % len(LIST) + LIST,
    "until the end": OK + b"\r\n" + LIST,
    "chunks": OK
    + b"Transfer-Encoding: chunked\r\n\r\n5\r\n"
    + LIST[:5]
    + b"\r\n%x;x=y\r\n" % (len(LIST) - 5)
    + LIST[5:]
    + b"\r\n0\r\n\r\n",
}
BAD = {
    "another status": b"HTTP/1.1 404 Not Found\r\n\r\n" + LIST,
    "a redirect": b"HTTP/1.1 302 Found\r\nLocation: http://example.org/\r\n\r\n",
    "a page": OK + b"\r\n<html>hello</html>",
    "no HTTP": b"SSH-2.0-OpenSSH_9.2\r\n",
    "nothing": b"",
    "an odd chunk": OK + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
    "too much": OK + b"\r\n" + b" " * (ANSWER_BYTES_MAX + 1) + LIST,
}


@pytest.mark.parametrize("how", GOOD)
async def test_a_server_that_lists_its_models_is_found(how: str) -> None:
    asked: list[bytes] = []
    async with saying(GOOD[how], asked) as endpoint:
        assert await find_local([endpoint]) == (Found("local", ("tiny", "tiny2")),)
    assert asked[0].startswith(b"GET /v1/models HTTP/1.0\r\nHost: 127.0.0.1:")
    assert b"uthorization" not in asked[0]


@pytest.mark.parametrize("how", BAD)
async def test_what_is_no_model_server_is_none(how: str) -> None:
    async with saying(BAD[how]) as endpoint:
        assert await find_local([endpoint]) == ()


async def test_where_nobody_listens_nobody_is_found() -> None:
    async with saying(b"") as gone:
        pass
    assert await find_local([gone]) == ()
    assert await find_local([]) == ()


async def test_a_real_server_is_found(llama: LlamaServer) -> None:
    endpoint = Endpoint(name="local", base_url=llama.base_url, is_local=True)
    (found,) = await find_local([endpoint])
    assert {"tiny", "tiny2"} <= set(found.models)
