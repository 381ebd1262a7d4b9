"""`deskhand diff [JOB]`: what a coding job changed, as it is kept on this machine."""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator

from desktop.commands.printing import say_json
from desktop.commands.worker import EXIT_OK
from desktop.jobs.code.diff import changes_of
from desktop.jobs.code.kept import KeptFacts
from desktop.system.paths import Paths
from shared.errors import NotFound
from shared.plain_text import plain

PAGER = ("less", "-FRX")
_COLORS = {"+": "\x1b[32m", "-": "\x1b[31m", "@": "\x1b[36m"}
_PLAIN = "\x1b[0m"


def run(paths: Paths, options: argparse.Namespace) -> int:
    facts, diff = change_named(paths, options.id)
    if options.json:
        say_json({**facts.model_dump(mode="json"), "diff": plain(diff)})
    elif options.stat:
        print("\n".join(summary(facts)))
    else:
        _show(diff)
    return EXIT_OK


def show_change(paths: Paths, job: str) -> None:
    """Show what a job changed to the person at the terminal; say so when nothing is kept yet."""
    try:
        _show(change_named(paths, job)[1])
    except NotFound as error:
        print(plain(str(error)))


def change_named(paths: Paths, name: str | None) -> tuple[KeptFacts, str]:
    """Find a change by its job; the last one without a name.

    Raises:
        NotFound: `change_missing`.
    """
    changes = changes_of(paths.data)
    name = name or changes.newest()
    found = changes.find(name) if name else None
    if found is None:
        told = f"of a job {plain(name)[:60]}" if name else "of any job"
        raise NotFound(
            "change_missing",
            f"No change {told} is kept on this machine.",
            "deskhand jobs --search code lists jobs; changes are kept where they were made.",
        )
    return found


def summary(facts: KeptFacts) -> Iterator[str]:
    """Tell a change's files, a line each."""
    for file in facts.files:
        size = "binary" if file.is_binary else f"+{file.added} -{file.removed}"
        yield plain(f"{file.what:<8} {size:<12} {file.path}")
    yield f"{facts.files_total} files, +{facts.added} -{facts.removed}"


def _show(diff: str) -> None:
    """Write it; on a terminal in colours, page by page where there is a pager."""
    lines = plain(diff).splitlines()
    if not sys.stdout.isatty():
        print("\n".join(lines))
        return
    text = "\n".join(_colored(lines)) + "\n"
    if shutil.which(PAGER[0]) is None:
        print(text, end="")
        return
    # It shows what an agent wrote: no commands, no files, no shell from there.
    subprocess.run(PAGER, input=text.encode(), env={**os.environ, "LESSSECURE": "1"}, check=False)


def _colored(lines: Iterable[str]) -> Iterator[str]:
    for line in lines:
        color = _COLORS.get(line[:1])
        yield f"{color}{line}{_PLAIN}" if color else line
