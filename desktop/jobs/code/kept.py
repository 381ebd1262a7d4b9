"""Changes that jobs made, kept on this machine: the diff, and the facts beside it.

One folder for each job, written whole. They go after as many days as the owner keeps things.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from desktop.core.code.change import Change
from shared.ids import JobId, is_uuid, short
from shared.kinds.code import FILES_SHOWN_MAX, FileFacts, SuiteFacts
from shared.unified_diff import FileStatus

DIFF_BYTES_MAX = 16 * 1024**2
FACTS_BYTES_MAX = 4 * 1024**2
PATH_CHARS_MAX = 500
DAY_SECONDS = 86_400.0
_WHAT = {
    FileStatus.ADDED: "added",
    FileStatus.COPIED: "added",
    FileStatus.CHANGED: "changed",
    FileStatus.DELETED: "deleted",
    FileStatus.RENAMED: "renamed",
}


class KeptFacts(BaseModel):
    """What is told beside a diff."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    job: str
    repository: str = ""
    base: str = ""
    branch: str = ""
    commit: str = ""
    files: tuple[FileFacts, ...] = ()
    files_total: int = 0
    added: int = 0
    removed: int = 0
    tests_after: SuiteFacts | None = None
    is_cut: bool = False


class KeptChanges:
    """All of a machine's."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def keep(self, facts: KeptFacts, diff: str) -> None:
        """Keep a change, in place of what was kept for the job before."""
        assert is_uuid(facts.job), facts.job
        folder = self._folder / facts.job
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        _write(folder / "change.diff", diff.encode(errors="replace")[:DIFF_BYTES_MAX])
        _write(folder / "facts.json", facts.model_dump_json().encode())

    def find(self, name: str) -> tuple[KeptFacts, str] | None:
        """Find a change by its job's id, or by the four characters that people see."""
        for job in self._named(name):
            with contextlib.suppress(OSError, ValidationError):
                facts = KeptFacts.model_validate_json(
                    _read(self._folder / job / "facts.json", FACTS_BYTES_MAX)
                )
                diff = _read(self._folder / job / "change.diff", DIFF_BYTES_MAX)
                return facts, diff.decode(errors="replace")
        return None

    def newest(self) -> str:
        """Return whose change was kept last; empty when none is kept."""
        return next(self._newest_first(), "")

    def commit_on(self, repository: str, branch: str) -> str:
        """Return the commit that the last job on a branch made; empty when none is kept."""
        if not branch:
            return ""
        for job in self._newest_first():
            found = self.find(job)
            if found is not None and (found[0].repository, found[0].branch) == (repository, branch):
                return found[0].commit
        return ""

    def drop(self, job: str) -> None:
        if is_uuid(job):
            shutil.rmtree(self._folder / job, ignore_errors=True)

    def sweep(self, keep_days: float) -> None:
        """Remove what is older than its owner keeps things."""
        for folder in self._folders():
            with contextlib.suppress(OSError):
                if time.time() - folder.stat().st_mtime > keep_days * DAY_SECONDS:
                    shutil.rmtree(folder, ignore_errors=True)

    def _named(self, name: str) -> Iterator[str]:
        wanted = name.strip().removeprefix("#")
        if is_uuid(wanted):
            yield wanted
            return
        for job in self._newest_first():
            if short(JobId(job)).casefold() == wanted.casefold():
                yield job

    def _newest_first(self) -> Iterator[str]:
        dated = []
        for folder in self._folders():
            with contextlib.suppress(OSError):
                dated.append((folder.stat().st_mtime_ns, folder.name))
        yield from (name for _, name in sorted(dated, reverse=True))

    def _folders(self) -> list[Path]:
        try:
            return [one for one in self._folder.iterdir() if is_uuid(one.name)]
        except OSError:
            return []


def facts_of(change: Change) -> tuple[FileFacts, ...]:
    """Tell a change's files as results carry them; no more than anybody reads."""
    return tuple(
        FileFacts(
            path=file.path[:PATH_CHARS_MAX],
            what=_WHAT[file.status],
            added=file.added,
            removed=file.removed,
            is_binary=file.is_binary,
        )
        for file in change.files[:FILES_SHOWN_MAX]
    )


def totals(files: Iterable[FileFacts]) -> tuple[int, int]:
    """Add up lines: added, removed."""
    told = list(files)
    return sum(file.added for file in told), sum(file.removed for file in told)


def _write(path: Path, data: bytes) -> None:
    fresh = path.with_suffix(".new")
    with fresh.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)


def _read(path: Path, bytes_max: int) -> bytes:
    with path.open("rb") as file:
        return file.read(bytes_max)
