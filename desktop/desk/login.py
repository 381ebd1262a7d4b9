"""Start at login, asked of the system off the loop: some systems run a program for the answer."""

from __future__ import annotations

import asyncio

from desktop.system.autostart import autostart_here, program_of
from desktop.system.login_start import State
from desktop.system.paths import Paths


async def state(paths: Paths) -> State:
    """Raises: Unavailable `autostart_impossible`."""
    return await asyncio.to_thread(lambda: autostart_here(program_of(paths)).state())


async def turn(paths: Paths, *, is_on: bool) -> State:
    """Switch it, because the person said so; return how it stands then.

    Raises:
        AppError: the system cannot, or did not.
    """

    def switch() -> State:
        here = autostart_here(program_of(paths))
        return here.turn_on() if is_on else here.turn_off()

    return await asyncio.to_thread(switch)
