"""Brings `deskhand://` links to this program, once for each place that it is started from."""

from __future__ import annotations

import asyncio

import structlog

from desktop.desk.desk import Desk
from desktop.gui import icons
from desktop.system.link_scheme import take_links
from desktop.system.program import start_command
from shared.errors import AppError

log = structlog.get_logger(__name__)

TAKEN_BY = "links_taken_by"
"""The setting that tells which command takes links; one that was removed stays removed."""


async def register(desk: Desk) -> None:
    """Register, unless this was done before; a profile apart takes no links."""
    command = start_command()
    told = "\n".join(command)
    if desk.paths.home is not None or await desk.settings.value(TAKEN_BY) == told:
        return
    icon = icons.icon_file(desk.paths.data)
    try:
        await asyncio.to_thread(take_links, command, icon)
    except (OSError, AppError) as error:
        log.info("links are not taken", why=repr(error))
        return
    await desk.settings.put(TAKEN_BY, told)
