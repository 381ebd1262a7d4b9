"""The gateway from inside of real boxes: the model, the person and a registry, and no key."""

from __future__ import annotations

import asyncio
import json
import re
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from desktop.core.code.box import GATEWAY_PORT
from desktop.jobs.code.gateway.gateway import ASK_SERVER
from tests.desktop.jobs.code.box_room import HOLDING, Room, rooms
from tests.desktop.jobs.code.gateway import registry
from tests.desktop.jobs.code.gateway.stand import Job, Stand, endpoint_at, stand
from tests.llm_servers.scripted import running

MARK = "Canary.sings.loud.in.a.box"
ASK = "A program in the sandbox wants to reach the Python package index"
SPY = """
import http.client, json, os, sys
from pathlib import Path
port, mark = int(sys.argv[1]), "".join(reversed(sys.argv[2]))
headers = {"Authorization": "Bearer " + os.environ["DESKHAND_TOKEN"]}
line = http.client.HTTPConnection("127.0.0.1", port)
body = json.dumps({"messages": [{"role": "user", "content": "Hi"}]})
line.request("POST", "/v1/chat/completions", body, headers)
reply = line.getresponse()
status, text = reply.status, reply.read()
looked, found = 0, []
def look(path):
    global looked
    try:
        with open(path, "rb") as file:
            content = file.read(1000000)
    except OSError:
        return
    looked += 1
    if mark.encode() in content:
        found.append(str(path))
for entry in Path("/proc").iterdir():
    if entry.name.isdecimal():
        for name in ("environ", "cmdline", "comm", "mounts"):
            look(entry / name)
for root in (".", os.environ["HOME"], "/tmp", "/run", "/dev/shm", "/var/tmp"):
    for folder, _, names in os.walk(root):
        for name in names[:200]:
            if Path(folder, name).is_file():
                look(Path(folder, name))
found += ["reply"] * (mark.encode() in text) + ["env"] * (mark in str(dict(os.environ)))
print(json.dumps({"status": status, "looked": looked, "found": found}))
"""
CALLER = """
import json, subprocess, sys
call = {"name": "ask_human", "arguments": {"question": "Which one?"}}
asked = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": call}
with subprocess.Popen(sys.argv[1:], stdin=-1, stdout=-1, text=True) as server:
    print(json.dumps(asked), file=server.stdin, flush=True)
    print(server.stdout.readline())
    server.stdin.close()
"""


@pytest.fixture(params=HOLDING)
def room(request: pytest.FixtureRequest) -> Iterator[Room]:
    yield from rooms(request.param)


async def boxed(here: Stand, room: Room, *argv: str, **env: str) -> str:
    """Run a program in a box that has this gateway; return what it wrote."""
    port = room.sandbox.port()
    words = [word.replace("{port}", str(port)) for word in argv]
    told = {**here.gateway.env(port), **env}
    box = room.box(gateway=here.gateway.socket, env=told, read_only=(ASK_SERVER.parent,))
    # Where boxes have no network of their own each call for a port gives another.
    box = replace(box, port=port)
    ended = await asyncio.to_thread(room.run, *words, box=box)
    assert ended.returncode == 0, ended.stderr + ended.stdout
    return ended.stdout


def is_alone(room: Room) -> bool:
    return room.sandbox.port() == GATEWAY_PORT


async def test_a_box_reaches_its_model_and_holds_no_key(room: Room, tmp_path: Path) -> None:
    with running({"say": "Hello."}, key=MARK) as model:
        endpoint = endpoint_at(model.address)
        job = Job(key_now=MARK)
        async with stand(tmp_path, endpoint, job=job, is_alone=is_alone(room)) as here:
            reversed_mark = "".join(reversed(MARK))
            told = json.loads(
                await boxed(here, room, sys.executable, "-I", "-c", SPY, "{port}", reversed_mark)
            )
    assert told["status"] == 200
    assert told["looked"] > 3
    assert told["found"] == []
    assert f"Bearer {MARK}" in model.requests[0].headers["authorization"]


async def test_a_tool_in_a_box_asks_the_person(room: Room, tmp_path: Path) -> None:
    job = Job(answers={"Which": "the red one"})
    endpoint = endpoint_at("http://127.0.0.1:9", local=True)
    async with stand(tmp_path, endpoint, job=job, is_alone=is_alone(room)) as here:
        *server, _ = here.gateway.ask_server(0)
        said = await boxed(here, room, sys.executable, "-I", "-c", CALLER, *server, "{port}")
    assert "the red one" in said


async def test_pip_in_a_box_installs_what_a_person_allows(room: Room, tmp_path: Path) -> None:
    job = Job(answers={ASK: "allow"})
    endpoint = endpoint_at("http://127.0.0.1:9", local=True)
    with registry.serving(tmp_path / "registry") as packages:
        (room.clone / "ca.pem").write_bytes(packages.ca.read_bytes())
        async with stand(
            tmp_path, endpoint, job=job, is_alone=is_alone(room), open_host=packages.open
        ) as here:
            words = ("-m", "pip", "--isolated", "--disable-pip-version-check", "install")
            more = ("--no-cache-dir", "--retries", "0", "--cert", "ca.pem", "--target", "made")
            await boxed(here, room, sys.executable, *words, *more, "tiny-thing")
    assert (room.clone / "made" / "tiny_thing.py").is_file()
    assert len(job.asked) == 1


async def test_without_the_gateway_there_is_no_way_out(room: Room, tmp_path: Path) -> None:
    async with await asyncio.start_server(lambda *_: None, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        script = (
            "import socket\n"
            f"for address in (('127.0.0.1', {port}), ('192.0.2.1', 443)):\n"
            "    try:\n"
            "        socket.create_connection(address, 2); print('reached')\n"
            "    except OSError as error: print(type(error).__name__)\n"
        )
        endpoint = endpoint_at("http://127.0.0.1:9", local=True)
        async with stand(tmp_path, endpoint, is_alone=is_alone(room)) as here:
            said = await boxed(here, room, sys.executable, "-I", "-c", script)
    assert "reached" not in said
    assert len(re.findall("Error", said)) == 2
