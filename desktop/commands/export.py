"""`deskhand export`: everything this computer knows, in a file that other programs can read."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from desktop.commands.deeds import ENVIRONMENT
from desktop.commands.finding import reading
from desktop.commands.printing import say
from desktop.commands.worker import EXIT_OK
from desktop.store import exported
from desktop.system.paths import Paths
from desktop.system.program import version
from shared.errors import BadInput, Conflict, Unavailable


def run(paths: Paths, options: argparse.Namespace) -> int:
    now = ENVIRONMENT.now()
    target = options.file.expanduser()
    if target.is_dir():
        target /= f"deskhand-{now:%Y-%m-%d-%H%M%S}.jsonl"
    count = write(paths, target)
    say(f"Written: {target}, {count:,} records. docs/export.md tells what stands in it.")
    say("It holds what you asked, the logs and the results; keys and tokens are not in it.")
    return EXIT_OK


def write(paths: Paths, target: Path) -> int:
    """Write the export; return how many records it has. Nothing is left of one that broke off.

    Raises:
        NotFound: `not_paired`.
        BadInput: `folder_missing`.
        Conflict: `file_in_the_way`.
        Unavailable: `export_failed`.
    """
    if not target.parent.is_dir():
        raise BadInput("folder_missing", f"There is no folder {target.parent}.", "Make it first.")
    count = 0
    with reading(paths) as connection:
        # One view of the store from the first record to the last.
        connection.execute("begin")
        try:
            with target.open("x", encoding="utf-8") as file:
                target.chmod(0o600)
                told = exported.records(connection, now=ENVIRONMENT.now(), program=version())
                for record in told:
                    count += 1
                    file.write(json.dumps(record, ensure_ascii=False, separators=(",", ":")))
                    file.write("\n")
        except FileExistsError:
            raise Conflict(
                "file_in_the_way", f"There is a {target} already.", "Name another file."
            ) from None
        except OSError as error:
            target.unlink(missing_ok=True)
            raise Unavailable(
                "export_failed",
                f"{target} cannot be written: {error.strerror}.",
                "Free some space.",
            ) from None
    return count
