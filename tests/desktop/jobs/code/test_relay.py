"""The relay as the first process of a box: real processes, sockets and signals."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from desktop.jobs.code import relay

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="no unix sockets there")

RELAY = Path(relay.__file__)
BOUND_SECONDS = 60.0
PYTHON = (sys.executable, "-I", "-S")
Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


def argv(port: int, gateway: Path, *command: str) -> tuple[str, ...]:
    return (*PYTHON, str(RELAY), str(port), str(gateway), "--", *command)


def run(*command: str, said: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        argv(free_port(), Path("/nowhere"), *command),
        input=said,
        capture_output=True,
        text=True,
        timeout=BOUND_SECONDS,
        check=False,
    )


@contextlib.asynccontextmanager
async def relayed(folder: Path, serve: Serve) -> AsyncIterator[int]:
    """Serve on a unix socket, and have a relay before it; yields the port."""
    gateway, port = folder / "g", free_port()
    async with asyncio.timeout(BOUND_SECONDS), await asyncio.start_unix_server(serve, gateway):
        process = await asyncio.create_subprocess_exec(
            *argv(port, gateway, "sh", "-c", "echo up; exec cat"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            assert await process.stdout.readline() == b"up\n"
            yield port
        finally:
            process.stdin.close()
            assert await process.wait() == 0


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while part := await reader.read(65536):
        writer.write(part)
        await writer.drain()
    writer.write(b"END")
    writer.close()
    await writer.wait_closed()


async def test_what_is_said_inside_arrives_and_comes_back(tmp_path: Path) -> None:
    sent = os.urandom(1_000_003)

    async def one(port: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)

        async def say() -> None:
            writer.write(sent)
            await writer.drain()
            writer.write_eof()

        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(say())
            heard = tasks.create_task(reader.read(-1))
        assert heard.result() == sent + b"END", "an end on one side is told to the other"
        writer.close()
        await writer.wait_closed()

    async with relayed(tmp_path, echo) as port:
        await asyncio.gather(*(one(port) for _ in range(20)))


async def test_pieces_are_passed_on_as_they_come(tmp_path: Path) -> None:
    go = asyncio.Event()

    async def slow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"first")
        await writer.drain()
        await go.wait()
        writer.write(b"second")
        writer.close()

    async with relayed(tmp_path, slow) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        assert await reader.readexactly(5) == b"first"
        go.set()
        assert await reader.read(-1) == b"second"
        writer.close()


async def test_whoever_hangs_up_is_told_of_to_the_other_side(tmp_path: Path) -> None:
    gone = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(-1)
        gone.set()
        writer.close()

    async with relayed(tmp_path, serve) as port:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.close()
        await gone.wait()


async def test_more_connections_than_may_be_wait_and_are_served(tmp_path: Path) -> None:
    async with relayed(tmp_path, echo) as port:
        first = [
            await asyncio.open_connection("127.0.0.1", port) for _ in range(relay.CONNECTIONS_MAX)
        ]
        late_reader, late = await asyncio.open_connection("127.0.0.1", port)
        late.write(b"late")
        late.write_eof()
        for _, writer in first:
            writer.close()
        assert await late_reader.read(-1) == b"lateEND"
        late.close()


def test_a_gateway_whose_line_is_full_is_waited_for(tmp_path: Path) -> None:
    gateway = str(tmp_path / "gateway")
    with contextlib.ExitStack() as opened:
        listener, *first, late = [
            opened.enter_context(socket.socket(socket.AF_UNIX)) for _ in "1234"
        ]
        listener.bind(gateway)
        listener.listen(0)
        for one in first:
            one.settimeout(0)
        first[0].connect(gateway)
        with pytest.raises(BlockingIOError):
            first[1].connect(gateway)

        def serve() -> None:
            with listener.accept()[0]:
                pass

        serving = threading.Timer(0.1, serve)
        serving.start()
        relay.connect(late, gateway)
        assert late.getpeername() == gateway
        serving.join()


def test_without_a_gateway_a_connection_ends_at_once() -> None:
    port = free_port()
    with subprocess.Popen(
        argv(port, Path("/nowhere"), "sh", "-c", "echo up; exec cat"),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"up\n"
        with socket.create_connection(("127.0.0.1", port), BOUND_SECONDS) as line:
            assert line.recv(1) == b""
        assert process.stdin is not None
        process.stdin.close()


@pytest.mark.parametrize(
    ("script", "status"),
    [("exit 0", 0), ("exit 7", 7), ("kill -9 $$", 128 + 9), ("kill -TERM $$", 128 + 15)],
)
def test_its_status_is_that_of_the_command(script: str, status: int) -> None:
    assert run("sh", "-c", script).returncode == status


def test_input_output_and_group_are_the_commands() -> None:
    ended = run("sh", "-c", "cat; echo oops >&2; ps -o pgid= -p $$; ps -o pgid= -p $PPID", said="a")
    first, second = ended.stdout.removeprefix("a").split()
    assert first == second
    assert ended.stderr == "oops\n"


def test_a_pipe_that_breaks_ends_the_command_as_everywhere() -> None:
    assert run("sh", "-c", "yes | head -n 1").stderr == "", "yes would complain of a broken pipe"


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT", "SIGHUP", "SIGUSR1"])
def test_a_signal_is_the_commands(name: str) -> None:
    number = getattr(signal, name)
    script = f"trap 'echo heard; exit 3' {name[3:]}; echo up; while :; do sleep 0.01; done"
    with subprocess.Popen(
        argv(free_port(), Path("/nowhere"), "sh", "-c", script), stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "up\n"
        process.send_signal(number)
        assert process.stdout.read() == "heard\n"
        assert process.wait(BOUND_SECONDS) == 3


@pytest.mark.parametrize(
    ("command", "status", "words"),
    [
        (("no-such-program",), 127, "no-such-program: there is no such program"),
        (("/etc/passwd",), 126, "/etc/passwd: it may not be run"),
    ],
)
def test_a_command_that_cannot_run_is_told(
    command: tuple[str, ...], status: int, words: str
) -> None:
    ended = run(*command)
    assert ended.returncode == status
    assert words in ended.stderr


@pytest.mark.parametrize("words", [[], ["1"], ["1", "/g", "--"], ["x", "/g", "--", "true"]])
def test_words_that_make_no_sense_are_told(words: list[str]) -> None:
    ended = subprocess.run(
        (*PYTHON, str(RELAY), *words),
        capture_output=True,
        text=True,
        check=False,
        timeout=BOUND_SECONDS,
    )
    assert ended.returncode == 125
    assert "PORT SOCKET" in ended.stderr


def test_a_port_that_is_taken_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended = subprocess.run(
            argv(port, Path("/g"), "true"),
            capture_output=True,
            text=True,
            check=False,
            timeout=BOUND_SECONDS,
        )
    assert ended.returncode == 125
    assert f"127.0.0.1:{port}" in ended.stderr


@pytest.fixture
def reaper() -> tuple[str, ...]:
    """Makes the program that follows take in orphans, as process 1 of a box does."""
    if sys.platform != "linux":
        pytest.skip("prctl is Linux's")
    lines = (
        "import ctypes, os, sys",
        "ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)",
        "os.execv(sys.argv[1], sys.argv[1:])",
    )
    return (sys.executable, "-c", "\n".join(lines))


def test_orphans_are_reaped_and_end_with_the_command(reaper: tuple[str, ...]) -> None:
    zombies = "ps -o stat= --ppid $PPID | grep -q Z"
    orphans = "(setsid sleep 600 >/dev/null & echo $!); (setsid true &)"
    script = f"{orphans}; while {zombies}; do sleep 0.01; done; exit 4"
    with subprocess.Popen(
        (*reaper, *argv(free_port(), Path("/g"), "sh", "-c", script)),
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        watchdog = threading.Timer(BOUND_SECONDS, process.kill)
        watchdog.start()
        assert process.stdout is not None
        pid = int(process.stdout.readline())
        assert process.wait() == 4
        watchdog.cancel()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
