"""Running a command by the shell: bounded in time and output, with nothing left behind."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import signal
import subprocess
from dataclasses import dataclass, field

from desktop.jobs.code.builtin.tools.folder import Folder
from desktop.jobs.code.builtin.tools.outcome import Outcome, ToolFault

SECONDS = 120.0
"""Of a command that asks for no other time."""
SECONDS_MAX = 1800.0
HEAD_BYTES_MAX = 8_000
TAIL_BYTES_MAX = 22_000
COMMAND_CHARS_MAX = 20_000
END_SECONDS = 2.0
"""Between asking a command to end and ending it."""
REST_SECONDS = 0.5
"""For what a command's own children still write after its end."""
CHUNK_BYTES = 64 * 1024
OWN = "DESKHAND_"
"""Begins the names of this agent's own variables: its way to the gateway is nobody else's."""
ENVIRONMENT = {
    "PAGER": "cat",
    "GIT_PAGER": "cat",
    "GIT_TERMINAL_PROMPT": "0",
    "TERM": "dumb",
    "NO_COLOR": "1",
    "PYTHONUNBUFFERED": "1",
}
_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]{0,500}(?:\x07|\x1b\\)?|.)")
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


@dataclass(slots=True)
class Output:
    """What a command wrote: its beginning and its end."""

    head: bytes = b""
    tail: bytearray = field(default_factory=bytearray)
    count: int = 0

    def take(self, chunk: bytes) -> None:
        self.count += len(chunk)
        room = HEAD_BYTES_MAX - len(self.head)
        self.head += chunk[:room]
        self.tail += chunk[room:] if room > 0 else chunk
        if len(self.tail) > 2 * TAIL_BYTES_MAX:
            del self.tail[:-TAIL_BYTES_MAX]

    @property
    def text(self) -> str:
        tail = bytes(self.tail[-TAIL_BYTES_MAX:])
        left_out = self.count - len(self.head) - len(tail)
        between = f"\n… [{left_out} bytes left out] …\n".encode() if left_out else b""
        shown = (self.head + between + tail).decode(errors="replace").replace("\r\n", "\n")
        return _CONTROLS.sub("", _ESCAPES.sub("", shown)).rstrip()


async def run(folder: Folder, command: str, timeout_seconds: float = SECONDS) -> Outcome:
    """Run a command, and end whatever it started.

    Args:
        folder: where it starts.
        command: for `sh -c`.
        timeout_seconds: after which it is ended.
    """
    if not command.strip() or len(command) > COMMAND_CHARS_MAX or "\0" in command:
        raise ToolFault(f"`command` has 1 to {COMMAND_CHARS_MAX} characters.")
    seconds = max(1.0, min(timeout_seconds, SECONDS_MAX))
    output = Output()
    process = _start(folder, command)
    is_late = False
    try:
        async with asyncio.timeout(seconds):
            await _read(process, output)
    except TimeoutError:
        is_late = True
    finally:
        await _end(process)
    return _told(output, process.returncode, seconds if is_late else None)


def _start(folder: Folder, command: str) -> subprocess.Popen[bytes]:
    """Start a command. At once: nobody can be cancelled between its start and knowing of it."""
    try:
        return subprocess.Popen(
            ["sh", "-c", command],
            cwd=folder.root,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            env=_environment(),
        )
    except (OSError, ValueError) as error:
        raise ToolFault(f"The command cannot be started: {error}.") from None


def _environment() -> dict[str, str]:
    """Give a command what is here, but for what concerns this agent alone."""
    here = {name: value for name, value in os.environ.items() if not name.startswith(OWN)}
    return here | ENVIRONMENT


async def _read(process: subprocess.Popen[bytes], output: Output) -> None:
    """Read until the command has ended; what it left running may write no longer.

    asyncio's own processes are over when their pipes are, too, which is never if a child holds one.
    """
    loop, reader = asyncio.get_running_loop(), asyncio.StreamReader()
    lines, _ = await loop.connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), process.stdout
    )
    try:
        async with asyncio.TaskGroup() as group:
            reading = group.create_task(_gather(reader, output))
            await asyncio.to_thread(process.wait)
            await asyncio.wait([reading], timeout=REST_SECONDS)
            reading.cancel()
    finally:
        lines.close()


async def _gather(stream: asyncio.StreamReader, output: Output) -> None:
    while chunk := await stream.read(CHUNK_BYTES):
        output.take(chunk)


async def _end(process: subprocess.Popen[bytes]) -> None:
    """End the command's process group, gently at first, and its own process for certain."""
    try:
        if process.poll() is None:
            _signal(process, signal.SIGTERM)
            await asyncio.to_thread(process.wait, END_SECONDS)
    except subprocess.TimeoutExpired:
        pass
    finally:
        _signal(process, signal.SIGKILL)
        process.wait()


def _signal(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)


def _told(output: Output, status: int | None, seconds: float | None) -> Outcome:
    text = output.text or "(no output)"
    if seconds is not None:
        said = f"{text}\n[ended after {seconds:g} s, which is the limit]"
        return Outcome(text=said, is_error=True)
    if status == 0:
        return Outcome(text=text)
    how = (
        f"exit status {status}" if status is not None and status > 0 else f"signal {-(status or 0)}"
    )
    return Outcome(text=f"{text}\n[{how}]", is_error=True)
