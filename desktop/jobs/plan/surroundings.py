"""What a plan can be made of here: kinds that workers offer, names of files, repositories.

Names alone go to the model, and never what is in a file.
"""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

from desktop.core.plan.scope import Scope
from desktop.core.plan.spending import Budget, Spent
from desktop.jobs.added import KINDS
from desktop.jobs.context import SharedContext
from shared.plain_text import plain_line
from shared.plan import Step

SUFFIXES = (
    ".csv", ".tsv", ".xlsx", ".parquet", ".txt", ".md", ".rst", ".pdf", ".docx", ".pptx",
    ".html", ".json", ".log",
)  # fmt: skip
FILES_LOOKED_AT_MAX = 2000
FILES_TOLD_MAX = 40
NAME_CHARS_MAX = 200
REPOSITORIES_MAX = 12
ENTRIES_LOOKED_AT_MAX = 2000
REPOSITORY_DEPTH_MAX = 2
WORD_CHARS_MIN = 4
"""Shorter words of a task say nothing about files."""


async def names_around(context: SharedContext, task: str) -> tuple[str, ...]:
    """Name repositories and files of the allowed folders, those of the task's words first.

    Looks in a thread: folders may be large and slow.
    """

    def look() -> tuple[str, ...]:
        recent = context.recent_files(SUFFIXES, count_max=FILES_LOOKED_AT_MAX)
        names = _likely_first((_name(path, context.folders) for path in recent), task)
        files = tuple(islice(filter(_can_be_told, names), FILES_TOLD_MAX))
        found = filter(_can_be_told, _repositories(context.folders))
        repositories = tuple(islice(found, REPOSITORIES_MAX))
        return (*(f"{name} (a git repository)" for name in repositories), *files)

    return await asyncio.to_thread(look)


def scope_of(
    context: SharedContext,
    budget: Budget,
    *,
    spent: Spent,
    is_local: bool,
    done: dict[str, Step] | None = None,
) -> Scope:
    """Say what plans are held to here and now."""
    here: set[str] = set()
    elsewhere: dict[str, str] = {}
    for offer in context.offers:
        if offer.is_here:
            here.update(offer.kinds)
        elif offer.is_online:
            for kind in offer.kinds:
                elsewhere.setdefault(kind, offer.name)
    return Scope(
        kinds=KINDS,
        here=frozenset(here),
        elsewhere=elsewhere,
        budget=budget,
        spent=spent,
        is_local=is_local,
        done=done or {},
    )


def _likely_first(names: Iterable[str], task: str) -> list[str]:
    """Put names that share words with the task first; the newest stay before older ones."""
    words = {w for w in re.findall(r"\w+", task.casefold()) if len(w) >= WORD_CHARS_MIN}

    def unlikeliness(name: str) -> int:
        folded = name.casefold()
        return -sum(word in folded for word in words)

    return sorted(dict.fromkeys(names), key=unlikeliness)


def _name(path: Path, folders: tuple[Path, ...]) -> str:
    """Name a file as `find_file` takes it."""
    whole = str(path)
    # By texts: thousands of files are looked at, and paths are slow to take apart.
    inside = (whole[len(f) + 1 :] for f in map(str, folders) if whole.startswith(f + os.sep))
    return next(inside, path.name)


def _can_be_told(name: str) -> bool:
    return len(name) <= NAME_CHARS_MAX and plain_line(name) == name


def _repositories(folders: tuple[Path, ...]) -> Iterator[str]:
    """Find folders with a repository in them, a few levels down."""
    left = ENTRIES_LOOKED_AT_MAX
    for folder in folders:
        for here, below, _ in os.walk(folder, followlinks=False):
            left -= 1 + len(below)
            depth = len(Path(here).relative_to(folder).parts)
            if (Path(here) / ".git").exists():
                yield _name(Path(here), folders) if depth else folder.name
                below[:] = []
            below[:] = [one for one in sorted(below) if one[0] != "."]
            if depth >= REPOSITORY_DEPTH_MAX:
                below[:] = []
            if left <= 0:
                return
