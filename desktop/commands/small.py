"""Commands of a few lines: `doctor`, `unlock`, `samples`."""

from __future__ import annotations

import argparse
import filecmp
import shutil
from pathlib import Path

from desktop.commands.deeds import alone, running
from desktop.commands.printing import confirm, say
from desktop.commands.worker import EXIT_OK, pairing_of, token_of
from desktop.system.paths import Paths
from shared.errors import Conflict
from shared.plain_text import plain_line


def run(paths: Paths, options: argparse.Namespace) -> int:
    match options.command:
        case "doctor" if options.resync:
            return resync(paths, is_sure=options.yes)
        case "doctor":
            from desktop.doctor import examine

            return examine(paths, as_json=options.json)
        case "unlock":
            return unlock(paths)
        case _:
            return samples(options.folder)


def resync(paths: Paths, *, is_sure: bool) -> int:
    """Read everything anew from the hub.

    Raises:
        NotFound: `not_paired`.
        NotAllowed: `resync_not_confirmed`.
    """
    from desktop.store import rebuilt

    pairing = pairing_of(paths)
    if not is_sure:
        confirm(
            f"What this computer shows is read anew from {pairing.hub_name}; what that has not "
            "got yet stays. Until it has told everything, lists are shorter.",
            "Do it?",
            "resync_not_confirmed",
        )
    if running(paths, "resync") is not None:
        say("It is being read anew now.")
        return EXIT_OK
    alone(paths, lambda database: database.submit(rebuilt.resync).result())
    say("It is read anew when Deskhand runs the next time (deskhand --headless).")
    return EXIT_OK


def unlock(paths: Paths) -> int:
    """Let chats start things for this machine's person again, after /lock."""
    from desktop.link.hub_post import post
    from desktop.system.policy_file import load_policy
    from desktop.system.way import Way

    pairing = pairing_of(paths)
    way = Way(load_policy(paths).network)
    told = post(pairing.hub_url, "/unlock", {}, token=token_of(paths, pairing), way=way)
    print(plain_line(f"Unlocked: chats can start work for {told.get('name', 'you')} again."))
    return EXIT_OK


def samples(folder: Path) -> int:
    from desktop.jobs.data.samples import new_rows_file, training_file

    folder.mkdir(parents=True, exist_ok=True)
    for sample in (training_file(), new_rows_file()):
        place = folder / sample.name
        if place.is_symlink() or (place.exists() and not filecmp.cmp(sample, place, shallow=False)):
            raise Conflict(
                "file_in_the_way",
                f"There is another {place.name} in {folder} already.",
                "Name a folder without one: nothing of yours is written over.",
            )
        print(shutil.copyfile(sample, place))
    return EXIT_OK
