"""What coding jobs changed, as a person looks at it: kept on this machine, or fetched from another.

Reading a large diff takes a moment, so all of it is done in a thread.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from desktop.jobs.code.kept import KeptChanges
from shared.kinds import JsonObject
from shared.kinds.code import DiffOutput, FileFacts, SuiteFacts
from shared.plain_text import plain_line
from shared.unified_diff import FileDiff, parse_diff

__all__ = ["Changes", "FileChange", "ShownChange", "fetched"]


@dataclass(frozen=True, slots=True, kw_only=True)
class FileChange:
    """One file of a change."""

    path: str
    what: str
    added: int
    removed: int
    is_binary: bool
    diff: FileDiff | None
    """None when its lines are not here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownChange:
    """A change as windows show it; what strangers wrote is stripped of what acts."""

    branch: str
    base: str
    files: tuple[FileChange, ...]
    files_total: int
    added: int
    removed: int
    tests_after: SuiteFacts | None
    is_cut: bool
    """There is more than can be shown."""


class Changes:
    """Those that are kept on this machine."""

    def __init__(self, data: Path) -> None:
        self._folder = data / "code" / "changes"

    async def kept(self, job_id: str) -> ShownChange | None:
        """Read what a job changed; None when nothing is kept of it."""
        return await asyncio.to_thread(self._read, job_id)

    def _read(self, job_id: str) -> ShownChange | None:
        found = KeptChanges(self._folder).find(job_id)
        if found is None:
            return None
        facts, text = found
        return _shown(
            text,
            facts.files,
            branch=facts.branch,
            base=facts.base,
            files_total=facts.files_total,
            tests_after=facts.tests_after,
            is_cut=facts.is_cut,
        )


async def fetched(result: JsonObject) -> ShownChange | None:
    """Read what a job that fetches changes gave back; None when it is no such result."""
    return await asyncio.to_thread(_of_result, result)


def _of_result(result: JsonObject) -> ShownChange | None:
    try:
        output = DiffOutput.model_validate(result)
    except ValidationError:
        return None
    return _shown(
        output.diff,
        output.files_changed,
        branch=output.branch,
        base=output.base,
        files_total=output.files_total,
        tests_after=output.tests_after,
        is_cut=output.is_cut,
    )


def _shown(
    text: str,
    told: tuple[FileFacts, ...],
    *,
    branch: str,
    base: str,
    files_total: int,
    tests_after: SuiteFacts | None,
    is_cut: bool,
) -> ShownChange:
    diff = parse_diff(text)
    found = {file.path: file for file in diff.files}
    facts = {plain_line(file.path): file for file in told}
    files = tuple(
        _file(path, facts.get(path), found.get(path)) for path in dict.fromkeys((*facts, *found))
    )
    return ShownChange(
        branch=plain_line(branch),
        base=plain_line(base),
        files=files,
        files_total=max(files_total, len(files)),
        added=sum(file.added for file in files),
        removed=sum(file.removed for file in files),
        tests_after=tests_after,
        is_cut=is_cut or diff.is_cut,
    )


def _file(path: str, facts: FileFacts | None, diff: FileDiff | None) -> FileChange:
    return FileChange(
        path=path,
        what=facts.what if facts else diff.status.value if diff else "changed",
        added=facts.added if facts else diff.added if diff else 0,
        removed=facts.removed if facts else diff.removed if diff else 0,
        is_binary=bool((facts and facts.is_binary) or (diff and diff.is_binary)),
        diff=diff,
    )
