"""Starts one agent in a box of its own, has it greet, and ends it: what answers can be used."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from desktop.core.code.agent_profiles import (
    AgentProfile,
    FilledProfile,
    Places,
    filled,
)
from desktop.core.code.box import Box, BoxLimits, Launch
from desktop.jobs.code.acp.client import Patience
from desktop.jobs.code.acp.line import open_line
from desktop.jobs.code.acp.process import AgentProcess
from desktop.jobs.code.programs import Program, own_agent
from desktop.jobs.code.sandbox import Sandbox
from desktop.jobs.code.starting import write_files
from shared.plain_text import plain_line

PATIENCE = Patience(start=60.0)
VERSION_CHARS_MAX = 60
LINES_MAX = 50
NO_MODEL = Places(gateway="http://127.0.0.1:9", model="none", home="", key="none")
"""Nothing is asked of a model; port 9 answers nobody."""


async def probed(profile: AgentProfile, program: Program, sandbox: Sandbox, folder: Path) -> str:
    """Return the version of an agent that answers; empty when it tells none.

    `folder` is the worker's, for what the box scribbles on.

    Raises:
        AppError: why it cannot be used.
    """
    with _place(folder) as place:
        box = box_in(place, program)
        places = replace(NO_MODEL, home=str(box.home), builtin=own_agent())
        ready = filled(profile, places)
        write_files(ready, box.home)
        errors = place / "errors.log"
        if profile.is_headless:
            argv = (str(program.path), *profile.version_args)
            return await _version_of(_launch(sandbox, box, argv, ready), errors)
        launch = _launch(sandbox, box, (str(program.path), *ready.argv[1:]), ready)
        async with open_line(launch, errors, PATIENCE) as line:
            return plain_line((await line.client.initialize()).version)[:VERSION_CHARS_MAX]


@contextmanager
def _place(folder: Path) -> Iterator[Path]:
    folder.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix="probe-", dir=folder, ignore_cleanup_errors=True) as name:
        yield Path(name).resolve()


def box_in(place: Path, program: Program) -> Box:
    """Make folders for a box that does nothing but start a program."""
    for part in ("clone", "home"):
        (place / part).mkdir()
    return Box(
        workdir=place / "clone",
        home=place / "home",
        read_only=program.folders,
        limits=BoxLimits(cpu_seconds_max=120),
    )


def _launch(sandbox: Sandbox, box: Box, argv: Sequence[str], ready: FilledProfile) -> Launch:
    return sandbox.launch(replace(box, env=ready.env), argv)


async def _version_of(launch: Launch, errors: Path) -> str:
    """Ask a program that speaks no protocol for its version."""
    process = await AgentProcess.start(launch, errors)
    try:
        async with asyncio.TaskGroup() as tasks:
            draining = tasks.create_task(process.drain_errors())
            process.hang_up()
            lines: list[str] = []
            with suppress(TimeoutError):
                async with asyncio.timeout(PATIENCE.start):
                    lines = [line async for line in _lines(process)]
            status = await process.status()
            await process.stop()
            draining.cancel()
    finally:
        await process.stop()
    if status != 0:
        raise await process.died()
    return next((word for word in " ".join(lines).split() if word[0].isdigit()), "")


async def _lines(process: AgentProcess) -> AsyncIterator[str]:
    for _ in range(LINES_MAX):
        if (line := await process.line()) is None:
            return
        yield plain_line(line.decode(errors="replace"))[:VERSION_CHARS_MAX]
