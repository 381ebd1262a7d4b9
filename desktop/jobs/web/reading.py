"""Has a document read by a program of its own, in a sandbox where there is one, for so long."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import tempfile
from pathlib import Path
from typing import Protocol

import structlog
from pydantic import ValidationError

import desktop
from desktop.core.code.box import Box, BoxLimits, Launch
from desktop.core.code.rules import CodeRules
from desktop.core.web.sorts import Sort
from desktop.jobs.code.removing import remove
from desktop.jobs.code.sandbox.choosing import choose
from desktop.jobs.code.sandbox.sandbox import Sandbox
from desktop.jobs.web.fetcher import Fetched
from desktop.jobs.web.reader.decoding import decoded
from desktop.jobs.web.reader.told import Told, told
from desktop.system.program import boxed_command
from shared.errors import AppError, BadInput, Unavailable
from shared.plain_text import plain, plain_line

log = structlog.get_logger(__name__)

AT_ONCE_MAX = 2
READ_SECONDS = 45.0
SAID_BYTES_MAX = 4 * 1024**2
CHARSET_CHARS_MAX = 40
LIMITS = BoxLimits(
    memory_bytes_max=1536 * 1024**2,
    processes_max=64,
    file_bytes_max=64 * 1024**2,
    disk_bytes_max=256 * 1024**2,
    scratch_bytes_max=64 * 1024**2,
    open_files_max=256,
    cpu_seconds_max=60,
)
_RUN = "import runpy, sys; sys.path.insert(0, sys.argv.pop(1)); runpy.run_module"
_READER = f'{_RUN}("desktop.jobs.web.reader", run_name="__main__", alter_sys=True)'


class Reads(Protocol):
    """Reads documents."""

    async def read(self, fetched: Fetched) -> Told:
        """Read what was fetched. Raises AppError."""


class Reader:
    """Reads documents, a few at a time."""

    def __init__(
        self, *, seconds_max: float = READ_SECONDS, sandbox: Sandbox | None = None
    ) -> None:
        """Begin nothing yet; the best sandbox of this machine is looked for when it is needed."""
        self._seconds_max = seconds_max
        self._sandbox = sandbox
        self._places = asyncio.Semaphore(AT_ONCE_MAX)
        self._choosing = asyncio.Lock()

    async def read(self, fetched: Fetched) -> Told:
        """Read what was fetched.

        Raises:
            BadInput: `page_unreadable`.
            Unavailable: `page_unreadable`, when reading took too long.
        """
        if fetched.sort is Sort.TEXT:
            return told("", plain(decoded(fetched.body, fetched.charset)))
        async with self._places:
            read = await self._read(fetched)
        if read.fault:
            raise _unreadable(fetched, plain_line(read.fault))
        # Characters that act instead of showing hide words from people, not from models.
        return read.model_copy(update={"title": plain_line(read.title), "text": plain(read.text)})

    async def _read(self, fetched: Fetched) -> Told:
        sandbox = await self._chosen()
        folder = await asyncio.to_thread(_place_for, fetched.body)
        try:
            box = Box(workdir=folder / "page", home=folder / "home", limits=LIMITS)
            said = await self._said(sandbox.launch(box, _command(fetched)), fetched)
        finally:
            await asyncio.to_thread(remove, folder)
        try:
            return Told.model_validate_json(said)
        except ValidationError:
            raise _unreadable(fetched, "it ends the program that reads it") from None

    async def _chosen(self) -> Sandbox:
        async with self._choosing:
            if self._sandbox is None:
                self._sandbox = await choose(CodeRules())
                log.info("reading in a sandbox", name=self._sandbox.name)
            return self._sandbox

    async def _said(self, launch: Launch, fetched: Fetched) -> bytes:
        process = await asyncio.create_subprocess_exec(
            *launch.argv,
            env=dict(launch.env),
            cwd=launch.cwd,
            pass_fds=launch.pass_fds,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            start_new_session=True,
        )
        assert process.stdout is not None
        try:
            async with asyncio.timeout(self._seconds_max):
                said = await _until_end(process.stdout)
        except TimeoutError:
            raise Unavailable(
                "page_unreadable",
                f"Reading {_shown(fetched)} took more than {self._seconds_max:.0f} s.",
                "Read another page, or open this one yourself.",
            ) from None
        finally:
            _end(process)
            await process.wait()
        return said


async def _until_end(stream: asyncio.StreamReader) -> bytes:
    said = bytearray()
    while part := await stream.read(64 * 1024):
        said += part
        if len(said) > SAID_BYTES_MAX:
            break
    return bytes(said)


def _end(process: asyncio.subprocess.Process) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if sys.platform == "win32":
            process.kill()
        else:
            os.killpg(process.pid, signal.SIGKILL)


def _place_for(body: bytes) -> Path:
    folder = Path(tempfile.mkdtemp(prefix="deskhand-page-")).resolve()
    for name in ("page", "home"):
        (folder / name).mkdir(mode=0o700)
    (folder / "page" / "body").write_bytes(body)
    return folder


def _command(fetched: Fetched) -> tuple[str, ...]:
    charset = fetched.charset[:CHARSET_CHARS_MAX]
    words = ("body", fetched.sort.value, charset if charset.isascii() else "")
    boxed = boxed_command("read-page")
    if boxed is not None:
        return (*boxed, *words)
    root = str(Path(desktop.__file__).resolve().parents[1])
    return (sys.executable, "-I", "-c", _READER, root, *words)


def _shown(fetched: Fetched) -> str:
    return plain_line(fetched.url)[:200]


def _unreadable(fetched: Fetched, why: str) -> AppError:
    return BadInput(
        "page_unreadable",
        f"{_shown(fetched)} cannot be read: {why}.",
        "Open it yourself, or read another page.",
    )
