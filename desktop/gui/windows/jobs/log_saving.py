"""Lines of a log as text: into the clipboard, or into a file, page by page."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from desktop.gui.bridge import Bridge
from desktop.store import copied_lines
from desktop.store.copied_lines import PAGE_LINES_MAX, LogLine
from shared.errors import Unavailable
from shared.ids import JobId, short
from shared.plain_text import plain_line

COPIED_LINES_MAX = 20_000
"""More lines are better saved to a file than put into the clipboard."""


async def read_text(bridge: Bridge, job_id: JobId | None, numbers: Sequence[int]) -> str:
    """Read chosen lines as text, at most `COPIED_LINES_MAX`."""
    text = []
    numbers = numbers[:COPIED_LINES_MAX]
    for first in range(0, len(numbers), PAGE_LINES_MAX):
        part = numbers[first : first + PAGE_LINES_MAX]
        read = partial(copied_lines.picked, numbers=part, job_id=job_id)
        text.append(as_text(await bridge.desk.look(read), is_mixed=job_id is None))
    return "".join(text)


async def save(bridge: Bridge, job_id: JobId | None, path: Path) -> int:
    """Write a whole log into a file as UTF-8, as long as it was when this began.

    Returns:
        How many lines were written.

    Raises:
        Unavailable: `log_not_saved`.
    """
    count = await bridge.desk.look(partial(copied_lines.line_count, job_id=job_id))
    try:
        with await asyncio.to_thread(path.open, "w", encoding="utf-8", newline="\n") as file:
            for after in range(0, count, PAGE_LINES_MAX):
                limit = min(PAGE_LINES_MAX, count - after)
                read = partial(copied_lines.page, job_id=job_id, after=after, limit=limit)
                text = as_text(await bridge.desk.look(read), is_mixed=job_id is None)
                await asyncio.to_thread(file.write, text)
    except OSError as error:
        raise Unavailable(
            "log_not_saved",
            f"The log could not be saved as {path.name}: {error.strerror}.",
            "Choose another folder, or make room on the disk.",
        ) from error
    return count


def as_text(lines: Sequence[LogLine], *, is_mixed: bool) -> str:
    """Write lines with their times in the person's zone, and their jobs where logs are mixed."""
    return "".join(
        f"{line.at.astimezone():%Y-%m-%d %H:%M:%S} "
        f"{f'[{short(line.job_id)}] ' if is_mixed else ''}{plain_line(line.text)}\n"
        for line in lines
    )
