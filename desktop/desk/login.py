"""The tray app at login, asked of the system off the loop: some run a program to answer."""

from __future__ import annotations

import asyncio

from desktop.system.login_choice import login_of
from desktop.system.login_start import State
from desktop.system.paths import Paths


async def state(paths: Paths) -> State:
    """Raises: Unavailable `autostart_impossible`."""
    return await asyncio.to_thread(lambda: login_of(paths, is_tray=True).state())


async def turn(paths: Paths, *, is_on: bool) -> State:
    """Switch it, because the person said so; return how it stands then.

    Raises:
        AppError: the system cannot, or did not.
    """

    def switch() -> State:
        here = login_of(paths, is_tray=True)
        return here.turn_on() if is_on else here.turn_off()

    return await asyncio.to_thread(switch)
