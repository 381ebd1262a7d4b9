"""Gathers what the page of a change shows: its files, their hunks, and what stands beside them.

The change itself is on the computer that made it. It is here only as the result of a job that a
person asked for, and goes with that job.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import ValidationError

from hub.core.job import JobCard
from hub.frontends.code_results import tests_of
from hub.frontends.web.asked import Asked, asked_of_job
from hub.frontends.web.visitor import Setting, Visitor
from shared.ids import is_uuid
from shared.jobs import JobState
from shared.kinds.code import CodeOutput, DiffOutput, FileFacts, Finding, SuiteFacts
from shared.plain_text import plain_line
from shared.unified_diff import FileDiff, Hunk, parse_diff

DIFF = "code.diff"
REVIEW = "code.review"
FAMILY = "code."
LINES_SHOWN_MAX = 3000
"""On one page; a file that does not fit any more has a page of its own."""
LINES_OPEN_MAX = 400
"""Of one file that is unfolded at first."""
BAR_CELLS = 5
WORDS = {"added": "New", "changed": "Changed", "deleted": "Deleted", "renamed": "Renamed"}


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownFile:
    """One file of a change."""

    path: str
    old_path: str
    """Where it was before; empty when it stayed."""
    word: str
    added: int
    removed: int
    is_binary: bool
    cells_added: int
    """Of `BAR_CELLS` cells."""
    cells_removed: int
    hunks: tuple[Hunk, ...]
    is_open: bool
    lines: int
    is_left_out: bool
    """Its lines are on a page of their own, or have to be fetched."""
    mode: str = ""
    """How its mode changed: "100644 → 100755"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownChange:
    """A change, ready to be laid out."""

    card: JobCard
    machine: str
    fetched: JobCard | None
    """The job that fetches it, or has; None when nobody asked for it."""
    change: DiffOutput | None
    files: tuple[ShownFile, ...]
    tests: str
    asked: tuple[Asked, ...]
    only: str
    """The one file that is looked at; empty for all."""
    is_older: bool
    """The job went on after this was fetched."""

    @property
    def is_coming(self) -> bool:
        return self.fetched is not None and not self.fetched.state.is_terminal


def is_code(card: JobCard) -> bool:
    """Whether a job may have changed code."""
    return card.kind.startswith(FAMILY) and card.kind not in (DIFF, "code.agents")


async def shown_change(
    place: Setting, visitor: Visitor, card: JobCard, machine: str, only: str
) -> ShownChange:
    """Gather the page of one job's change."""
    siblings = await place.services.views.jobs_of_task(card.job.task_id)
    fetched = fetched_for(siblings, card, only)
    change = change_of(fetched)
    tests = tests_of(_before(card), change.tests_after) if change else ""
    return ShownChange(
        card=card,
        machine=machine,
        fetched=fetched,
        change=change,
        files=files_of(change, only) if change else (),
        tests=plain_line(tests),
        asked=await asked_of_job(place, visitor, card.job_id),
        only=plain_line(only),
        is_older=fetched is not None and _went_on(card, fetched),
    )


def fetched_for(siblings: Sequence[JobCard], card: JobCard, only: str) -> JobCard | None:
    """Find the newest job that fetches, or fetched, this change: whole, or the one file of it."""
    asked = [c for c in siblings if c.kind == DIFF and c.inputs.get("job") == card.job_id]
    newest = sorted(asked, key=lambda c: c.job_id, reverse=True)
    parts = [c for c in newest if only and c.inputs.get("file") == only]
    whole = [c for c in newest if not c.inputs.get("file")]
    return next(iter([*parts, *whole]), None)


def change_of(fetched: JobCard | None) -> DiffOutput | None:
    if fetched is None or fetched.result is None:
        return None
    try:
        return DiffOutput.model_validate(fetched.result)
    except ValidationError:
        return None


def files_of(change: DiffOutput, only: str = "") -> tuple[ShownFile, ...]:
    """Lay out the files in their order; one that is told of, but not here, is named."""
    found = {file.path: file for file in parse_diff(change.diff).files}
    told = {plain_line(file.path): file for file in change.files_changed}
    room = LINES_SHOWN_MAX
    shown = []
    for path in dict.fromkeys((*told, *found)):
        if only and path != plain_line(only):
            continue
        file = _file(path, found.get(path), told.get(path), room, is_only=bool(only))
        room -= 0 if file.is_left_out else file.lines
        shown.append(file)
    return tuple(shown)


def bar(added: int, removed: int, cells: int = BAR_CELLS) -> tuple[int, int]:
    """Share cells out between what came and what went; each has one as soon as it has a line."""
    total = added + removed
    if total == 0:
        return 0, 0
    filled = min(cells, total)
    came = round(filled * added / total)
    came = min(max(came, 1 if added else 0), filled - (1 if removed and filled > 1 else 0))
    return came, filled - came if removed else 0


def _file(
    path: str, diff: FileDiff | None, facts: FileFacts | None, room: int, *, is_only: bool
) -> ShownFile:
    lines = sum(len(hunk.lines) for hunk in diff.hunks) if diff else 0
    added = facts.added if facts else diff.added if diff else 0
    removed = facts.removed if facts else diff.removed if diff else 0
    is_binary = bool((facts and facts.is_binary) or (diff and diff.is_binary))
    is_left_out = lines > room and not is_only
    came, went = bar(added, removed)
    what = facts.what if facts else diff.status.value if diff else "changed"
    moved = diff.old_path if diff and diff.old_path != diff.path else ""
    has_modes = diff is not None and diff.old_mode and diff.new_mode
    return ShownFile(
        path=path,
        old_path=moved if what == "renamed" else "",
        word=WORDS.get(what, "Changed"),
        added=added,
        removed=removed,
        is_binary=is_binary,
        cells_added=came,
        cells_removed=went,
        hunks=() if is_left_out or diff is None else diff.hunks,
        is_open=is_only or lines <= LINES_OPEN_MAX,
        lines=lines,
        is_left_out=is_left_out or (diff is None and not is_binary and added + removed > 0),
        mode=f"{diff.old_mode} → {diff.new_mode}" if diff and has_modes else "",
    )


def _before(card: JobCard) -> SuiteFacts | None:
    output = work_of(card)
    return output.tests_before if output else None


def work_of(card: JobCard) -> CodeOutput | None:
    """What a coding job gave back; None while it has not, or when it is no such job."""
    if not is_code(card) or card.result is None:
        return None
    try:
        return CodeOutput.model_validate(card.result)
    except ValidationError:
        return None


def change_href(card: JobCard) -> str:
    """Where a change is shown: of a job that made one, or that fetched one; else nothing."""
    if card.kind == DIFF and is_uuid(str(card.inputs.get("job", ""))):
        return f"/jobs/{card.inputs['job']}/change"
    if not is_code(card) or card.kind == REVIEW:
        return ""
    output = work_of(card)
    has_some = output.files_changed if output else card.state is JobState.ASKING
    return f"/jobs/{card.job_id}/change" if has_some else ""


def findings_of(card: JobCard) -> tuple[Finding, ...]:
    """What a review found, fit to be shown."""
    output = work_of(card)
    return tuple(
        Finding(
            file=plain_line(one.file),
            line=one.line,
            severity=one.severity,
            message=plain_line(one.message),
            suggestion=plain_line(one.suggestion),
        )
        for one in (output.findings if output else ())
    )


def _went_on(card: JobCard, fetched: JobCard) -> bool:
    """Whether a job worked after its change was fetched, and has not just ended or asked."""
    is_working = card.state in (JobState.GRANTED, JobState.RUNNING)
    return is_working and fetched.state.is_terminal
