"""The control line: who may tell a running program what to do, and what happens to all others."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import stat
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from desktop.system.control import LINE_BYTES_MAX, JsonObject, call
from desktop.system.control_line import CONNECTIONS_MAX, ControlLine
from shared.errors import AppError, Conflict

FILE = "control.json"


async def _echo(arguments: JsonObject) -> JsonObject:
    return {"heard": arguments}


async def _refuse(_arguments: JsonObject) -> JsonObject:
    raise Conflict("busy", "It is busy.", "Wait.")


async def _break(_arguments: JsonObject) -> JsonObject:
    raise ZeroDivisionError


@contextlib.asynccontextmanager
async def a_line(folder: Path) -> AsyncIterator[Path]:
    path = folder / FILE
    async with ControlLine(path, {"echo": _echo, "refuse": _refuse, "break": _break}).serving():
        yield path


async def asked(path: Path, order: str, arguments: JsonObject | None = None) -> JsonObject:
    return await asyncio.to_thread(call, path, order, arguments or {}, seconds=5)


async def refused(path: Path, order: str) -> str:
    with pytest.raises(AppError) as caught:
        await asked(path, order)
    return caught.value.code


def port_in(path: Path) -> int:
    return int(json.loads(path.read_text())["port"])


async def said_raw(path: Path, line: bytes) -> bytes:
    """Send bytes as any other program could, and return what comes back."""
    port = port_in(path)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(line)
    with contextlib.suppress(ConnectionError):
        await writer.drain()
    try:
        return await reader.read()
    except ConnectionError:
        return b""
    finally:
        writer.close()


async def test_an_order_is_carried_out_and_answered(tmp_path: Path) -> None:
    async with a_line(tmp_path) as path:
        told = await asked(path, "echo", {"name": "sales – März.csv", "count": 3})
    assert told == {"heard": {"name": "sales – März.csv", "count": 3}}


async def test_an_error_arrives_as_it_was_told(tmp_path: Path) -> None:
    async with a_line(tmp_path) as path:
        with pytest.raises(AppError) as caught:
            await asked(path, "refuse")
    assert (caught.value.code, caught.value.hint) == ("busy", "Wait.")


async def test_an_order_of_a_newer_program_is_refused_by_name(tmp_path: Path) -> None:
    async with a_line(tmp_path) as path:
        assert await refused(path, "fly") == "control_unknown"


async def test_a_fault_in_an_order_does_not_end_the_program(tmp_path: Path) -> None:
    async with a_line(tmp_path) as path:
        assert await refused(path, "break") == "control_fault"
        assert await asked(path, "echo") == {"heard": {}}


async def test_only_its_owner_can_read_the_way_in(tmp_path: Path) -> None:
    async with a_line(tmp_path) as path:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        token = json.loads(path.read_text())["token"]
        assert len(token) >= 43, "256 bits"
        port = port_in(path)
        with socket.socket() as outside:
            assert outside.connect_ex((_own_address(), port)) != 0
    assert not path.exists(), "a program that has ended leaves no way in"


def _own_address() -> str:
    """Return an address of this machine that is not the loopback; without one, nobody's."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return "0.0.0.1"
        return str(probe.getsockname()[0])


async def test_a_wrong_token_is_refused_and_nothing_is_done(tmp_path: Path) -> None:
    async with a_line(tmp_path) as path:
        order = {"token": "x" * 43, "do": "echo", "arguments": {}}
        told = json.loads(await said_raw(path, json.dumps(order).encode() + b"\n"))
    assert told["error"]["code"] == "control_refused"


@pytest.mark.parametrize(
    "line",
    [
        b"\n",
        b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
        b"\x80\x04\x95 a pickle\n",
        b"[]\n",
        b'{"do": "echo"}\n',
        b'{"token": 7, "do": "echo", "arguments": {}}\n',
        '{"token": "ü", "do": "echo", "arguments": {}, "extra": 1}\n'.encode(),
    ],
)
async def test_what_is_no_order_is_refused(tmp_path: Path, line: bytes) -> None:
    async with a_line(tmp_path) as path:
        told = json.loads(await said_raw(path, line))
        assert told["error"]["code"] == "control_invalid"
        assert await asked(path, "echo") == {"heard": {}}


async def test_an_endless_line_is_cut_off(tmp_path: Path) -> None:
    async with a_line(tmp_path) as path:
        assert await said_raw(path, b"x" * (LINE_BYTES_MAX * 3)) == b""
        assert await asked(path, "echo") == {"heard": {}}


async def test_who_connects_and_says_nothing_is_sent_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("desktop.system.control_line.HEAR_SECONDS", 0.05)
    async with a_line(tmp_path) as path:
        port = port_in(path)
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        async with asyncio.timeout(2):
            assert await reader.read() == b""
        writer.close()


async def test_many_silent_ones_do_not_use_up_the_program(tmp_path: Path) -> None:
    async with a_line(tmp_path) as path:
        port = port_in(path)
        silent = [
            await asyncio.open_connection("127.0.0.1", port) for _ in range(CONNECTIONS_MAX + 1)
        ]
        assert await refused(path, "echo") == "control_busy"
        for _, writer in silent:
            writer.close()


async def test_a_file_that_a_crash_has_left_means_not_running(tmp_path: Path) -> None:
    path = tmp_path / FILE
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    path.write_text(json.dumps({"port": port, "token": "x" * 43}))
    assert await refused(path, "echo") == "not_running"


async def test_another_program_on_a_stale_port_means_not_running(tmp_path: Path) -> None:
    async with a_line(tmp_path) as path:
        stale = tmp_path / "stale.json"
        facts = json.loads(path.read_text())
        stale.write_text(json.dumps(facts | {"token": "x" * 43}))
        assert await refused(stale, "echo") == "not_running"


@pytest.mark.parametrize("content", ["", "{", "[]", '{"port": 0, "token": "x"}'])
async def test_a_file_of_nonsense_means_not_running(tmp_path: Path, content: str) -> None:
    path = tmp_path / FILE
    path.write_text(content)
    assert await refused(path, "echo") == "not_running"
    assert await refused(tmp_path / "none.json", "echo") == "not_running"


async def test_who_answers_with_nonsense_is_not_believed(tmp_path: Path) -> None:
    async def babble(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"<html>\n")
        writer.close()

    server = await asyncio.start_server(babble, "127.0.0.1", 0)
    async with server:
        path = tmp_path / FILE
        port = server.sockets[0].getsockname()[1]
        path.write_text(json.dumps({"port": port, "token": "x" * 43}))
        assert await refused(path, "echo") == "control_lost"
