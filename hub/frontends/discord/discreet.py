"""Keeps what hikari hands to the loop's exception handler out of the log: whole payloads.

What it cannot read it gives to that handler with all that Discord sent, words and tokens included;
and of a connection that dropped, whose end it deals with, it leaves the exception to be found.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Iterator
from typing import Any

logger = logging.getLogger(__name__)

_SHARD_TASKS = ("poll events (shard", "heartbeat (shard")


@contextlib.contextmanager
def discreet(loop: asyncio.AbstractEventLoop) -> Iterator[None]:
    """Watch over the loop's exception handler inside the block."""
    before = loop.get_exception_handler()

    def handle(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        task = context.get("future") or context.get("task")
        name = task.get_name() if isinstance(task, asyncio.Task) else ""
        if "payload" in context:
            kind = type(context.get("exception")).__name__
            logger.warning("Something from Discord cannot be read and is left out: %s", kind)
        elif name.startswith(_SHARD_TASKS):
            logger.debug("A connection to Discord ended: %s", context.get("message"))
        elif before is not None:
            before(loop, context)
        else:
            loop.default_exception_handler(context)

    loop.set_exception_handler(handle)
    try:
        yield
    finally:
        if loop.get_exception_handler() is handle:
            loop.set_exception_handler(before)
