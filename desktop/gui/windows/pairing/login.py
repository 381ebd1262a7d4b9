"""Start at login, as the assistant shows it: read from the system, changed only by its tick."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from desktop.system.autostart import autostart_here, program_of
from desktop.system.paths import Paths
from shared.errors import AppError


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginState:
    is_on: bool = False
    note: str = ""
    is_possible: bool = True


async def read_login(paths: Paths) -> LoginState:
    """Read how it stands; where nothing starts programs at login, say so."""
    try:
        state = await asyncio.to_thread(lambda: autostart_here(program_of(paths)).state())
    except AppError as error:
        return LoginState(note=error.message, is_possible=False)
    return LoginState(is_on=state.is_on, note=" ".join(state.notes))


async def set_login(paths: Paths, *, is_on: bool) -> None:
    """Turn it on or off.

    Raises:
        AppError: the system refused.
    """

    def switch() -> None:
        here = autostart_here(program_of(paths))
        if is_on:
            here.turn_on()
        else:
            here.turn_off()

    await asyncio.to_thread(switch)
