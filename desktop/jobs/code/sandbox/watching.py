"""Looks at what all processes of a box use together, which no limit of one process holds.

Where a box has processes of its own, ending its first one ends all at once, fork bombs included.
"""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

import psutil

from desktop.core.code.box import Launch
from desktop.core.code.overrun import Seen, overrun
from shared.errors import LimitReached

LOOK_SECONDS = 0.5


async def overrun_of(
    pid: int, launch: Launch, *, look_seconds: float = LOOK_SECONDS
) -> LimitReached:
    """Return when the tree below this process has passed a limit; until then, never.

    Whoever awaits it ends the tree, and cancels this when the tree has ended by itself.
    """
    at_first = _free_bytes(launch.cwd)
    while True:
        seen = await asyncio.to_thread(look, pid, launch.cwd, at_first)
        error = overrun(seen, launch.limits)
        if error is not None:
            return error
        await asyncio.sleep(look_seconds)


def look(pid: int, folder: Path, free_at_first: int) -> Seen:
    """Add up what is there now; who has gone meanwhile counts for nothing."""
    memory = count = 0
    for process in _tree(pid):
        try:
            told = process.memory_info()
        except psutil.Error:
            continue
        memory += max(0, told.rss - getattr(told, "shared", 0))
        count += 1
    free = _free_bytes(folder)
    return Seen(
        memory_bytes=memory, processes=count, written_bytes=free_at_first - free, free_bytes=free
    )


def _tree(pid: int) -> list[psutil.Process]:
    try:
        root = psutil.Process(pid)
        return [root, *root.children(recursive=True)]
    except psutil.Error:
        return []


def _free_bytes(folder: Path) -> int:
    try:
        return shutil.disk_usage(folder).free
    except OSError:  # the clone is gone, and the box will be, too
        return 1 << 62
