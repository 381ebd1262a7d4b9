"""A connection to a running agent: its process, its codec, and the tasks that belong to both."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Coroutine
from dataclasses import dataclass, field
from pathlib import Path

from desktop.core.code.acp.v1 import Codec
from desktop.core.code.box import Launch
from desktop.jobs.code.acp.client import Client, Patience
from desktop.jobs.code.acp.process import AgentProcess
from desktop.system.program import version

LAST_SECONDS = 1.0
"""How long the last output of an agent that is gone may take to be read."""


@dataclass
class Line:
    """Who is at the other end, and what runs because of it."""

    pid: int
    codec: Codec
    client: Client
    tasks: asyncio.TaskGroup
    questions: dict[int, asyncio.Task[None]] = field(default_factory=dict)
    """People who are being asked, by the number of the request."""

    def ask(self, asked: int, question: Coroutine[None, None, None]) -> None:
        """Have a question dealt with beside everything else."""
        task = self.tasks.create_task(question)
        self.questions[asked] = task
        task.add_done_callback(lambda _: self.questions.pop(asked, None))

    def withdraw(self, asked: int) -> None:
        """Stop a question that the agent does not ask any more."""
        if (task := self.questions.get(asked)) is not None:
            task.cancel()


@contextlib.asynccontextmanager
async def open_line(launch: Launch, errors: Path, patience: Patience) -> AsyncIterator[Line]:
    """Start an agent and listen to it; its whole tree ends with the block.

    Raises:
        NotFound: `agent_missing`.
        Unavailable: `agent_not_started`.
    """
    process = await AgentProcess.start(launch, errors)
    failure: Exception | None = None
    try:
        async with asyncio.TaskGroup() as tasks:
            codec = Codec(version())
            line = Line(process.pid, codec, Client(process, codec, patience), tasks)
            readers = [
                tasks.create_task(line.client.read()),
                tasks.create_task(process.drain_errors()),
            ]
            limits = tasks.create_task(process.keep_to_limits())
            try:
                yield line
            # Out of a group of tasks it would come as a group of errors.
            except Exception as error:
                failure = error
            finally:
                for question in list(line.questions.values()):
                    question.cancel()
                limits.cancel()
                await process.stop()
                await asyncio.wait(readers, timeout=LAST_SECONDS)
                for reader in readers:
                    reader.cancel()
    finally:
        await process.stop()
    if failure is not None:
        raise failure
