"""files.undo: take back what a job wrote or changed, if the file is still what that job left."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

from desktop.jobs import wording
from desktop.jobs.documents import telling
from desktop.jobs.documents.changes import (
    AFTER,
    BEFORE,
    GONE,
    Change,
    Changes,
    hash_at,
    read_bytes,
)
from shared.errors import Conflict, NotFound
from shared.ids import is_uuid
from shared.kinds import file_name_of
from shared.kinds.files import UndoInputs, UndoOutput
from shared.questions import Asking, Choice, QuestionKind

if TYPE_CHECKING:
    from desktop.jobs.context import Context

OFFERED_MAX = 8
LABEL_CHARS_MAX = 200
UNDO = "undo:"
"""Begins the note of a change that took another back; that one's id follows."""
FOREIGN_CHARS_MAX = 1_500


def run(context: Context, inputs: UndoInputs) -> UndoOutput:
    """Take a change back once, whatever happens in between.

    Raises:
        NotFound: `change_unknown`, `changes_none`.
        Conflict: `file_changed`, with what was changed since; `change_undone`.
        AppError: as `Changes` and `place_file`.
    """
    changes = Changes(context.data_folder)
    begun = changes.find(context.job_id)
    if begun is None:
        wanted = _wanted(context, changes, inputs.file)
        _check_untouched(changes, wanted)
        path = Path(wanted.path)
        _check(context, path)
        begun = changes.begin(
            context.job_id,
            path,
            changes.content(wanted, AFTER),
            changes.content(wanted, BEFORE),
            now=time.time(),
            note=f"{UNDO}{wanted.job_id}",
        )
    done = changes.carry_out(begun, check=lambda: _check(context, Path(begun.path)))
    _mark(changes, done)
    if done.after != GONE:
        context.wrote(Path(done.path))
    return _output(changes, done)


def _check(context: Context, path: Path) -> None:
    context.place_file(str(path))


def _mark(changes: Changes, done: Change) -> None:
    """Mark what was taken back; what an undo had taken back before stands again."""
    original = changes.find(done.note.removeprefix(UNDO))
    if original is None:
        return
    changes.undone(original, done.job_id)
    if original.note.startswith(UNDO):
        again = changes.find(original.note.removeprefix(UNDO))
        if again is not None:
            changes.stands(again)


def _wanted(context: Context, changes: Changes, given: str | None) -> Change:
    if given is None:
        return _chosen(context, changes)
    job_id = given.removeprefix("#")
    if is_uuid(job_id):
        return _of_job(changes, job_id)
    path = str(context.place_file(given))
    last = next((one for one in _takeable(changes) if one.path == path), None)
    if last is None:
        # A bare name may be that of a file deeper down.
        path = str(context.find_file(given))
        last = next((one for one in _takeable(changes) if one.path == path), None)
    if last is None:
        raise _unknown(file_name_of(given))
    return last


def _of_job(changes: Changes, job_id: str) -> Change:
    found = changes.find(job_id)
    if found is None or not found.is_done:
        raise _unknown("that job")
    if found.undone_by:
        raise Conflict(
            "change_undone",
            f"That change of {file_name_of(found.name)} was taken back already.",
            f"To have it again: /undo #{found.undone_by}",
        )
    return found


def _takeable(changes: Changes) -> list[Change]:
    return [one for one in changes.done() if not one.note.startswith(UNDO)]


def _chosen(context: Context, changes: Changes) -> Change:
    offered = _takeable(changes)[:OFFERED_MAX]
    if not offered:
        raise NotFound("changes_none", "There is nothing that could be taken back here.", "")
    asking = Asking(
        key="change",
        kind=QuestionKind.CLARIFICATION,
        text="What is to be taken back?",
        choices=tuple(
            Choice(
                value=one.job_id,
                label=file_name_of(one.name)[:LABEL_CHARS_MAX],
                detail=wording.age(max(0.0, time.time() - one.at)),
            )
            for one in offered
        ),
    )
    return _of_job(changes, context.ask(asking))


def _check_untouched(changes: Changes, change: Change) -> None:
    """See that a file is still what a job left.

    Raises:
        Conflict: `file_changed`, with a diff of what came after.
    """
    path = Path(change.path)
    if hash_at(path) == change.after:
        return
    since = telling.difference(changes.content(change, AFTER), read_bytes(path), path)
    name = file_name_of(change.name)
    raise Conflict(
        "file_changed",
        f"{name} was changed after that job: {telling.signed(since)}. It was left as it is.",
        since.text[:FOREIGN_CHARS_MAX] or "Take the later changes back first.",
    )


def _output(changes: Changes, done: Change) -> UndoOutput:
    path = Path(done.path)
    name = file_name_of(path.name)
    made = telling.difference(changes.content(done, BEFORE), changes.content(done, AFTER), path)
    if done.after == GONE:
        headline = f"{name} is gone again: it was not there before that job."
    elif done.before == GONE:
        headline = f"{name} is there again."
    else:
        headline = f"{name} is as it was before that job: {telling.signed(made)}."
    return UndoOutput(
        headline=headline,
        file=done.path,
        sha256=done.after,
        diff=made.text,
        is_cut=made.is_cut,
        added=made.added,
        removed=made.removed,
        undone=done.note.removeprefix(UNDO),
    )


def _unknown(what: str) -> NotFound:
    return NotFound(
        "change_unknown",
        f"This machine knows no change by {what} that it could take back.",
        "Changes are kept for 30 days, the latest 200 of them.",
    )
