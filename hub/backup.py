"""`deskhand-hub backup`: one file with all that the hub on this machine knows."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from hub.core.view import size
from hub.frontends.figures import plural
from hub.store import backup_folder
from hub.store.backup import Contents
from hub.store.database import STORE_NAME
from shared.environment import Environment
from shared.errors import NotFound, Unavailable
from shared.plain_text import plain_line

if TYPE_CHECKING:
    from hub.settings import Settings


def back_up(settings: Settings, target: Path | None, keep: int | None, version: str) -> int:
    """Make a backup, and say what it holds.

    Args:
        settings: of the hub, which may be running.
        target: a file, or a folder; None for the data folder's own, where the oldest are deleted.
        keep: how many to keep there; None for as many as the hub keeps, at least one.
        version: of this program.

    Raises:
        NotFound: `hub_unknown`, there is nothing to back up.
        Unavailable: `backup_failed`, `store_unreadable`, `store_corrupt`.
    """
    if not (settings.data / STORE_NAME).exists():
        raise NotFound(
            "hub_unknown", f"There is no hub in {settings.data}.", "Name its folder with --data."
        )
    now = Environment().now()
    own = settings.data / backup_folder.FOLDER
    folder = own if target is None else target
    if target is None or target.is_dir():
        _make_folder(folder)
        target = folder / backup_folder.name_of(now)
    contents = backup_folder.back_up(settings.data, target, at=now, version=version)
    _tell(target, contents)
    if target.parent == own:
        old = backup_folder.rotate(settings.data, max(1, keep or settings.backups))
        if old:
            sys.stdout.write(f"  deleted   {plural(len(old), 'older backup')}\n")
    return 0


def describe(contents: Contents) -> str:
    """Say in a line what a backup holds."""
    people = "1 person" if contents.people == 1 else f"{contents.people} people"
    return (
        f"{people}, {plural(contents.workers, 'computer')}, {plural(contents.jobs, 'job')} "
        f"({contents.jobs_open} not ended), {plural(contents.hub_seq, 'event')}"
    )


def _tell(target: Path, contents: Contents) -> None:
    lines = (
        f"✓ {target}",
        f"  size      {size(contents.size_bytes)}, read back and sound",
        f"  holds     {describe(contents)}",
        f"  secrets   {', '.join(contents.files) or 'none'}",
        "  not in it settings (HUB_*), files under way to somebody, downloads",
        "Whoever has this file can speak for the hub: keep it as you keep a key.",
    )
    sys.stdout.write("".join(f"{plain_line(line)}\n" for line in lines))


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise Unavailable(
            "backup_failed",
            f"The folder {folder} cannot be made: {error.strerror}.",
            "Name a file in another one.",
        ) from error
