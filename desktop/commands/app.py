"""`deskhand open`, `quit`, `unpair`, `diagnostics`: what the windows do, from a terminal."""

from __future__ import annotations

import argparse
import asyncio
from pathlib import Path

from desktop.commands.deeds import ENVIRONMENT, alone, running
from desktop.commands.printing import confirm, say
from desktop.commands.worker import EXIT_OK, pairing_of
from desktop.system.control import call
from desktop.system.paths import Paths
from shared.database import Database


def run(paths: Paths, options: argparse.Namespace) -> int:
    match options.command:
        case "open":
            call(paths.control, "open", {"window": options.window, "item": options.item or ""})
        case "quit":
            from desktop.commands.tray import quit_running

            return quit_running(paths)
        case "unpair":
            unpair(paths, is_sure=options.yes)
        case _:
            diagnostics(paths, options.file)
    return EXIT_OK


def unpair(paths: Paths, *, is_sure: bool) -> None:
    """Belong to no hub any more; models, files and the policy stay.

    Raises:
        NotFound: `not_paired`.
        NotAllowed: `unpairing_not_confirmed`.
    """
    from desktop.desk import join_steps

    pairing = pairing_of(paths)
    if not is_sure:
        _confirm(pairing.hub_name)
    if running(paths, "leave") is None:
        alone(paths, lambda database: join_steps.leave(paths, database))
    say(f"This computer has left {pairing.hub_name}. Models, files and the policy are as before.")
    say(f"The hub still lists it until you say there: /worker {pairing.worker_name} revoke")


def _confirm(hub: str) -> None:
    confirm(
        f"Jobs that run here are stopped, and what {hub} told this computer is forgotten.",
        "Leave it?",
        "unpairing_not_confirmed",
    )


def diagnostics(paths: Paths, file: Path | None) -> None:
    """Write the file that a report of a fault needs, without secrets and names."""
    from desktop.desk.diagnostics import file_name

    target = (file or Path(file_name(ENVIRONMENT.now()))).expanduser().resolve()
    if target.is_dir():
        target /= file_name(ENVIRONMENT.now())
    if running(paths, "diagnostics", {"file": str(target)}) is None:
        alone(paths, lambda database: _save(paths, database, target))
    say(f"Written: {target}")
    say("Look into it before you pass it on; names and secrets were taken out.")


def _save(paths: Paths, database: Database, target: Path) -> None:
    from desktop.desk.desk import Desk
    from desktop.desk.diagnostics import save

    async def write() -> None:
        desk = Desk(paths, database)
        try:
            await save(desk, target)
        finally:
            desk.close()

    asyncio.run(write())
