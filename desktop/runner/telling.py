"""Passes on what a running job says: questions at once, the rest once a second."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator

from desktop.core.steps import StepWanted
from desktop.runner.ports import Listener
from desktop.runner.running import Running
from shared.events import LINES_MAX

TELL_SECONDS = 1.0
"""Progress and log lines leave the worker at most this often per job."""
LOG_BYTES_MAX = 48 * 1024
"""Of one event of log lines: JSON may take twice as much, and a frame has room for 256 KiB."""


async def tell(running: Running, listener: Listener, ended: asyncio.Event) -> None:
    """Pass on what the child says, questions at once, the rest once a second."""
    job_id = running.attempt.spec.job_id
    while not (ended.is_set() and running.is_told):
        await running.news.wait()
        running.news.clear()
        progress, lines, asking = running.take_news()
        plans, running.plans = running.plans, []
        if running.is_silent:
            continue
        _pass_on_wanted(running, listener)
        if progress is not None:
            listener.progressed(progress)
        for batch in batches(lines):
            await listener.logged(job_id, batch)
        for plan in plans:
            await listener.planned(job_id, plan)
        if asking is not None:
            await listener.asked(job_id, asking)
        elif not ended.is_set():
            # Not `wait_for`: in Python 3.11 it loses a cancellation that comes with the bell.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(TELL_SECONDS):
                    await running.urgent.wait()
            running.urgent.clear()


def _pass_on_wanted(running: Running, listener: Listener) -> None:
    """Tell which parts and steps a job waits for, and for which no more."""
    job_id = running.attempt.spec.job_id
    wanted, running.wanted = running.wanted, None
    steps, running.steps = running.steps, []
    if wanted is not None:
        listener.parts_wanted(job_id, wanted)
    for step in steps:
        if isinstance(step, StepWanted):
            listener.step_wanted(job_id, step)
        else:
            listener.step_dropped(job_id, step.number)


def batches(lines: list[str]) -> Iterator[tuple[str, ...]]:
    """Cut log lines into stretches that fit one event, and so one frame of the line."""
    batch: list[str] = []
    room = LOG_BYTES_MAX
    for line in lines:
        size = len(line.encode())
        if batch and (size > room or len(batch) == LINES_MAX):
            yield tuple(batch)
            batch, room = [], LOG_BYTES_MAX
        batch.append(line)
        room -= size
    if batch:
        yield tuple(batch)
