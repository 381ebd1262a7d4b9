"""The key goes to its endpoint and nowhere else: a box is searched for it while it is used.

The endpoint is one that says back whatever key it was shown, in every part of its answers.
"""

from __future__ import annotations

import asyncio
import io
import json
import logging
import re
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from desktop.core.llm.types import Format
from shared import logs
from tests.desktop.jobs.code.gateway.stand import Job, endpoint_at, reached, stand

MARK = "Canary.sings.loud"
WAYS = ("400", "401", "403", "404", "429", "500", "text", "stream", "away", "cut")
PATHS = {
    "/v1/chat/completions": Format.OPENAI,
    "/v1/responses": Format.OPENAI,
    "/v1/messages": Format.ANTHROPIC,
    "/v1beta/models/x:generateContent": Format.GOOGLE,
}
SPY = """
import http.client, json, os, sys
from pathlib import Path
port, path, ways = int(sys.argv[1]), sys.argv[2], sys.argv[3].split(",")
said = [json.dumps(dict(os.environ))]
for way in ways:
    line = http.client.HTTPConnection("127.0.0.1", port)
    body = json.dumps({"messages": [], "contents": [], "input": "a", "way": way})
    line.request("POST", path, body, {"Content-Type": "application/json"})
    reply = line.getresponse()
    said.append(str(reply.status) + repr(reply.getheaders()))
    try:
        said.append(reply.read().decode(errors="replace"))
    except http.client.IncompleteRead as error:
        said.append(error.partial.decode(errors="replace"))
for process in ("self", str(os.getppid())):
    for name in ("environ", "cmdline"):
        try:
            said.append(Path("/proc", process, name).read_bytes().decode(errors="replace"))
        except OSError:
            pass  # no such system
Path("said").write_text("\\n".join(said))
"""


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        size = re.search(r"content-length: (\d+)", head, re.IGNORECASE)
        way = json.loads(await reader.readexactly(int(size[1]) if size else 0)).get("way", "401")
        shown = " ".join(re.findall(re.escape(MARK), head))
        writer.write(_answer(way, shown))
        await writer.drain()
    finally:
        writer.close()


def _answer(way: str, key: str) -> bytes:
    error = {"error": {"message": f"Your key {key.upper()} is {key}", "code": key, key: key}}
    told = [f"x-request-id: {key}", f"set-cookie: {key}", f"retry-after: {key}"]
    match way:
        case "text":
            return _http("500 Bad", f"<html>{key}</html>", *told, kind="text/html")
        case "away":
            return _http("302 Found", "", f"location: /{key}", *told)
        case "stream":
            return _http(
                "200 OK", f"data: {key}\n\ndata: {key[:-3]}", *told, kind="text/event-stream"
            )
        case "cut":
            return _http("429 Slow", json.dumps(error), *told)[:-20]
        case _:
            return _http(f"{way} {key}", json.dumps(error), *told)


def _http(status: str, body: str, *headers: str, kind: str = "application/json") -> bytes:
    head = [f"HTTP/1.1 {status}", f"content-type: {kind}", f"content-length: {len(body)}"]
    return "\r\n".join([*head, *headers, "", body]).encode()


@pytest.mark.parametrize("path", PATHS, ids=[path.split("/")[2].split(":")[0] for path in PATHS])
async def test_the_key_is_nowhere_in_the_box(
    path: str, tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    written = io.StringIO()
    logs.configure(json_lines=True, level="INFO", stream=written)
    caplog.set_level(logging.INFO)
    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        endpoint = endpoint_at(f"http://127.0.0.1:{port}", PATHS[path])
        async with (
            stand(tmp_path / "job", endpoint, job=Job(key_now=MARK)) as here,
            reached(here) as inside,
        ):
            said = await _searched(here.gateway.env(inside), inside, path, tmp_path)
            turn = {"messages": [{"role": "user", "text": "Hi"}]}
            said += (await here.client.post("/deskhand/turn", json=turn)).text
            said += repr(here.gateway.fault) + str(here.gateway.fault)
    assert said.count("content-type") >= len(WAYS), "the answers were looked at"
    said += written.getvalue() + caplog.text + "".join(capfd.readouterr())
    assert MARK.lower() not in said.lower()


async def _searched(env: Mapping[str, str], port: int, path: str, folder: Path) -> str:
    """Run the spy with a box's variables; return all that it saw."""
    box = folder / "box"
    await asyncio.to_thread(box.mkdir)
    spy = (sys.executable, "-I", "-c", SPY, str(port), path, ",".join(WAYS))
    process = await asyncio.create_subprocess_exec(*spy, cwd=box, env=env)
    assert await process.wait() == 0
    return await asyncio.to_thread((box / "said").read_text)


def test_a_key_that_is_passed_on_would_be_found() -> None:
    assert all(MARK in _answer(way, MARK).decode() for way in WAYS if way != "cut")
