"""Closing what belongs to a browser whose page may answer nobody any more."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable

from playwright.async_api import Error

CLOSE_SECONDS = 5.0
"""A page whose script never ends does not answer that it was closed."""


async def let_go(closing: Awaitable[object]) -> bool:
    """Wait a moment until something is closed; False when it is not by then."""
    try:
        async with asyncio.timeout(CLOSE_SECONDS):
            with contextlib.suppress(Error):
                await closing
    except TimeoutError:
        return False
    return True
